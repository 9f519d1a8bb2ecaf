"""A person answers: by a button, a form, or a message. The conditional write decides; whoever comes second is told so.

Who is asking is known from the signed interaction, roles included.
"""

from collections.abc import Callable

import msgspec

from handler.questions.end import expire_if_due
from handler.questions.model import Answer, Refusal, Spec, channel_of, encode, read_spec
from handler.runtime import telemetry
from handler.sessions.context import Context
from handler.store.question_items import Question


class Person(msgspec.Struct, frozen=True):
    """Who answers, and by which interaction."""

    user_id: str
    roles: frozenset[str]
    via: str


class Response(msgspec.Struct, frozen=True):
    """The question as it is now, and why the answer does not count; None: it does."""

    question: Question | None
    refusal: Refusal | None = None


# The answer that a person means; None if it is none.
Read = Callable[[Spec], Answer | None]


def log_question(question: Question) -> None:
    """Name the question and its session in the log of the current request."""
    channel_id, key = question.pair
    telemetry.set_fields(channel_id=channel_id, session_key=key, question_id=question.id)


async def find_for(context: Context, question_id: str, person: Person) -> Response:
    """The question, if the person may answer it now. One that has run out of time expires."""
    channel_id = channel_of(question_id)
    question = None if channel_id is None else await context.store.questions.get(channel_id, question_id)
    if question is None:
        return Response(None, Refusal.UNKNOWN)
    log_question(question)
    if not read_spec(question).may_answer(person.user_id, person.roles):
        return Response(question, Refusal.NOT_ALLOWED)
    question = await expire_if_due(context, question)
    if question.is_open or question.answered_in == person.via:
        return Response(question)
    return Response(question, Refusal.OVER)


async def respond(context: Context, question_id: str, person: Person, read: Read) -> Response:
    """Take the person's answer, if there is none yet. A repeat of the same interaction is told the same."""
    found = await find_for(context, question_id, person)
    question = found.question
    if found.refusal is not None or question is None or not question.is_open:
        return found
    answer = read(read_spec(question))
    if answer is None:
        return Response(question, Refusal.IMPOSSIBLE)
    now = context.clock.now()
    write = await context.store.questions.answer(question, encode(answer), via=person.via, at=now, now=now)
    if write.won:
        return Response(write.current)
    return Response(await expire_if_due(context, write.current), Refusal.OVER)
