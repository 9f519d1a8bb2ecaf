"""The session that a program's request names."""

from handler.errors import SessionNotFound
from handler.programs.requests import SessionRequest
from handler.sessions.names import Names
from handler.sessions.opening.channel import check_guild, find_channel
from handler.sessions.protocol import Sessions
from handler.store.items import Session, Status
from handler.store.private import private_key

NOT_FOUND = "There's no session of that name in this channel. The operation ensure makes one."


async def find_session(sessions: Sessions, request: SessionRequest) -> Session:
    """The session on record; it has a thread. Nothing is opened.

    Raises InvalidName, SessionNotFound, and what is wrong with the channel.
    """
    context, channel_id = sessions.context, request.parent_channel_id
    session = await _with_thread(sessions, request, channel_id)
    if session is None:  # the channel may be a thread, which means its parent
        channel, _ = await find_channel(context, channel_id, guild_id=None, kind=None)
        if channel.channel_id != channel_id:
            session = await _with_thread(sessions, request, channel.channel_id)
    if session is None:
        raise SessionNotFound(message=NOT_FOUND)
    check_guild(context, session.guild_id)
    return session


def key_of(names: Names, request: SessionRequest) -> str:
    """What identifies the session in its channel."""
    key = names.parse(request.session_name).key
    return private_key(key, None) if request.private else key


async def _with_thread(sessions: Sessions, request: SessionRequest, channel_id: str) -> Session | None:
    if request.private:
        session = await sessions.context.store.sessions.get(channel_id, key_of(sessions.context.names, request))
    else:
        session = await sessions.of_name(channel_id, sessions.context.names.parse(request.session_name))
    return session if session is not None and session.status in (Status.OPEN, Status.CLOSED) else None
