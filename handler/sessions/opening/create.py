"""Creation under a claim: look, anchor, record, start, commit. Whoever holds the claim goes on from what is recorded.

Each function returns None when the session went on without us, or has to be read again: the opener starts over.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, Message
from handler.discord.permissions import Permission
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound, OnethreadError
from handler.runtime.clock import parse_iso
from handler.runtime.concurrency import gather
from handler.sessions.context import Context, OpenHistory
from handler.sessions.model import Look, Opened, OpenRequest
from handler.sessions.opening.adopt import adopt
from handler.sessions.opening.reuse import invite, make_usable, note_use, reuse
from handler.sessions.opening.source_message import source_message, source_nonce
from handler.sessions.threads.generation import commit, end_generation
from handler.sessions.threads.look_up import look_up
from handler.sessions.threads.requests import confirm_channel_gone
from handler.sessions.threads.watermark import settle_and_advance
from handler.store.items import ChannelItem, Session, Status
from handler.store.lease import LEASE_SECONDS

RENEW_BELOW: Final = timedelta(seconds=LEASE_SECONDS / 2)  # a step with its retries fits into the other half
MARK_AFTER: Final = 50  # archived threads seen beyond the mark, half a page: then a look-up stays at one page
MAX_GENERATIONS: Final = 3  # tried by one opener: one may end by chance, a second one by bad luck

POSTS_VANISH: Final = (
    "What I post in this channel is deleted at once, perhaps by another bot, so no thread could be made. "
    "Ask a moderator to let my messages stay, then try again."
)


async def create(
    context: Context, session: Session, channel: ChannelItem, request: OpenRequest, history: OpenHistory
) -> Opened | None:
    """Bring the claimed session to its one thread. Raises what stands in the way, and lets the claim go first."""
    try:
        _give_up_in_the_end(session, history)
        if session.source_message_id is not None:
            return await _from_source(context, session, request, history)
        look = await look_up(context, channel, session.session_key)
        if look.adoptable:
            adopted = await adopt(context, session, look.adoptable, channel, request, history)
            await _move_mark(context, channel, look)
            return adopted
        if look.foreign is not None:
            await context.store.claims.drop(session, owner=request.requester.owner, now=context.clock.now())
            return await link_foreign(context, *look.foreign, request)
        recorded = await _anchor(context, session, request)
        if recorded is None:
            return None
        return await _from_source(context, recorded, request, history, channel, look)
    except OnethreadError as error:
        await _let_go(context, session, request.requester.owner, error)
        raise


def _give_up_in_the_end(session: Session, history: OpenHistory) -> None:
    """Raise when generation after generation ended under this opener: he would post and delete for ever."""
    if history.first_generation is None:
        history.first_generation = session.generation
    if session.generation >= history.first_generation + MAX_GENERATIONS:
        raise DiscordUnavailable(f"{MAX_GENERATIONS} generations ended in one open", message=POSTS_VANISH)


async def link_foreign(context: Context, thread: Channel, session: Session, request: OpenRequest) -> Opened | None:
    """Link a renamed thread: it stays the session's that has it, also where that one is not committed yet."""
    if session.status is Status.CREATING:
        committed = await commit(context, session, thread)
        if committed is None:
            return None
        session = committed
    return await reuse(context, session, request, OpenHistory())


async def _anchor(context: Context, session: Session, request: OpenRequest) -> Session | None:
    """Post the source message and record it. First writer wins; a loser's own message goes again."""
    held = await _hold(context, session, request.requester.owner)
    if held is None:
        return None
    session = held
    context.discord.check_start_limit(
        session.parent_channel_id
    )  # else the message would stand there without its thread
    try:
        message = await _post(context, session, request)
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_MESSAGE:  # the message of this nonce was deleted
            await context.store.claims.raise_generation(session, owner=request.requester.owner, now=context.clock.now())
            return None
        await _refused(context, session, refusal, refusals.NEEDED_TO_ANCHOR)
        return None
    write = await context.store.sessions.record(session, message.id)
    if write.won:
        return write.mine
    if write.pointer_taken:  # somebody else's thread was started from it: another message is needed
        await context.store.claims.raise_generation(session, owner=request.requester.owner, now=context.clock.now())
    elif write.session is None or not write.session.has(message.id):
        with contextlib.suppress(OnethreadError):
            await context.discord.delete_message(session.parent_channel_id, message.id, reason="Another one was first")
    return None


