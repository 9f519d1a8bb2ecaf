"""Commands that change a session: for who started it, and for members with Manage Threads."""

from handler.commands import change_texts, texts
from handler.commands.target import find_session_to_change
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission, missing
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.runtime import telemetry
from handler.sessions.protocol import Sessions
from handler.sessions.threads.choices import keep_open
from handler.sessions.threads.members import add_member, remove_member


async def add(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session add user: [name:]``: add a user to the session's thread."""
    user_id = _user(interaction)
    if user_id is None:
        return texts.unreadable_command()
    session = await find_session_to_change(sessions, interaction)
    session = await add_member(sessions.context, session, user_id)
    telemetry.set_fields(outcome="member_added")
    return change_texts.member_added(session, user_id)


async def remove(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session remove user: [name:]``: remove a user from the session's thread."""
    user_id = _user(interaction)
    if user_id is None:
        return texts.unreadable_command()
    session = await find_session_to_change(sessions, interaction)
    session = await remove_member(sessions.context, session, user_id)
    telemetry.set_fields(outcome="member_removed")
    return change_texts.member_removed(session, user_id)


async def keep(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session keep on: [name:]``: whether the thread is opened again when Discord archives it."""
    on = interaction.flag("on")
    if on is None:
        return texts.unreadable_command()
    session = await keep_open(sessions.context, await find_session_to_change(sessions, interaction), on=on)
    telemetry.set_fields(outcome="kept" if on else "not_kept")
    granted = interaction.app_permissions
    works = granted is None or not missing(granted, [Permission.VIEW_AUDIT_LOG])
    return change_texts.kept(session, works=works) if on else change_texts.not_kept(session)


def _user(interaction: Interaction) -> str | None:
    user_id = interaction.text("user")
    return user_id if user_id is not None and is_snowflake(user_id) else None
