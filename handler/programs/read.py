"""What programs read of a session: `get` and `replies`. Nothing is opened."""

from typing import Final

from handler.discord import refusals
from handler.discord.models import Message
from handler.errors import NotFound, SessionNotFound
from handler.programs.answers import Answer, RepliesAnswer, Reply, describe
from handler.programs.requests import Get, Replies
from handler.programs.target import find_session
from handler.questions.replies import take_replies
from handler.questions.show import correct_soon
from handler.questions.waiting import newest_open
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.protocol import Sessions
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import Session

FROM_THE_BEGINNING: Final = "0"  # before each snowflake


async def get(sessions: Sessions, request: Get, request_id: str) -> Answer:
    """The session as it is on record."""
    return Answer(**describe(await find_session(sessions, request)))


async def replies(sessions: Sessions, request: Replies, request_id: str) -> RepliesAnswer:
    """What others have said in the thread after that message, oldest first: one page of it."""
    session = await find_session(sessions, request)
    after = request.after or FROM_THE_BEGINNING
    page = await read_messages(sessions, session, after, request.limit)
    bot = await sessions.context.discord.current_user_id()
    if session.waiting_since is not None:
        await _take_answers(sessions.context, session, page)
    said = [message for message in page if message.is_said and message.author.id != bot]
    return RepliesAnswer(
        **describe(session),
        messages=[_reply(message) for message in said],
        after=page[-1].id if page else after,
        content_hidden=any(message.is_hidden for message in said),
    )


async def _take_answers(context: Context, session: Session, page: tuple[Message, ...]) -> None:
    """Replies to open questions are read anyway: let them count."""
    for question in await newest_open(context, session.discord_thread_id or ""):
        answered = await take_replies(context, question, page) if question.takes_text else question
        if not answered.is_open:
            await correct_soon(context, answered)


async def read_messages(sessions: Sessions, session: Session, after: str, limit: int) -> tuple[Message, ...]:
    """A page of the session's thread. Raises SessionNotFound if the thread is gone."""
    reading = sessions.context.discord.messages_after(session.discord_thread_id or "", after, limit=limit)
    try:
        return await translate_refusals(sessions.context, session.parent_channel_id, reading)
    except NotFound as missing:
        refusals.raise_unless_gone(missing)
        raise SessionNotFound(str(missing), message=refusals.THREAD_GONE) from missing


def _reply(message: Message) -> Reply:
    return Reply(
        id=message.id,
        author_id=message.author.id,
        content=message.content,
        timestamp=iso(parse_iso(message.timestamp)),
    )
