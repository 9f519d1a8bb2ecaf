"""The end of a generation: when its thread is gone for good, or Discord refused to have one.

The order is what makes it safe. The evidence comes first; then the source message is deleted, so that nobody, however
late, can start a thread from it; then the thread is looked for once more, because somebody may have started it before;
only then is the session vacated, on condition of what was read. A thread that turns up on the way stays.
"""

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import DiscordRefused, NotFound
from handler.sessions.context import Context
from handler.sessions.threads.evidence import find_thread
from handler.sessions.threads.record import thread_attributes
from handler.sessions.threads.requests import confirm_channel_gone, translate_refusals
from handler.store.items import Session


async def end_generation(context: Context, session: Session, *, refused: bool = False) -> Channel | None:
    """End the generation, unless the thread is found: then it is returned and nothing on record changes.

    `refused`: Discord refused the anchor or the start, so that there is nothing to give evidence of yet. None means
    that the session is to be read again: the generation has ended, or somebody else moved on. Raises when anything
    that has to be known cannot be read: then nothing has ended.
    """
    if not refused and (found := await find_thread(context, session)) is not None:
        return found
    await _delete_source_message(context, session)
    if (found := await find_thread(context, session)) is not None:
        return found
    await context.store.sessions.end_generation(session, now=context.clock.now())
    return None


async def _delete_source_message(context: Context, session: Session) -> None:
    """Delete the message from which the thread was or could be started, if this bot wrote it. A person's never is."""
    channel_id, message_id = session.parent_channel_id, session.source_message_id
    if message_id is None:
        message_id = await _own_message_of_adopted(context, session)
    if message_id is None:
        return
    try:
        await context.discord.delete_message(channel_id, message_id, reason="Its thread is gone")
    except NotFound as missing:
        await _unless_gone(context, session, missing)
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, ())


async def _own_message_of_adopted(context: Context, session: Session) -> str | None:
    """An adopted thread may have been started from a message of ours: the one that bears its id."""
    if session.discord_thread_id is None:
        return None
    question = context.discord.message(session.parent_channel_id, session.discord_thread_id)
    try:
        message = await translate_refusals(context, session.parent_channel_id, question, ())
    except NotFound as missing:
        await _unless_gone(context, session, missing)
        return None
    return message.id if message.author.id == await context.discord.current_user_id() else None


async def _unless_gone(context: Context, session: Session, missing: NotFound) -> None:
    """A message that is gone already is fine. An unknown channel there means the parent: stop."""
    if missing.code != refusals.UNKNOWN_MESSAGE:
        await confirm_channel_gone(context, session.parent_channel_id)


async def commit(context: Context, session: Session, thread: Channel) -> Session | None:
    """Commit the thread of the recorded source message; None if the session went on without it: read it again.

    A thread that is nobody's then is noted as a namesake, and found by the next look-up. It is never deleted.
    """
    write = await context.store.sessions.commit(session, thread.id, thread_attributes(thread, context.clock.now()))
    if write.won:
        return write.session
    winner = write.session
    if winner is None or not winner.has(thread.id):
        await note_namesake(context, session, thread)
    return None


async def note_namesake(context: Context, session: Session, thread: Channel) -> None:
    """Note that the thread bears, or bore, this session's name without being on its record."""
    await context.store.namesakes.add(
        session.parent_channel_id,
        session.session_key,
        thread.id,
        guild_id=session.guild_id,
        active=not thread.archived,
    )
