"""`ask`, `await`, `cancel`: questions to people in the session's thread."""

from functools import partial
from typing import Final

from handler.errors import InvalidRequest, SessionNotFound
from handler.programs.answers import AskAnswer, AwaitAnswer, describe, question_answer
from handler.programs.in_thread import NEEDED, explained, in_thread
from handler.programs.requests import Ask, Await, Cancel
from handler.programs.target import key_of
from handler.questions import ask as asking
from handler.questions import end
from handler.questions.model import channel_of, question_id
from handler.questions.respond import log_question
from handler.questions.show import correct_soon
from handler.questions.wait import wait_for_answer
from handler.runtime import telemetry
from handler.sessions.context import Context
from handler.sessions.opening.channel import check_guild
from handler.sessions.protocol import Sessions
from handler.store.items import Session, Status
from handler.store.question_items import Question

NO_QUESTION: Final = "There's no such question. Its id is in the answer of ask."
NO_CALLBACKS: Final = (
    "'callback' is not allowed: this deployment answers no tasks of Step Functions. Leave it out and use await, "
    "or have whoever runs the bot set the parameter StepFunctionsCallbacks to true."
)
WORDS_REFUSED: Final = (
    "Discord or this server's AutoMod doesn't accept that question. Ask it in other words, under another request_id."
)
DELETED: Final = "The question's message was deleted while it was being posted. Ask again under another request_id."


async def ask(sessions: Sessions, request: Ask, request_id: str) -> AskAnswer:
    """The question, on record and shown in the thread. A repeat of the request is told the same question."""
    if request.callback is not None:
        telemetry.redact_in_request(request.callback.task_token)
        if not sessions.context.answers_tasks:
            raise InvalidRequest(message=NO_CALLBACKS)
    known = await _find_known(sessions.context, request)
    if known is not None and not (known.is_open and known.message_id is None):
        session = await sessions.context.store.sessions.get(*known.pair)
        shown = session is not None and session.discord_thread_id == known.discord_thread_id
        if not known.is_open or shown:
            return _answer(known, session)
    with explained(NEEDED, deleted=DELETED, refused=WORDS_REFUSED):
        return await in_thread(sessions, request, request.request_id, partial(_ask, sessions.context, request))


async def await_answer(sessions: Sessions, request: Await, request_id: str) -> AwaitAnswer:
    """The question as soon as it is over; or as it is at the end of the wait."""
    question = await _find(sessions.context, request.question_id)
    question = await wait_for_answer(sessions.context, question, request.wait)
    return AwaitAnswer(question=question_answer(question))


async def cancel(sessions: Sessions, request: Cancel, request_id: str) -> AwaitAnswer:
    """The question, withdrawn if it was open."""
    question = await end.cancel(sessions.context, await _find(sessions.context, request.question_id))
    await correct_soon(sessions.context, question)
    return AwaitAnswer(question=question_answer(question))


async def _ask(context: Context, request: Ask, session: Session) -> AskAnswer:
    name = question_id(*session.pair, request.request_id)
    return _answer(*await asking.ask(context, session, name, request.spec, _token(request)))


async def _find_known(context: Context, request: Ask) -> Question | None:
    """The question of an earlier request with this id, as it is now. Raises Conflict."""
    key = key_of(context.names, request)
    channel_id = request.parent_channel_id
    question = await context.store.questions.get(channel_id, question_id(channel_id, key, request.request_id))
    return None if question is None else await asking.repeat(context, question, request.spec, _token(request))


async def _find(context: Context, name: str) -> Question:
    question = await context.store.questions.get(channel_of(name) or "", name)
    if question is None:
        raise SessionNotFound(message=NO_QUESTION)
    check_guild(context, question.guild_id)
    log_question(question)
    return question


def _token(request: Ask) -> str | None:
    return None if request.callback is None else request.callback.task_token


def _answer(question: Question, session: Session | None) -> AskAnswer:
    parts = {} if session is None or session.status not in (Status.OPEN, Status.CLOSED) else describe(session)
    return AskAnswer(question=question_answer(question), **parts)
