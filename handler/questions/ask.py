"""Ask: the question is on record, then its card is posted. A repeat finds it, and goes on where a crash has left it.

ask     absent → open               a press finds the question from before its card exists
wait    the session waits for it
show    its card, with a nonce      see `show`; then that the session waits, above the thread
"""

from datetime import timedelta

import msgspec

from handler.errors import Conflict
from handler.questions.end import expire_if_due
from handler.questions.model import Spec, encode
from handler.questions.show import show_card
from handler.questions.waiting import show_waiting, start_waiting
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.store.items import Session
from handler.store.question_items import Question, QuestionState


async def ask(
    context: Context, session: Session, question_id: str, spec: Spec, callback: str | None
) -> tuple[Question, Session]:
    """The question, with its card in the session's thread; and the session. Raises Conflict, and DiscordRefused if the thread has changed."""
    asked = _new(context, session, question_id, spec, callback)
    write = await context.store.questions.ask(asked)
    question = write.current
    if not write.won:
        question = await repeat(context, question, spec, callback)
        if not question.is_open:
            return question, session
    if question.message_id is not None and question.discord_thread_id == asked.discord_thread_id:
        return question, session
    await start_waiting(context, msgspec.structs.replace(question, discord_thread_id=asked.discord_thread_id))
    question = await show_card(context, question, asked.discord_thread_id)
    return question, await show_waiting(context, question) or session


async def repeat(context: Context, question: Question, spec: Spec, callback: str | None) -> Question:
    """The question on record, as a repeat of its request finds it. Raises Conflict if it asks for something else."""
    if question.spec != encode(spec):
        raise Conflict
    if callback is not None and callback != question.callback_token:
        question = (await context.store.questions.set_callback(question, callback)).current
    return await expire_if_due(context, question)


def _new(context: Context, session: Session, question_id: str, spec: Spec, callback: str | None) -> Question:
    now = context.clock.now()
    remind_in = spec.remind_in
    return Question(
        id=question_id,
        parent_channel_id=session.parent_channel_id,
        session_key=session.pair[1],
        guild_id=session.guild_id,
        discord_thread_id=session.discord_thread_id or "",
        spec=encode(spec),
        state=QuestionState.OPEN,
        asked_at=iso(now),
        closes_at=iso(now + timedelta(seconds=spec.expires_in)),
        remind_at=None if remind_in is None else iso(now + timedelta(seconds=remind_in)),
        takes_text=spec.takes_text,
        callback_token=callback,
    )
