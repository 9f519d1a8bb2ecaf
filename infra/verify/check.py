"""What must hold between a channel's record and Discord. Pure.

Threads and messages are Discord's own objects (Discord docs, "Channel" and "Message").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord.models import ChannelType
from handler.discord.snowflakes import time_of
from handler.runtime.clock import iso, parse_iso
from handler.sessions.names import Names
from handler.sessions.threads.source_message import read_thread_name
from handler.store.items import Pointer, Session, Status, pointer_item_key, session_item_key
from handler.store.listing import listing
from handler.store.question_items import Question
from infra.verify import mend

# What is younger may still be at work: a lease is ten seconds, and the reconciler comes every few minutes.
AT_WORK: Final = timedelta(minutes=15)
_PUBLIC: Final = (ChannelType.PUBLIC_THREAD, ChannelType.ANNOUNCEMENT_THREAD)
_HAS_THREAD: Final = 1 << 5  # a message's flag (Discord docs, "Message", Message Flags)
_ROW: Final = 1  # a component's type: a row of buttons

Thread = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that must not be. `cure`: the command that mends it."""

    rule: str
    about: str
    cure: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.about}\n     → {self.cure}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What there is of one channel. `gone`: threads on record that Discord does not know; `cards`: by the question's id."""

    commands: mend.Commands
    channel_id: str
    guild_id: str
    bot_user_id: str
    names: Names
    now: datetime
    sessions: Sequence[Session] = ()
    items: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)  # of sessions, by pair
    unreadable: Sequence[Mapping[str, Any]] = ()
    namesakes: frozenset[str] = frozenset()  # ids of threads
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    questions: Sequence[Question] = ()
    threads: Mapping[str, Thread] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    messages: Sequence[Mapping[str, Any]] = ()  # the channel's newest
    cards: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)  # None: deleted


def differences(facts: Facts) -> Iterator[Difference]:
    """All that differs."""
    for item in facts.unreadable:
        yield Difference("unreadable item", f"{item['pk']} {item['sk']}", "docs/troubleshooting.md, 'Unreadable'")
    for check in (_claims, _threads, _pointers, _indices, _shared, _second_threads, _source_messages, _questions):
        yield from check(facts)


def _keys(items: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(item["pk"], item["sk"]) for item in items}


def _key_of(channel_id: str, session_key: str) -> tuple[str, str]:
    key = session_item_key(channel_id, session_key)
    return key["pk"], key["sk"]


def _title(session: Session) -> str:
    return f"session {session.session_key} of the channel {session.parent_channel_id}"


def _claims(facts: Facts) -> Iterator[Difference]:
    """Nothing is claimed for longer than a lease."""
    for session in facts.sessions:
        ends = session.lease.expires_at
        if session.status is Status.CREATING and (ends is None or ends < iso(facts.now - AT_WORK)):
            yield Difference("claim without an end", f"{_title(session)}, since {ends}", mend.open_session(session))


def _threads(facts: Facts) -> Iterator[Difference]:
    """Each session's thread exists, and is as it is on record."""
    for session in facts.sessions:
        thread_id = session.discord_thread_id
        if session.status is Status.VACANT or thread_id is None or session.deletion.begun_at is not None:
            continue
        if thread_id in facts.gone and session.problem.missing_since is None:
            yield Difference("thread is gone", f"{_title(session)}: {thread_id}", mend.open_session(session))
        thread = facts.threads.get(thread_id)
        if thread is None:
            continue
        if thread["parent_id"] != session.parent_channel_id:
            yield Difference(
                "thread of another channel",
                f"{_title(session)}: {thread_id}",
                facts.commands.import_channel(facts.channel_id),
            )
        shown = thread["thread_metadata"]
        seen = (session.thread.archived, session.thread.locked, session.thread.name)
        if seen != (shown["archived"], shown.get("locked", False), thread["name"]):
            yield Difference(
                "thread is not as recorded", f"{_title(session)}: {thread_id}", facts.commands.next_run(facts.guild_id)
            )


