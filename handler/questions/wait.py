"""Wait for an answer inside an invocation: consistent reads with growing pauses, and now and then the replies."""

import contextlib
from datetime import datetime, timedelta
from typing import Final

from handler.errors import OnethreadError, StoreUnavailable
from handler.questions.end import expire_if_due
from handler.questions.replies import read_replies
from handler.questions.show import correct_soon, find_card
from handler.runtime import telemetry
from handler.runtime.clock import parse_iso
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.store.question_items import Question

FIRST_PAUSE_SECONDS: Final = 0.5  # people answer in seconds at best
MAX_PAUSE_SECONDS: Final = 3.0  # how late an answer by button is heard of, at most
PAUSE_GROWTH: Final = 1.5  # from one read to the next: about twenty reads in 50 s
DISCORD_SECONDS: Final = 2.0  # for its part of a round: an outage of Discord's keeps nobody from an answer by button
REPLIES_EVERY: Final = timedelta(seconds=5)  # a request to Discord each


async def wait_for_answer(context: Context, question: Question, seconds: float) -> Question:
    """The question as soon as it is over, or as it is after so many seconds."""
    until = context.clock.now() + timedelta(seconds=seconds)
    pause, read_at = FIRST_PAUSE_SECONDS, None
    question = await _look_after_card(context, question)
    while True:
        question = await expire_if_due(context, question)
        now = context.clock.now()
        if question.is_open and (read_at is None or now - read_at >= REPLIES_EVERY):
            question, read_at = await _read_replies(context, question), now
        if not question.is_open:
            await correct_soon(context, question)
            return question
        if now >= until:
            return question
        await context.clock.sleep(_pause(pause, now, until, question))
        pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
        question = await context.store.questions.get(question.parent_channel_id, question.id) or question


def _pause(pause: float, now: datetime, until: datetime, question: Question) -> float:
    """Not beyond the end of the wait, nor of the question."""
    ends = min(until, max(parse_iso(question.closes_at), now + timedelta(milliseconds=1)))
    return min(pause, (ends - now).total_seconds())


async def _look_after_card(context: Context, question: Question) -> Question:
    """Post the card again if it was deleted. Best effort: the answer may come all the same."""
    try:
        return await run_for(context.clock, DISCORD_SECONDS, find_card(context, question))
    except StoreUnavailable:
        raise
    except OnethreadError as error:
        telemetry.logger.warning("a card could not be looked after", extra={"detail": str(error)})
    return question


async def _read_replies(context: Context, question: Question) -> Question:
    """Best effort: an outage of Discord's keeps nobody from hearing of an answer by button."""
    with contextlib.suppress(OnethreadError):
        return await run_for(context.clock, DISCORD_SECONDS, read_replies(context, question))
    return question
