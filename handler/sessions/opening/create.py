"""Create the thread of a claimed session: look, anchor, record, start, commit.

Each step goes on from what is on record, so that any opener may resume at any of them. `_record` is what makes a second
thread impossible: its conditional write puts at most one source message on record for a generation. `_start` starts
the thread only from that message, and Discord starts one thread from a message.
"""

import contextlib
from collections.abc import Sequence
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, Message
from handler.discord.permissions import Permission
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound, OnethreadError
from handler.runtime.concurrency import gather
from handler.sessions.context import Context, OpenHistory
from handler.sessions.model import LookUp, Opened, OpenRequest, StartOver
from handler.sessions.opening.adopt import adopt, link_renamed
from handler.sessions.opening.claim import release_claim, renew_lease
from handler.sessions.opening.reuse import invite, make_usable, wake_guild
from handler.sessions.opening.source_message import source_message, source_nonce
from handler.sessions.threads.generation import Ended, StillThere, commit, end_generation
from handler.sessions.threads.look_up import look_up
from handler.sessions.threads.requests import confirm_channel_gone
from handler.sessions.threads.settle import settle_and_advance
from handler.store.items import ChannelItem, Session
from handler.store.writes import Write

ADVANCE_AFTER: Final = 50  # threads archived since the watermark, half a page: so a look-up stays at one page
MAX_GENERATIONS: Final = 3  # tried by one opener: one may end by chance, a second one by bad luck

POSTS_VANISH: Final = (
    "What I post in this channel is deleted at once, perhaps by another bot, so no thread could be made. "
    "Ask a moderator to let my messages stay, then try again."
)


async def create(
    context: Context, session: Session, channel: ChannelItem, request: OpenRequest, history: OpenHistory
) -> Opened | StartOver:
    """Bring the claimed session to its one thread. An error releases the claim before it is raised."""
    try:
        _check_generations(session, history)
        if session.source_message_id is not None:
            return await _start_and_commit(context, session, request, history)
        found = await look_up(context, channel, session.session_key)
        if found.adoptable:
            adopted = await adopt(context, session, found.adoptable, channel, request, history)
            await _advance_watermark(context, channel, found)
            return adopted
        if found.renamed is not None:
            await context.store.claims.drop(session, owner=request.requester.owner, now=context.clock.now())
            return await link_renamed(context, found.renamed, request)
        recorded = await _anchor_and_record(context, session, request)
        if isinstance(recorded, StartOver):
            return recorded
        return await _start_and_commit(context, recorded, request, history, channel, found)
    except OnethreadError as error:
        await release_claim(context, session, request.requester.owner, error)
        raise


def _check_generations(session: Session, history: OpenHistory) -> None:
    """Raise DiscordUnavailable if every generation of this open has ended: it would post and delete for ever."""
    if history.first_generation is None:
        history.first_generation = session.generation
    if session.generation >= history.first_generation + MAX_GENERATIONS:
        raise DiscordUnavailable(f"{MAX_GENERATIONS} generations ended in one open", message=POSTS_VANISH)


async def _anchor_and_record(context: Context, session: Session, request: OpenRequest) -> Session | StartOver:
    held = await renew_lease(context, session, request.requester.owner)
    if isinstance(held, StartOver):
        return held
    message = await _anchor(context, held, request)
    if isinstance(message, StartOver):
        return message
    return await _record(context, held, message, request.requester.owner)


async def _anchor(context: Context, session: Session, request: OpenRequest) -> Message | StartOver:
    """Post the source message, or get the one that was posted with this generation's nonce."""
    # Raises if the start would be rate-limited: the message would stand there without its thread.
    context.discord.check_start_limit(session.parent_channel_id)
    body = source_message(context.names.thread_name(session.session_name), request.requester.user_id, session.topic)
    nonce = source_nonce(session.parent_channel_id, session.session_key, session.generation)
    try:
        return await context.discord.post_message(session.parent_channel_id, body, nonce=nonce)
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_MESSAGE:  # the message of this nonce was deleted
            await _raise_generation(context, session, request.requester.owner)
        else:
            await _end_refused_generation(context, session, refusal, refusals.NEEDED_TO_ANCHOR)
        return StartOver.GENERATION_ENDED


async def _record(context: Context, session: Session, message: Message, owner: str) -> Session | StartOver:
    """Record the source message of this generation. Only the first one wins; another message of ours is deleted again."""
    write = await context.store.sessions.record(session, message.id)
    if write.won:
        return write.mine
    if write.pointer_taken:  # another session's thread was started from it: another message is needed
        await _raise_generation(context, session, owner)
    elif write.session is None or not write.session.has(message.id):
        with contextlib.suppress(OnethreadError):
            await context.discord.delete_message(session.parent_channel_id, message.id, reason="Another one was first")
    return StartOver.WRITE_LOST


async def _raise_generation(context: Context, session: Session, owner: str) -> None:
    """With nothing on record the next generation begins at once, and its message has another nonce."""
    await context.store.claims.raise_generation(session, owner=owner, now=context.clock.now())


async def _start_and_commit(
    context: Context,
    session: Session,
    request: OpenRequest,
    history: OpenHistory,
    channel: ChannelItem | None = None,
    found: LookUp | None = None,
) -> Opened | StartOver:
    held = await renew_lease(context, session, request.requester.owner)
    if isinstance(held, StartOver):
        return held
    thread = await _start(context, held)
    if isinstance(thread, StartOver):
        return thread
    committed, _, _ = await gather(
        _commit(context, held, thread),
        invite(context, thread.id, request.requester),
        _advance_watermark(context, channel, found),
    )
    if not committed.won:
        return StartOver.WRITE_LOST
    return await make_usable(context, committed.mine, thread, request, history)


async def _start(context: Context, session: Session) -> Channel | StartOver:
    """Start the thread from the recorded source message, or fetch the one that was started from it."""
    assert session.source_message_id is not None  # noqa: S101 - callers have it recorded
    try:
        return await context.discord.start_thread(
            session.parent_channel_id,
            session.source_message_id,
            name=context.names.thread_name(session.session_name),
            auto_archive_duration=context.auto_archive_minutes,
        )
    except DiscordRefused as refusal:
        if refusal.code not in (refusals.THREAD_ALREADY_CREATED, refusals.UNKNOWN_MESSAGE):
            return await _end_refused_generation(context, session, refusal, refusals.NEEDED_TO_START)
        end = await end_generation(context, session)  # which searches for the thread first
        return end.thread if isinstance(end, StillThere) else StartOver.GENERATION_ENDED


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
        refusals.raise_translation(refusal, needs)
    return end.thread


async def _commit(context: Context, session: Session, thread: Channel) -> Write:
    """Commit the thread. The write's condition is the recorded source message, whoever runs it."""
    write = await commit(context, session, thread)
    if write.won:
        await wake_guild(context, session.guild_id)
    return write


async def _advance_watermark(context: Context, channel: ChannelItem | None, found: LookUp | None) -> None:
    """Settle what the look-up saw beyond the channel's watermark, and move the watermark. Best effort, and seldom."""
    if channel is None or found is None or len(found.newly_archived) < ADVANCE_AFTER:
        return
    with contextlib.suppress(OnethreadError):
        await settle_and_advance(context, channel, found.newly_archived, found.started_at)
