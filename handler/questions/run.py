"""The reconciler's part: what is due about a guild's questions.

    over                 its card shows how it ended, and has no buttons; nobody waits for it
    open after its time  a reply that came in time is the answer, else it expires, with its default
    without a card       the process that asked died: the card is posted
    to be reminded of    one message mentions who may answer
    takes a text         the replies to the card are read

Every step may be repeated, and beside it people answer and programs wait: the writes decide.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from handler.discord.messages import message_nonce
from handler.errors import DiscordRefused, OnethreadError
from handler.questions.card import reminder_body
from handler.questions.end import expire_if_due
from handler.questions.model import read_spec
from handler.questions.replies import read_replies
from handler.questions.show import CardEdit, correct_card, show_card
from handler.runtime import telemetry
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.reconcile.pace import Pace, rotate
from handler.sessions.reconcile.result import try_one
from handler.sessions.threads.once import post_once
from handler.store.question_items import Question

MAX_DUE: Final = 200  # questions that a run looks at: some 200 KB
MAX_STEPS: Final = 50  # requests that a run makes for them: ten seconds at its pace
ASKING: Final = timedelta(
    minutes=2
)  # longer than the invocation that asks: after that its card is nobody else's to post
TRY_AGAIN_AFTER: Final = timedelta(hours=1)  # what Discord has refused it seldom allows in a moment


async def settle_questions(context: Context, guild_id: str, now: datetime, pace: Pace) -> Counter[str]:
    """Do what is due, a bounded part of it; return the counts that `docs/reconciler.md` lists.

    Raises what would fail all the rest, too: BotTokenRefused, RateLimited, StoreUnavailable.
    """
    counts: Counter[str] = Counter()
    due = await context.store.questions.due(guild_id, now, MAX_DUE)
    urgent = [question for question in due if not _only_replies(question, now)]
    others = rotate([question for question in due if _only_replies(question, now)], now)
    for question in (*urgent, *others)[:MAX_STEPS]:
        fresh = await context.store.questions.get(question.parent_channel_id, question.id)
        if fresh is None or (step := _next_step(fresh, now)) is None:
            continue
        await pace()
        result = await try_one(step(context, fresh))
        if isinstance(result, OnethreadError):
            counts["questions_failed"] += 1
            telemetry.logger.warning("nothing could be done about a question", extra={"detail": str(result)})
            if isinstance(result, DiscordRefused):
                await context.store.questions.postpone(fresh, _later(fresh, now))
        elif result is not None:
            counts[result] += 1
    return counts


Step = Callable[[Context, Question], Awaitable[str | None]]  # what was done, as it is counted


def _next_step(question: Question, now: datetime) -> Step | None:
    """What to do about a question, as it is on record now."""
    if not question.is_open or now >= parse_iso(question.closes_at):
        return _end
    if question.message_id is None:
        return _show if now - parse_iso(question.asked_at) >= ASKING else None
    if question.remind_at is not None and now >= parse_iso(question.remind_at):
        return _remind
    return _read if question.takes_text else None


def _only_replies(question: Question, now: datetime) -> bool:
    """Whether nothing is to be done but to read the replies: that is due in each run."""
    return _next_step(question, now) is _read


def _later(question: Question, now: datetime) -> datetime:
    later = now + TRY_AGAIN_AFTER
    return min(later, parse_iso(question.closes_at)) if question.is_open else later


async def _end(context: Context, question: Question) -> str | None:
    ended = await expire_if_due(context, question)
    if ended.is_open or await correct_card(context, ended) is not CardEdit.DONE:
        return None
    return "ExpireQuestion" if question.is_open else "CorrectQuestion"


async def _show(context: Context, question: Question) -> str | None:
    await show_card(context, question, question.discord_thread_id)
    return "PostQuestion"


async def _remind(context: Context, question: Question) -> str | None:
    """Post the reminder, unless the thread is archived: it would be opened."""
    thread = await context.discord.channel_or_none(question.discord_thread_id)
    if thread is not None and not thread.archived:
        await post_once(
            context,
            thread.id,
            reminder_body(question, read_spec(question)),
            nonce=message_nonce("remind", question.id),
            since=parse_iso(question.remind_at or question.asked_at),
            is_it=lambda message: message.replies_to == question.message_id,
        )
    await context.store.questions.remind(question)
    return "Remind"


async def _read(context: Context, question: Question) -> str | None:
    answered = await read_replies(context, question)
    if answered.is_open:
        return None
    await correct_card(context, answered)
    return "TakeReply"
