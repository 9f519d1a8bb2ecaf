"""``/session info``: all that is on record of a session."""

from collections.abc import Sequence
from typing import Final

from handler.commands import info_texts, texts
from handler.commands.target import find_on_record
from handler.discord import permissions
from handler.discord.interactions import Interaction
from handler.discord.models import POST_PARENTS
from handler.discord.refusals import NEEDED_TO_UNARCHIVE
from handler.discord.responses import Message
from handler.errors import OnethreadError, SessionNotFound
from handler.runtime import telemetry
from handler.runtime.concurrency import gather
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.protocol import Sessions
from handler.sessions.threads.requests import fetch_parent, fetch_thread
from handler.store.items import Session, Status

TAGS_SECONDS: Final = 1.0  # no answer waits longer for them: the rest of it is on record


async def show_info(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session info [name:]``: who, when, the state and why, and what went wrong last."""
    if interaction.guild_id is None:
        return texts.guild_required()
    session = await find_on_record(sessions, interaction)
    if session.status is Status.VACANT and session.former is None:
        raise SessionNotFound
    telemetry.set_fields(outcome="shown", channel_id=session.parent_channel_id, session_key=session.session_key)
    granted = interaction.app_permissions
    missing = permissions.missing(granted, NEEDED_TO_UNARCHIVE) if granted is not None else ()
    return info_texts.session_info(session, tags=await _tags(sessions.context, session), missing=missing)


async def _tags(context: Context, session: Session) -> Sequence[str]:
    """The names of the tags of a session's post. Best effort: they are not on record."""
    if session.discord_thread_id is None:
        return ()
    try:
        channel = await context.store.channels.get(session.parent_channel_id)
        if channel is None or channel.kind not in POST_PARENTS:
            return ()
        both = gather(fetch_thread(context, session), fetch_parent(context, session.parent_channel_id))
        thread, parent = await run_for(context.clock, TAGS_SECONDS, both)
    except OnethreadError:
        return ()
    applied = () if thread is None else thread.applied_tags
    return [tag.name for tag in parent.available_tags if tag.id in applied]