def _pointers(facts: Facts) -> Iterator[Difference]:
    """Each session's thread points at it, and each pointer's session has the thread."""
    by_pair = {session.pair: session for session in facts.sessions}
    not_known, own = _keys(facts.unreadable), {session.thread_id for session in facts.sessions}
    for session in facts.sessions:
        thread_id = session.thread_id
        if session.status is Status.VACANT or thread_id is None:
            continue
        pointer, where = facts.pointers.get(thread_id), f"thread {thread_id} of the {_title(session)}"
        if pointer is None:
            yield Difference("no pointer", where, facts.commands.put_pointer(thread_id, session.pair))
        elif not pointer.names(*session.pair) and not _is_shared(facts, pointer, thread_id):
            yield Difference("pointer names another", where, facts.commands.put_pointer(thread_id, session.pair))
    for thread_id, pointer in facts.pointers.items():
        if pointer.merged_into or pointer.discarded_at or pointer.parent_channel_id != facts.channel_id:
            continue
        pair = pointer.parent_channel_id, pointer.session_key or ""
        if _key_of(*pair) in not_known or thread_id in own:
            continue
        owner = by_pair.get(pair)
        if owner is None or not owner.has(thread_id):
            cure = facts.commands.delete(pointer_item_key(thread_id))
            yield Difference("pointer of nobody's", f"thread {thread_id}", cure)


def _is_shared(facts: Facts, pointer: Pointer, thread_id: str) -> bool:
    """Whether the session that the pointer names has the thread, too: then the others are wrong."""
    named = (session for session in facts.sessions if pointer.names(*session.pair))
    return any(session.discord_thread_id == thread_id for session in named)


def _indices(facts: Facts) -> Iterator[Difference]:
    """A session with a thread is where lists and the reconciler look for it."""
    for session in facts.sessions:
        if session.discord_thread_id is None or session.status is Status.VACANT:
            continue
        item = facts.items[session.pair]
        if "watch_guild_id" not in item and "due_in" not in item:
            keys = {"watch_guild_id": facts.guild_id}
            if session.thread.archived:
                keys = {"due_in": facts.guild_id, "due_at": iso(facts.now)}
            cure = facts.commands.set_attributes(session.item_key, keys)
            yield Difference("the reconciler does not see it", _title(session), cure)
        if "listed_in" not in item:
            known = {"opened_at": iso(facts.now), **item}
            keys = listing(session.listed_in, session.discord_thread_id, known)
            yield Difference("no list shows it", _title(session), facts.commands.set_attributes(session.item_key, keys))


def _shared(facts: Facts) -> Iterator[Difference]:
    """No thread is on record for two sessions."""
    owners: dict[str, list[Session]] = {}
    for session in facts.sessions:
        if session.discord_thread_id and session.status is not Status.VACANT:
            owners.setdefault(session.discord_thread_id, []).append(session)
    for thread_id, sessions in owners.items():
        if len(sessions) > 1:
            pointer = facts.pointers.get(thread_id)
            wrong = [s for s in sessions if pointer is None or not pointer.names(*s.pair)]
            cure = " && ".join(facts.commands.delete(s.item_key) for s in wrong[-len(sessions) + 1 :])
            keys = ", ".join(session.session_key for session in sessions)
            yield Difference("one thread for two sessions", f"thread {thread_id}: {keys}", cure)