async def _post(context: Context, session: Session, request: OpenRequest) -> Message:
    body = source_message(context.names.thread_name(session.session_name), request.requester.user_id, session.topic)
    own = source_nonce(session.parent_channel_id, session.session_key, session.generation)
    return await context.discord.post_message(session.parent_channel_id, body, nonce=own)


async def _from_source(
    context: Context,
    session: Session,
    request: OpenRequest,
    history: OpenHistory,
    channel: ChannelItem | None = None,
    look: Look | None = None,
) -> Opened | None:
    """Start the thread from the recorded source message, commit it, and answer."""
    held = await _hold(context, session, request.requester.owner)
    if held is None:
        return None
    thread = await _start(context, held)
    if thread is None:
        return None
    committed, _, _ = await gather(
        _commit(context, held, thread),
        invite(context, thread.id, request.requester),
        _move_mark(context, channel, look),
    )
    if committed is None:
        return None
    return await make_usable(context, committed, thread, request, history)


async def _commit(context: Context, session: Session, thread: Channel) -> Session | None:
    committed = await commit(context, session, thread)
    if committed is not None:
        await note_use(context, session.guild_id)
    return committed


async def _start(context: Context, session: Session) -> Channel | None:
    """Start the thread, or fetch the one that was started. None: there is none, and the generation has ended."""
    assert session.source_message_id is not None  # noqa: S101 - callers have it recorded
    try:
        return await context.discord.start_thread(
            session.parent_channel_id,
            session.source_message_id,
            name=context.names.thread_name(session.session_name),
            auto_archive_duration=context.auto_archive_minutes,
        )
    except DiscordRefused as refusal:
        if refusal.code in (refusals.THREAD_ALREADY_CREATED, refusals.UNKNOWN_MESSAGE):
            return await end_generation(context, session)  # which begins by looking for the thread
        return await _refused(context, session, refusal, refusals.NEEDED_TO_START)


async def _refused(
    context: Context, session: Session, refusal: DiscordRefused, needs: Sequence[Permission]
) -> Channel | None:
    """Discord refused the anchor or the start, for whatever definite reason: end the generation and raise that reason.

    Unless the thread is there: then it is returned.
    """
    if isinstance(refusal, NotFound) and refusal.code == refusals.UNKNOWN_CHANNEL:
        await confirm_channel_gone(context, session.parent_channel_id)
    found = None
    with contextlib.suppress(OnethreadError):  # what keeps it from ending says less than why it has to end
        found = await end_generation(context, session, refused=True)
    if found is None:
        refusals.raise_translation(refusal, needs)
    return found


async def _hold(context: Context, session: Session, owner: str) -> Session | None:
    """The session with enough of its lease left for the next step; None: somebody took it over."""
    if session.lease.owner != owner or session.lease.expires_at is None:
        return session  # nobody's lease is worth renewing for somebody else
    if parse_iso(session.lease.expires_at) - context.clock.now() > RENEW_BELOW:
        return session
    write = await context.store.claims.renew(session, owner=owner, now=context.clock.now())
    return write.session if write.won else None


async def _move_mark(context: Context, channel: ChannelItem | None, look: Look | None) -> None:
    """Settle what the look-up saw beyond the channel's mark and move the mark past it. Best effort, and seldom."""
    if channel is None or look is None or len(look.archived_seen) < MARK_AFTER:
        return
    with contextlib.suppress(OnethreadError):
        await settle_and_advance(context, channel, look.archived_seen, look.started_at)


async def _let_go(context: Context, session: Session, owner: str, error: OnethreadError) -> None:
    """After an error: drop the claim if it will not be better by itself, else let the next one take it over at once."""
    with contextlib.suppress(OnethreadError):
        now = context.clock.now()
        if not error.retryable and (await context.store.claims.drop(session, owner=owner, now=now)).won:
            return
        await context.store.claims.end_lease(session, owner=owner, now=now)
