"""How a question ends without an answer: nobody gives one in time, or the program withdraws it."""

import contextlib

from handler.errors import DiscordRefused
from handler.questions.model import answer_of_default, encode, read_spec
from handler.questions.replies import read_replies
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.store.question_items import Question


async def expire_if_due(context: Context, question: Question) -> Question:
    """The question as it is now. If it is open after its time, a reply that came in time is its answer, else it expires."""
    now = context.clock.now()
    if not question.is_open or now < parse_iso(question.closes_at):
        return question
    with contextlib.suppress(DiscordRefused):  # the card or its thread is gone: nothing more can be read there
        question = await read_replies(context, question)
    if not question.is_open:
        return question
    default = answer_of_default(read_spec(question), now)
    write = await context.store.questions.expire(question, None if default is None else encode(default), now=now)
    return write.current


async def cancel(context: Context, question: Question) -> Question:
    """The question, withdrawn if it was open."""
    question = await expire_if_due(context, question)
    if not question.is_open:
        return question
    return (await context.store.questions.cancel(question, now=context.clock.now())).current
