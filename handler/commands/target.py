"""The session that a command means, and who may change it.

It is the one that `name` names, or the one whose thread the command is used in.
"""

from handler.commands import texts
from handler.commands.command import parent_channel
from handler.commands.session import requester_of
from handler.discord.interactions import Interaction
from handler.errors import InvalidRequest, NotAllowed, SessionNotFound
from handler.runtime import telemetry
from handler.runtime.concurrency import gather
from handler.sessions.protocol import Sessions
from handler.sessions.threads.visibility import choose_private
from handler.store.items import Session, Status

NOT_YOURS = "Only who started the session, or a member with **Manage Threads**, can do that. Ask a moderator."


async def find_session(sessions: Sessions, interaction: Interaction) -> Session:
    """The session that is meant; it has a thread. Raises what `find_on_record` raises."""
    session = await find_on_record(sessions, interaction)
    if session.status not in (Status.OPEN, Status.CLOSED):
        raise SessionNotFound
    return session


async def find_on_record(sessions: Sessions, interaction: Interaction) -> Session:
    """The session that is meant, with a thread or without one.

    Raises InvalidName, InvalidRequest if none is meant, and SessionNotFound.
    """
    name = interaction.text("name")
    if name is not None:
        session = await _by_name(sessions, interaction, name)
    elif interaction.in_thread and interaction.channel_id is not None:
        session = await sessions.of_thread(interaction.channel_id)
    else:
        raise InvalidRequest("no session is meant", message=texts.NO_SESSION_MEANT)
    if session is None:
        raise SessionNotFound
    return session


async def _by_name(sessions: Sessions, interaction: Interaction, text: str) -> Session | None:
    """The public session of that name; if there is none with a thread, a private one that the member sees."""
    channel_id, _ = parent_channel(interaction)
    name = sessions.context.names.parse(text)
    public, private = await gather(
        sessions.of_name(channel_id, name), sessions.context.store.sessions.get_private(channel_id, name.key)
    )
    if public is not None and public.thread_id is not None:
        return public
    return choose_private(private, requester_of(interaction)) or public


async def find_session_to_change(sessions: Sessions, interaction: Interaction) -> Session:
    """The session that is meant, for a member who may change it.

    Raises what `find_session` and `require_change` raise, and InvalidRequest outside a guild.
    """
    if interaction.guild_id is None:
        raise InvalidRequest("outside a guild", message=texts.GUILD_REQUIRED)
    session = await find_session(sessions, interaction)
    telemetry.set_fields(channel_id=session.parent_channel_id, session_key=session.session_key)
    require_change(session, interaction)
    return session


def require_change(session: Session, interaction: Interaction) -> None:
    """Raise NotAllowed unless the member started the session's thread or has Manage Threads."""
    if interaction.by_moderator or session.thread.created_by == interaction.user_id:
        return
    raise NotAllowed("neither the creator nor a moderator", message=NOT_YOURS)
