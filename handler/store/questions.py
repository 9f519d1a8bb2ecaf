"""Question items: what was asked, the card that shows it, and at most one answer.

All writes, by the state that they need and the one that they leave:

    ask       absent → open
    show      any → same               the card's message; the first one of its number
    hide      open → open              the card was deleted: another one, with the next number, takes its place
    answer    open → answered          before it closes
    expire    open → expired           after it closed
    cancel    open → cancelled
    remind    open → open              the reminder is posted
    settle    over → over              the card shows how it ended; whoever waited has been answered
    postpone  any → same               it cannot be shown now
    callback  any → same               the token of whoever waits for the answer now

Whoever comes first decides: each write that ends a question needs it open. DueIndex has what is to be done about a
question at some time, by guild; ActivityIndex has the open questions of a thread, by when they were asked.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.activity import ACTIVITY_INDEX
from handler.store.guilds import DUE_INDEX
from handler.store.items import Session, session_item_key
from handler.store.question_items import Question, QuestionState, question_item_key
from handler.store.reading import Item, read_items
from handler.store.table import Attributes, Lost, Table
from handler.store.writes import Write, update_session

KEPT: Final = timedelta(days=90)  # after it is over: longer than anybody repeats the request, or asks for its answer

_IS_OPEN: Final = "#state = :open"
_BEFORE_CLOSE: Final = "#closes_at > :at"
_AFTER_CLOSE: Final = "#closes_at <= :now"
_NO_CARD: Final = "attribute_not_exists(#message_id) AND #card_number = :card_number"
_SAME_CARD: Final = "#message_id = :read_message"
_IS_OVER: Final = "#state <> :open"
_INDEXED: Final = ("listed_in", "activity")  # of an open question


class QuestionWrite(msgspec.Struct, frozen=True):
    """How a conditional write went, and the question as it is now; None: there is none."""

    won: bool
    question: Question | None

    @property
    def current(self) -> Question:
        assert self.question is not None  # noqa: S101 - no question's item is deleted while it is worked on
        return self.question


class QuestionStore:
    """The questions. Reads of one are strongly consistent."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, channel_id: str, question: str) -> Question | None:
        """Raises UnreadableItem."""
        return _read(await self._table.get(question_item_key(channel_id, question)))

    async def due(self, guild_id: str, now: datetime, limit: int) -> tuple[Question, ...]:
        """The questions about which something is to be done, those that wait longest first."""
        partition = ("due_in", _due_in(guild_id))
        items = await self._table.query_index(DUE_INDEX, partition, order=("due_at", "<=", iso(now)), limit=limit)
        return read_items(items, Question.from_item)[0]

    async def open_in(self, thread_id: str, limit: int) -> tuple[Question, ...]:
        """The open questions of a thread, the newest first. The index may lag."""
        partition = ("listed_in", _listed_in(thread_id))
        items = await self._table.query_index(ACTIVITY_INDEX, partition, limit=limit, backwards=True)
        return read_items(items, Question.from_item)[0]

    async def ask(self, question: Question) -> QuestionWrite:
        """Put a question on record; it is due at once, until its card is."""
        sets = {name: value for name, value in msgspec.to_builtins(question).items() if name != "id"}
        listed = {"listed_in": _listed_in(question.discord_thread_id), "activity": _activity(question)}
        due = {"due_in": _due_in(question.guild_id), "due_at": question.asked_at}
        return await self._write(question, clauses.ABSENT, {**sets, **listed, **due})

    async def show(self, question: Question, message_id: str, thread_id: str) -> QuestionWrite:
        """Record the message that is the card. `question` is as it was read; its card has that number."""
        sets = {"message_id": message_id, "discord_thread_id": thread_id, **_due(question)}
        if question.is_open:
            sets |= {"listed_in": _listed_in(thread_id), "activity": _activity(question)}
        same = "#state = :read_state"
        return await self._write(question, f"{_NO_CARD} AND {same}", sets, values={"read_state": question.state.value})

    async def hide(self, question: Question) -> QuestionWrite:
        """The card was deleted."""
        return await self._write(
            question,
            f"{_IS_OPEN} AND {_SAME_CARD}",
            {
                "card_number": question.card_number + 1,
                "due_in": _due_in(question.guild_id),
                "due_at": question.asked_at,
            },
            removes=["message_id"],
            values={"read_message": question.message_id},
        )

    async def answer(self, question: Question, answer: str, *, via: str, at: datetime, now: datetime) -> QuestionWrite:
        """Record the answer, which was given at that moment."""
        sets = {"answer": answer, "answered_in": via, **_over(QuestionState.ANSWERED, question, now)}
        write = await self._write(
            question, f"{_IS_OPEN} AND {_BEFORE_CLOSE}", sets, removes=_INDEXED, values={"at": iso(at)}
        )
        return _accept_own(write, lambda now: now.answered_in == via)

    async def expire(self, question: Question, answer: str | None, *, now: datetime) -> QuestionWrite:
        """End a question that nobody has answered in time, with its default."""
        sets = {"answer": answer, **_over(QuestionState.EXPIRED, question, now)}
        return await self._write(
            question, f"{_IS_OPEN} AND {_AFTER_CLOSE}", sets, removes=_INDEXED, values={"now": iso(now)}
        )

    async def cancel(self, question: Question, *, now: datetime) -> QuestionWrite:
        return await self._write(question, _IS_OPEN, _over(QuestionState.CANCELLED, question, now), removes=_INDEXED)

    async def remind(self, question: Question) -> QuestionWrite:
        """The reminder is posted."""
        reminded = msgspec.structs.replace(question, remind_at=None)
        return await self._write(question, _IS_OPEN, _due(reminded), removes=["remind_at"])

    async def settle(self, question: Question) -> QuestionWrite:
        """The card shows how the question ended, or there is none: nothing is left to do."""
        return await self._write(question, _IS_OVER, {}, removes=["due_in", "due_at", "callback_token"])

    async def postpone(self, question: Question, until: datetime) -> QuestionWrite:
        """Nothing can be done about it before that moment."""
        return await self._write(
            question,
            "#state = :read_state",
            {"due_at": iso(until)},
            values={"read_state": question.state.value},
        )

    async def note_read(self, question: Question, message_id: str) -> QuestionWrite:
        """All replies up to this message were read."""
        return await self._write(question, _IS_OPEN, {"read_to": message_id})

    async def set_callback(self, question: Question, token: str) -> QuestionWrite:
        """Somebody else waits for the answer now. If it is there already, this change is what they are answered by."""
        return await self._write(question, "attribute_exists(pk)", {"callback_token": token})

    async def start_waiting(self, question: Question) -> None:
        """The session waits for its newest question, this one; unless it is over, or the session has another thread."""
        update = self._table.build_update(
            session_item_key(*question.pair),
            condition=clauses.SAME_THREAD,
            sets={"waiting_for": question.id},
            defaults={"waiting_since": question.asked_at},
            removes=["waiting_message_id"],
            values={"thread": question.discord_thread_id},
        )
        values = {"open": QuestionState.OPEN.value}
        await self._table.transact(
            update, self._table.build_check(question.item_key, condition=_IS_OPEN, values=values)
        )

    async def link_waiting(self, question: Question) -> Write:
        """The session's newest question, this one, has its card. Without it, people get no link to it above the thread."""
        return await update_session(
            self._table,
            session_item_key(*question.pair),
            condition="#waiting_for = :question",
            sets={"waiting_message_id": question.message_id},
            values={"question": question.id},
        )

    async def stop_waiting(self, session: Session, left: Question | None) -> Write:
        """The newest question, which was read, is over. `left`: the newest that is not; None: the session waits no more."""
        return await update_session(
            self._table,
            session.item_key,
            condition="#waiting_for = :read_waiting_for",
            sets={} if left is None else {"waiting_for": left.id, "waiting_message_id": left.message_id},
            removes=["waiting_for", "waiting_since", "waiting_message_id"] if left is None else [],
            values={"read_waiting_for": session.waiting_for},
        )

    async def _write(self, question: Question, condition: str, sets: Attributes, **parts: Any) -> QuestionWrite:
        values = {
            "open": QuestionState.OPEN.value,
            "card_number": question.card_number,
            **(parts.pop("values", None) or {}),
        }
        try:
            item = await self._table.update(question.item_key, condition=condition, sets=sets, values=values, **parts)
        except Lost as lost:
            return QuestionWrite(False, _read(lost.item))
        return QuestionWrite(True, _read({**question.item_key, **item}))


