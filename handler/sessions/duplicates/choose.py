"""Choose which thread of a name is kept: it becomes the thread on record, and a merge keeps that one.

Nothing changes on Discord. The former thread on record becomes a namesake, so the choice can be taken back the same way.
"""

from handler.discord.models import Channel
from handler.sessions.context import Context
from handler.sessions.model import Match
from handler.sessions.threads.generation import StillThere, end_generation
from handler.sessions.threads.look_up import read_owners
from handler.sessions.threads.match import is_public_thread
from handler.sessions.threads.record import thread_attributes
from handler.sessions.threads.requests import fetch_thread
from handler.sessions.threads.settle import adopt_thread, can_adopt
from handler.store.items import ChannelItem, Pointer, Session


async def choose_kept(context: Context, channel: ChannelItem, thread_id: str) -> Session | None:
    """Make this thread the one of the session whose name it bears; the session as it is then.

    None, with nothing changed, if that cannot be: the thread is gone, has another name, is being merged, or is another
    session's; or the session has changed meanwhile. May be repeated.
    """
    thread = await context.discord.channel_or_none(thread_id)
    key = _key_of(context, channel, thread)
    if thread is None or key is None:
        return None
    owners = await read_owners(context, [thread], other_than=(channel.channel_id, key))
    if not owners.is_adoptable(thread, channel.channel_id, key):
        return None
    session, pointer = await context.store.sessions.get(channel.channel_id, key), owners.pointers.get(thread_id)
    if session is not None and session.discord_thread_id not in (None, thread_id):
        if await fetch_thread(context, session) is not None:
            return await _replace(context, session, thread, pointer)
        if isinstance(await end_generation(context, session), StillThere):
            return None
        session = await context.store.sessions.get(channel.channel_id, key)
    if can_adopt(session):
        name = context.names.parse(thread.name or "")
        await adopt_thread(context, channel, session, name, Match(thread, pointer))
    return await _read_chosen(context, channel.channel_id, key, thread_id)


def _key_of(context: Context, channel: ChannelItem, thread: Channel | None) -> str | None:
    """The key of the session whose name the thread bears; None if it is no thread that a session of the channel may have."""
    if thread is None or thread.parent_id != channel.channel_id or not is_public_thread(thread):
        return None
    return context.names.session_key_of(thread.name)


async def _replace(context: Context, session: Session, thread: Channel, pointer: Pointer | None) -> Session | None:
    now = context.clock.now()
    await context.store.choices.choose_thread(
        session,
        thread.id,
        pointer=pointer,
        seen=thread_attributes(thread, now),
        created_by=thread.owner_id,
        now=now,
    )
    return await _read_chosen(context, *session.pair, thread.id)


async def _read_chosen(context: Context, channel_id: str, key: str, thread_id: str) -> Session | None:
    """The session if it has the thread, which is no namesake then."""
    session = await context.store.sessions.get(channel_id, key)
    if session is None or session.discord_thread_id != thread_id:
        return None
    await context.store.namesakes.remove(channel_id, key, thread_id)
    return session