def _second_threads(facts: Facts) -> Iterator[Difference]:
    """A name has one living thread; others are on record as namesakes, merged or let go."""
    own = {session.thread_id for session in facts.sessions}
    for thread_id, thread in facts.threads.items():
        key = facts.names.session_key_of(thread["name"])
        if thread["parent_id"] != facts.channel_id or thread["type"] not in _PUBLIC or key is None:
            continue
        if _key_of(facts.channel_id, key) in _keys(facts.unreadable):
            continue
        pointer = facts.pointers.get(thread_id)
        is_known = thread_id in own or thread_id in facts.namesakes
        if is_known or (pointer is not None and (pointer.merged_into or pointer.discarded_at)):
            continue
        if facts.now - time_of(thread_id) > AT_WORK:
            whose = "by this bot" if thread.get("owner_id") == facts.bot_user_id else "by somebody"
            yield Difference(
                "thread is not on record",
                f"{thread['name']} ({thread_id}), {whose}",
                facts.commands.import_channel(facts.channel_id),
            )
    for session in facts.sessions:
        extras = [t for t, thread in facts.threads.items() if _is_second(facts, session, t, thread)]
        if extras:
            cure = f"/session-admin duplicates, in the channel {facts.channel_id}"
            yield Difference("second thread of ours", f"{_title(session)}: {', '.join(extras)}", cure)


def _is_second(facts: Facts, session: Session, thread_id: str, thread: Thread) -> bool:
    """Whether the bot started it for this session although that has another one."""
    pointer = facts.pointers.get(thread_id)
    return (
        session.discord_thread_id is not None
        and not session.private
        and not session.has(thread_id)
        and thread.get("owner_id") == facts.bot_user_id
        and thread["type"] in _PUBLIC
        and thread["parent_id"] == facts.channel_id
        and facts.names.bears(thread["name"], session.session_key)
        and (pointer is None or not (pointer.merged_into or pointer.discarded_at))
    )


def _source_messages(facts: Facts) -> Iterator[Difference]:
    """Each source message has a thread, or is recorded: the thread will be started from it."""
    recorded = {session.source_message_id for session in facts.sessions}
    for message in facts.messages:
        is_ours = message["author"]["id"] == facts.bot_user_id and message["type"] == 0
        if not is_ours or read_thread_name(message["content"]) is None or message["id"] in recorded:
            continue
        has_thread = message.get("thread") is not None or int(message.get("flags") or 0) & _HAS_THREAD
        if not has_thread and facts.now - time_of(message["id"]) > AT_WORK:
            where = f"https://discord.com/channels/{facts.guild_id}/{facts.channel_id}/{message['id']}"
            yield Difference("source message without a session", where, "delete that message on Discord")


def _questions(facts: Facts) -> Iterator[Difference]:
    """An open question has its card, one that is over has no buttons, and a session waits only for an open one."""
    states = {question.id: question for question in facts.questions}
    for question in facts.questions:
        card = facts.cards.get(question.id)
        is_young = parse_iso(question.asked_at) > facts.now - AT_WORK
        where = f"question {question.id}, in the thread {question.discord_thread_id}"
        if question.is_open and question.closes_at < iso(facts.now - AT_WORK):
            yield Difference("question beyond its end", where, facts.commands.next_run(facts.guild_id))
        elif question.is_open and card is None and not is_young and question.discord_thread_id not in facts.gone:
            yield Difference("question without its card", where, facts.commands.next_run(facts.guild_id))
        if not question.is_open and card is not None and _buttons(card):
            cure = f"delete the message {question.message_id} of that thread"
            yield Difference("buttons of a question that is over", where, cure)
    for session in facts.sessions:
        awaited = states.get(session.waiting_for or "")
        if session.waiting_for and (awaited is None or not awaited.is_open) and not _is_fresh(awaited, facts.now):
            attributes = ("waiting_for", "waiting_since", "waiting_message_id")
            cure = facts.commands.remove_attributes(session.item_key, attributes)
            yield Difference("waits for no question", _title(session), cure)


def _is_fresh(question: Question | None, now: datetime) -> bool:
    """Whether the question is still due: what follows from its end is being done."""
    return question is not None and question.due_at is not None and question.due_at > iso(now - AT_WORK)


def _buttons(message: Mapping[str, Any]) -> bool:
    """Whether anything can be pressed."""
    rows: list[Mapping[str, Any]] = [*message.get("components", ())]
    while rows:
        row = rows.pop()
        if row["type"] == _ROW and row.get("components"):
            return True
        rows += row.get("components", ())
    return False
