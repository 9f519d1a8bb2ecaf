"""Create the thread of a claimed session: look, anchor, record, start, commit.

Each step goes on from what is on record, so that any opener may resume at any of them. `_record` is what makes a second
thread impossible: its conditional write (`store.clauses.RECORDABLE`) puts at most one source message on record for a
generation. `_start` starts the thread only from that message, and Discord starts one thread from a message.
"""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Final

from handler.discord import refusals
from handler.discord.models import POST_PARENTS, Channel, Message
from handler.discord.permissions import Permission
from handler.errors import DiscordRefused, MessagesDeleted, NotFound, OnethreadError
from handler.runtime.concurrency import gather
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.model import LookUp, Opened, StartOver
from handler.sessions.opening.adopt import adopt, link_renamed
from handler.sessions.opening.allowance import count_creation, refuse_creation
from handler.sessions.opening.attempt import commit_attempted, create_without_anchor, find_attempted, look_twice
from handler.sessions.opening.capacity import make_room_near_limit, with_room
from handler.sessions.opening.chosen_message import ChosenMessage, lead_to, look_up_with_message, record_chosen
from handler.sessions.opening.claim import release_claim, renew_lease
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.private import create_private
from handler.sessions.opening.reuse import invite, make_usable, wake_guild
from handler.sessions.threads.generation import Ended, StillThere, commit, end_generation
from handler.sessions.threads.look_up import look_up
from handler.sessions.threads.requests import confirm_channel_gone, raise_refused_words
from handler.sessions.threads.settle import settle_and_advance
from handler.sessions.threads.source_message import describe_session, source_nonce
from handler.store.items import ChannelItem, Session
from handler.store.writes import Write

ADVANCE_AFTER: Final = 50  # threads archived since the watermark, half a page: so a look-up stays at one page
RENAME_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time
MAX_MESSAGES_LOST: Final = 3  # by one opener: one may be deleted by chance, a second one by bad luck


async def create(opener: Opener, session: Session, channel: ChannelItem) -> Opened | StartOver:
    """Bring the claimed session to its one thread. An error releases the claim before it is raised."""
    try:
        if opener.messages_lost >= MAX_MESSAGES_LOST:
            raise MessagesDeleted(f"{MAX_MESSAGES_LOST} source messages were deleted in one open")  # without end, else
        if session.source_message_id is not None:
            return await _start_and_commit(opener, session)
        if session.private:
            return await create_private(opener, session, channel)
        (found, chosen), again_at = await gather(look_up_with_message(opener, channel), count_creation(opener, session))
        look_again = partial(look_up, opener.context, channel, opener.request.name)
        looked = await look_twice(opener, session, found, look_again)
        if isinstance(looked, StartOver):
            return looked
        linked = await _link_found(opener, session, channel, looked, chosen)
        if linked is not None:
            return linked
        if again_at is not None:
            refuse_creation(again_at)
        if not looked.complete:
            await opener.context.store.channels.reopen_import(channel)
            return StartOver.PAST_CHANGED
        return await _create_thread(opener, session, channel, looked, chosen)
    except OnethreadError as error:
        await release_claim(opener, session, error)
        raise


async def _link_found(
    opener: Opener, session: Session, channel: ChannelItem, found: LookUp, chosen: ChosenMessage | None
) -> Opened | StartOver | None:
    """Link what the look-up found, or the session that has the chosen message; None if there is nothing."""
    if (made := await find_attempted(opener, session, found)) is not None:
        return await commit_attempted(opener, session, made)
    if found.adoptable:
        adopted = await adopt(opener, session, found.adoptable, channel)
        await _advance_watermark(opener.context, channel, found)
        return adopted
    if found.renamed is not None:
        now = opener.context.clock.now()
        dropped = await opener.context.store.claims.drop(session, owner=opener.owner, now=now)
        if dropped.session is not None and dropped.session.thread_id is not None:
            return StartOver.WRITE_LOST  # meanwhile the name was given a thread of its own
        return await link_renamed(opener, found.renamed)
    if chosen is not None and chosen.owner is not None:
        await opener.context.store.claims.drop(session, owner=opener.owner, now=opener.context.clock.now())
        return lead_to(opener, chosen.owner)
    return None


async def _create_thread(
    opener: Opener, session: Session, channel: ChannelItem, found: LookUp, chosen: ChosenMessage | None
) -> Opened | StartOver:
    """Nothing bears the name: create the thread, from a source message or, in a forum or media channel, as a post."""
    await make_room_near_limit(opener, channel.guild_id, found.active)
    if channel.kind in POST_PARENTS:
        created = await create_without_anchor(opener, session)
        await _advance_watermark(opener.context, channel, found)
        return created
    if chosen is not None:
        recorded = await record_chosen(opener, session, chosen)
    else:
        recorded = await _anchor_and_record(opener, session)
    if isinstance(recorded, StartOver):
        return recorded
    return await _start_and_commit(opener, recorded, channel, found)


async def _anchor_and_record(opener: Opener, session: Session) -> Session | StartOver:
    held = await renew_lease(opener, session)
    if isinstance(held, StartOver):
        return held
    message = await _anchor(opener, held)
    if isinstance(message, StartOver):
        return message
    return await _record(opener, held, message)


