"""Evidence: whether a session's thread is gone for good. What cannot be read is no evidence."""

from handler.discord import refusals
from handler.discord.models import Channel
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.threads.archive import archived_down_to
from handler.sessions.threads.match import archived_window
from handler.sessions.threads.requests import get_parent, translate_refusals
from handler.store.items import Session


async def find_thread(context: Context, session: Session) -> Channel | None:
    """The session's thread (on record, or of the recorded source message) if it lives; None only on full evidence.

    That is: its GET says 404 with code 10003, its parent answers 200, and neither the active list nor the archived
    pages have it. One 404 alone is a fault until the others agree. Raises when any of them cannot be read.
    """
    thread_id = session.thread_id
    if thread_id is None:
        return None
    question = context.discord.channel_or_none(thread_id)
    thread = await translate_refusals(context, session.parent_channel_id, question, ())
    if thread is not None:
        return thread
    before, down_to = archived_window(session, thread_id)
    _, active, archived = await gather(
        get_parent(context, session.parent_channel_id),
        translate_refusals(context, session.parent_channel_id, context.discord.active_threads(session.guild_id), ()),
        archived_down_to(context, session.parent_channel_id, down_to, before=before),
    )
    found = next((t for t in (*active.threads, *archived.threads) if t.id == thread_id), None)
    if found is None and before is not None:  # archived again since it was recorded: then on the newest page
        page = context.discord.archived_threads(session.parent_channel_id, before=None)
        newest = await translate_refusals(context, session.parent_channel_id, page, refusals.NEEDED_TO_LOOK_UP)
        found = next((t for t in newest.threads if t.id == thread_id), None)
    return found