def _accept_own(write: QuestionWrite, is_own: Callable[[Question], bool]) -> QuestionWrite:
    """Won too if the answer on record is this one: the write was repeated because its answer was lost."""
    if not write.won and write.question is not None and is_own(write.question):
        return QuestionWrite(True, write.question)
    return write


def _over(state: QuestionState, question: Question, now: datetime) -> dict[str, Any]:
    """What a question carries that is over: it is due, until its card shows it."""
    return {
        "state": state.value,
        "due_in": _due_in(question.guild_id),
        "due_at": iso(now),
        "expires_at": int((now + KEPT).timestamp()),
    }


def _due(question: Question) -> dict[str, str]:
    """When something is to be done next about an open question whose card is on record: at once, if replies are to be read."""
    if not question.is_open:
        return {}
    times = [question.closes_at, question.remind_at, question.asked_at if question.takes_text else None]
    return {"due_in": _due_in(question.guild_id), "due_at": min(filter(None, times))}


def _due_in(guild_id: str) -> str:
    return f"QUESTIONS#{guild_id}"


def _listed_in(thread_id: str) -> str:
    return f"QUESTIONS#{thread_id}"


def _activity(question: Question) -> str:
    return f"{question.asked_at}#{question.id}"


def _read(item: Item | None) -> Question | None:
    return Question.from_item(item) if item else None