async def _anchor(opener: Opener, session: Session) -> Message | StartOver:
    """Post the source message, or get the one that was posted with this generation's nonce."""
    context, channel_id = opener.context, session.parent_channel_id
    context.discord.check_start_limit(channel_id)  # if it raised after the post, a message would stay without a thread
    body = describe_session(context.names, session, now=context.clock.now())
    nonce = source_nonce(channel_id, session.session_key, session.generation)
    try:
        return await context.discord.post_message(channel_id, body, nonce=nonce)
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_MESSAGE:  # the message of this nonce was deleted
            opener.messages_lost += 1
            await _raise_generation(opener, session)
        else:
            await _end_refused_generation(context, session, refusal, refusals.NEEDED_TO_ANCHOR)
        return StartOver.GENERATION_ENDED


async def _record(opener: Opener, session: Session, message: Message) -> Session | StartOver:
    """Record the source message of this generation. Only the first one wins; another message of ours is deleted again."""
    write = await opener.context.store.sessions.record(session, message.id)
    if write.won:
        return write.mine
    if write.pointer_taken:  # another session's thread was started from it: another message is needed
        await _raise_generation(opener, session)
    elif write.session is None or not write.session.has(message.id):
        with contextlib.suppress(OnethreadError):
            discord = opener.context.discord
            await discord.delete_message(session.parent_channel_id, message.id, reason="Another one was first")
    return StartOver.WRITE_LOST


async def _raise_generation(opener: Opener, session: Session) -> None:
    """With nothing on record the next generation begins at once, and its message has another nonce."""
    now = opener.context.clock.now()
    await opener.context.store.claims.raise_generation(session, owner=opener.owner, now=now)


async def _start_and_commit(
    opener: Opener, session: Session, channel: ChannelItem | None = None, found: LookUp | None = None
) -> Opened | StartOver:
    held = await renew_lease(opener, session)
    if isinstance(held, StartOver):
        return held
    thread = await _start(opener, held)
    if isinstance(thread, StartOver):
        return thread
    committed, _, _ = await gather(
        _commit(opener.context, held, thread),
        invite(opener, thread),
        _advance_watermark(opener.context, channel, found),
    )
    if not committed.won:
        return StartOver.WRITE_LOST
    return await make_usable(opener, committed.mine, await _rename_foreign(opener, held, thread))


async def _rename_foreign(opener: Opener, session: Session, thread: Channel) -> Channel:
    """The thread; renamed to the session's name if another bot started it from our message by a name of its own.

    Once, by whoever committed it, and best effort: the commit has noted its other name. A name that Discord or a person
    gave to our own thread is left alone, and so is a thread above which a person's message stands.
    """
    context, name = opener.context, opener.context.names.thread_name(session.session_name)
    ours = (None, context.application_id)  # an old application's id is not its bot's
    if session.source_is_persons or thread.owner_id in ours or context.names.bears(thread.name, session.session_key):
        return thread
    with contextlib.suppress(OnethreadError):
        if thread.owner_id != await context.discord.current_user_id():
            rename = context.discord.change_thread(thread.id, name=name, reason=opener.reason)
            return await run_for(context.clock, RENAME_SECONDS, rename)
    return thread


async def _start(opener: Opener, session: Session) -> Channel | StartOver:
    """Start the thread from the recorded source message, or fetch the one that was started from it."""
    assert session.source_message_id is not None  # noqa: S101 - callers have it recorded
    context = opener.context
    try:
        start = partial(
            context.discord.start_thread,
            session.parent_channel_id,
            session.source_message_id,
            name=context.names.thread_name(session.session_name),
            auto_archive_duration=(await opener.settings(session.parent_channel_id)).archive_after,
            reason=opener.reason,
        )
        return await with_room(opener, session.guild_id, start)
    except DiscordRefused as refusal:
        if refusal.code not in (refusals.THREAD_ALREADY_CREATED, refusals.UNKNOWN_MESSAGE):
            return await _end_refused_generation(context, session, refusal, refusals.NEEDED_TO_START)
        end = await end_generation(context, session)  # which searches for the thread first
        if isinstance(end, StillThere):
            return end.thread
        opener.messages_lost += refusal.code == refusals.UNKNOWN_MESSAGE
        return StartOver.GENERATION_ENDED


async def _end_refused_generation(
    context: Context, session: Session, refusal: DiscordRefused, needs: Sequence[Permission]
) -> Channel:
    """Discord refused the anchor or the start: end the generation and raise the refusal.

    Returns the thread instead if it exists after all.
    """
    if isinstance(refusal, NotFound) and refusal.code == refusals.UNKNOWN_CHANNEL:
        await confirm_channel_gone(context, session.parent_channel_id)
    end: Ended | StillThere = Ended()
    with contextlib.suppress(OnethreadError):  # the refusal says more than what keeps the generation from ending
        end = await end_generation(context, session, refused=True)
    if isinstance(end, Ended):
        raise_refused_words(session, refusal, needs)
    return end.thread


async def _commit(context: Context, session: Session, thread: Channel) -> Write:
    """Commit the thread. The write's condition is the recorded source message, whoever runs it."""
    write = await commit(context, session, thread)
    if write.won:
        await wake_guild(context, session.guild_id)
    return write


async def _advance_watermark(context: Context, channel: ChannelItem | None, found: LookUp | None) -> None:
    """Settle what the look-up saw beyond the channel's watermark, and move the watermark. Best effort, and seldom."""
    if channel is None or found is None or not found.complete or len(found.newly_archived) < ADVANCE_AFTER:
        return
    with contextlib.suppress(OnethreadError):
        await settle_and_advance(context, channel, found.newly_archived, found.started_at)
