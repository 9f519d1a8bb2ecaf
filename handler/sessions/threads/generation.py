"""How a generation gets its thread on record, and how it ends without one.

A generation ends when its thread is gone for good, or when Discord refused to have one. The order makes it safe:

1. Evidence that the thread is gone (`find_thread`). What cannot be read is no evidence.
2. Delete the recorded source message, so that no paused process can start a thread from it. Threads are started only
   from recorded messages, so no other message has to go.
3. Search for the thread once more, because somebody may have started it just before.
4. Make the session vacant, on condition that it is as it was read (`store.sessions.end_generation`).

A thread that is found in 1 or 3 stays.
"""

from collections.abc import Iterable

import msgspec

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.threads.extras import discard_or_note
from handler.sessions.threads.lists import read_active, read_archived_since
from handler.sessions.threads.match import archived_window
from handler.sessions.threads.namesakes import note_other_name
from handler.sessions.threads.private_threads import find_archived
from handler.sessions.threads.record import thread_attributes
from handler.sessions.threads.requests import confirm_channel_gone, fetch_parent, fetch_thread, translate_refusals
from handler.store.items import Session
from handler.store.writes import Write


class Ended(msgspec.Struct, frozen=True):
    """The generation that was read is over: this actor or another one has ended it. Read the session again."""


class StillThere(msgspec.Struct, frozen=True):
    """The thread was found: the generation goes on, and nothing on record has changed."""

    thread: Channel


async def end_generation(context: Context, session: Session, *, refused: bool = False) -> Ended | StillThere:
    """End the generation, unless its thread is found.

    `refused`: Discord refused the anchor or the start, so there is nothing yet to give evidence of. Raises when
    anything that has to be known cannot be read; then nothing has ended.
    """
    if not refused and (found := await find_thread(context, session)) is not None:
        return StillThere(found)
    await _delete_source_message(context, session)
    if (found := await find_thread(context, session)) is not None:
        return StillThere(found)
    await context.store.sessions.end_generation(session, now=context.clock.now())
    return Ended()


async def find_thread(context: Context, session: Session) -> Channel | None:
    """The session's thread, on record or of the recorded source message; None only on full evidence that it is gone.

    That is: its GET says 404 with code 10003, its parent answers 200, and neither the active list nor the archived
    pages have it; if these are too many for one go, a second GET instead. One 404 alone is a fault until the others
    agree. Raises when any of them cannot be read.
    """
    thread_id, channel_id = session.thread_id, session.parent_channel_id
    if thread_id is None:
        return None
    if (thread := await fetch_thread(context, session)) is not None:
        return thread
    if session.private:
        _, active, private = await gather(
            fetch_parent(context, channel_id),
            read_active(context, channel_id, session.guild_id),
            find_archived(context, channel_id, thread_id),
        )
        return _find(thread_id, active) or private
    before, since = archived_window(session, thread_id)
    _, active, archived = await gather(
        fetch_parent(context, channel_id),
        read_active(context, channel_id, session.guild_id),
        read_archived_since(context, channel_id, since, before=before),
    )
    found = _find(thread_id, (*active, *archived.threads))
    if found is None and before is not None:  # archived again since it was recorded: then on the newest page
        request = context.discord.archived_threads(channel_id, before=None)
        newest = await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)
        found = _find(thread_id, newest.threads)
    if found is None and archived.has_more:  # too many to read in one go: then a second 404 has to do
        found = await fetch_thread(context, session)
    return found


def _find(thread_id: str, threads: Iterable[Channel]) -> Channel | None:
    """The thread in a list. Raises DiscordUnavailable if it is there in a shape that is not known."""
    found = next((thread for thread in threads if thread.id == thread_id), None)
    if found is not None and not found.is_readable:
        raise DiscordUnavailable(f"a list has thread {thread_id}, and cannot be read")
    return found


async def _delete_source_message(context: Context, session: Session) -> None:
    """Delete the recorded source message, if we wrote it. No other: the message above an adopted thread may be anybody's."""
    message_id = session.source_message_id
    if message_id is None or session.source_is_persons:
        return
    try:
        await context.discord.delete_message(session.parent_channel_id, message_id, reason="Its thread is gone")
    except NotFound as missing:
        if missing.code != refusals.UNKNOWN_MESSAGE:  # it may mean the parent channel
            await confirm_channel_gone(context, session.parent_channel_id)
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, ())


async def commit(context: Context, session: Session, thread: Channel) -> Write:
    """Commit the thread of the recorded source message, or of an attempt. Lost: the session went on without it.

    A thread that no session has then becomes a namesake, and the next look-up finds it. Only an extra one is deleted.
    """
    # Before the commit: after a crash nobody would come back to it.
    await note_other_name(context, session, session.session_key, thread)
    is_anchored = session.source_message_id is not None
    store_commit = context.store.sessions.commit if is_anchored else context.store.claims.commit_created
    write = await store_commit(session, thread.id, thread_attributes(thread, context.clock.now()))
    if not write.won and (write.session is None or not write.session.has(thread.id)):
        came_late = session.source_is_persons  # the message could not be deleted when the generation ended
        await discard_or_note(context, session, write.session, session.session_key, thread, came_late=came_late)
    return write
