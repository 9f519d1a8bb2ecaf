"""Evidence: whether a session's thread is gone for good. What cannot be read is no evidence."""

from handler.discord.models import Channel
from handler.discord.refusals import NEEDED_TO_LOOK_UP
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.threads.lists import read_active, read_archived_since
from handler.sessions.threads.match import archived_window
from handler.sessions.threads.requests import fetch_parent, fetch_thread, translate_refusals
from handler.store.items import Session


async def find_thread(context: Context, session: Session) -> Channel | None:
    """The session's thread, on record or of the recorded source message; None only on full evidence that it is gone.

    That is: its GET says 404 with code 10003, its parent answers 200, and neither the active list nor the archived
    pages have it. One 404 alone is a fault until the others agree. Raises when any of them cannot be read.
    """
    thread_id, channel_id = session.thread_id, session.parent_channel_id
    if thread_id is None:
        return None
    if (thread := await fetch_thread(context, session)) is not None:
        return thread
    before, since = archived_window(session, thread_id)
    _, active, archived = await gather(
        fetch_parent(context, channel_id),
        read_active(context, channel_id, session.guild_id),
        read_archived_since(context, channel_id, since, before=before),
    )
    found = next((t for t in (*active, *archived.threads) if t.id == thread_id), None)
    if found is None and before is not None:  # archived again since it was recorded: then on the newest page
        request = context.discord.archived_threads(channel_id, before=None)
        newest = await translate_refusals(context, channel_id, request, NEEDED_TO_LOOK_UP)
        found = next((t for t in newest.threads if t.id == thread_id), None)
    return found
