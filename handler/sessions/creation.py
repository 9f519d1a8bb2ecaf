"""Creation under a claim: look, anchor, record, start, commit. Whoever holds the claim goes on from what is recorded.

Each function returns None when the session went on without us, or has to be read again: the opener starts over.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from handler.clock import parse_iso
from handler.concurrency import together
from handler.discord.models import Channel, Message
from handler.discord.permissions import Permission
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound, OnethreadError
from handler.sessions import decide
from handler.sessions.adoption import adopt
from handler.sessions.channel_mark import pass_mark
from handler.sessions.ending import commit, end_generation
from handler.sessions.lookup import confirm_gone, look_up
from handler.sessions.model import Look, Opened, OpenRequest
from handler.sessions.ports import Journey, Ports
from handler.sessions.reuse import invite, make_usable, note_use, reuse
from handler.sessions.source_message import source_message
from handler.table.clauses import LEASE_SECONDS
from handler.table.items import ChannelRecord, Session, Status

RENEW_BELOW: Final = timedelta(seconds=LEASE_SECONDS / 2)  # a step with its retries fits into the other half
MARK_AFTER: Final = 50  # archived threads seen beyond the mark, half a page: then a look-up stays at one page
GENERATIONS_MOST: Final = 3  # tried by one opener: one may end by chance, a second one by bad luck

POSTS_VANISH: Final = (
    "What I post in this channel is deleted at once, perhaps by another bot, so no thread could be made. "
    "Ask a moderator to let my messages stay, then try again."
)


async def create(
    ports: Ports, session: Session, channel: ChannelRecord, request: OpenRequest, journey: Journey
) -> Opened | None:
    """Bring the claimed session to its one thread. Raises what stands in the way, and lets the claim go first."""
    try:
        _give_up_in_the_end(session, journey)
        if session.source_message_id is not None:
            return await _from_source(ports, session, request, journey)
        look = await look_up(ports, channel, session.session_key)
        if look.adoptable:
            adopted = await adopt(ports, session, look.adoptable, channel, request, journey)
            await _move_mark(ports, channel, look)
            return adopted
        if look.foreign is not None:
            await ports.store.drop_claim(session, owner=request.requester.owner, now=ports.clock.now())
            return await link_foreign(ports, *look.foreign, request)
        recorded = await _anchor(ports, session, request)
        if recorded is None:
            return None
        return await _from_source(ports, recorded, request, journey, channel, look)
    except OnethreadError as error:
        await _let_go(ports, session, request.requester.owner, error)
        raise


def _give_up_in_the_end(session: Session, journey: Journey) -> None:
    """Raise when generation after generation ended under this opener: he would post and delete for ever."""
    if journey.first_generation is None:
        journey.first_generation = session.generation
    if session.generation >= journey.first_generation + GENERATIONS_MOST:
        raise DiscordUnavailable(f"{GENERATIONS_MOST} generations ended in one open", message=POSTS_VANISH)


async def link_foreign(ports: Ports, thread: Channel, session: Session, request: OpenRequest) -> Opened | None:
    """Link a renamed thread: it stays the session's that has it, also where that one is not committed yet."""
    if session.status is Status.CREATING:
        committed = await commit(ports, session, thread)
        if committed is None:
            return None
        session = committed
    return await reuse(ports, session, request, Journey())


async def _anchor(ports: Ports, session: Session, request: OpenRequest) -> Session | None:
    """Post the source message and record it. First writer wins; a loser's own message goes again."""
    held = await _hold(ports, session, request.requester.owner)
    if held is None:
        return None
    session = held
    ports.discord.foresee_start(session.parent_channel_id)  # else the message would stand there without its thread
    try:
        message = await _post(ports, session, request)
    except DiscordRefused as refusal:
        if refusal.code == decide.UNKNOWN_MESSAGE:  # the message of this nonce was deleted
            await ports.store.raise_generation(session, owner=request.requester.owner, now=ports.clock.now())
            return None
        await _refused(ports, session, refusal, decide.TO_ANCHOR)
        return None
    write = await ports.store.record(session, message.id)
    if write.won:
        return write.mine
    if write.pointer_taken:  # somebody else's thread was started from it: another message is needed
        await ports.store.raise_generation(session, owner=request.requester.owner, now=ports.clock.now())
    elif write.session is None or not write.session.has(message.id):
        with contextlib.suppress(OnethreadError):
            await ports.discord.delete_message(session.parent_channel_id, message.id, reason="Another one was first")
    return None


async def _post(ports: Ports, session: Session, request: OpenRequest) -> Message:
    body = source_message(ports.names.thread_name(session.session_name), request.requester.user_id, session.topic)
    nonce = decide.nonce(session.parent_channel_id, session.session_key, session.generation)
    return await ports.discord.post_message(session.parent_channel_id, body, nonce=nonce)


async def _from_source(
    ports: Ports,
    session: Session,
    request: OpenRequest,
    journey: Journey,
    channel: ChannelRecord | None = None,
    look: Look | None = None,
) -> Opened | None:
    """Start the thread from the recorded source message, commit it, and answer."""
    held = await _hold(ports, session, request.requester.owner)
    if held is None:
        return None
    thread = await _start(ports, held)
    if thread is None:
        return None
    committed, _, _ = await together(
        _commit(ports, held, thread), invite(ports, thread.id, request.requester), _move_mark(ports, channel, look)
    )
    if committed is None:
        return None
    return await make_usable(ports, committed, thread, request, journey)


async def _commit(ports: Ports, session: Session, thread: Channel) -> Session | None:
    committed = await commit(ports, session, thread)
    if committed is not None:
        await note_use(ports, session.guild_id)
    return committed


async def _start(ports: Ports, session: Session) -> Channel | None:
    """Start the thread, or fetch the one that was started. None: there is none, and the generation has ended."""
    assert session.source_message_id is not None  # noqa: S101 - callers have it recorded
    try:
        return await ports.discord.start_thread(
            session.parent_channel_id,
            session.source_message_id,
            name=ports.names.thread_name(session.session_name),
            auto_archive_duration=ports.auto_archive_minutes,
        )
    except DiscordRefused as refusal:
        if refusal.code in (decide.THREAD_ALREADY_CREATED, decide.UNKNOWN_MESSAGE):
            return await end_generation(ports, session)  # which begins by looking for the thread
        return await _refused(ports, session, refusal, decide.TO_START)


async def _refused(
    ports: Ports, session: Session, refusal: DiscordRefused, needs: Sequence[Permission]
) -> Channel | None:
    """Discord refused the anchor or the start, for whatever definite reason: end the generation and raise that reason.

    Unless the thread is there: then it is returned.
    """
    if isinstance(refusal, NotFound) and refusal.code == decide.UNKNOWN_CHANNEL:
        await confirm_gone(ports, session.parent_channel_id)
    found = None
    with contextlib.suppress(OnethreadError):  # what keeps it from ending says less than why it has to end
        found = await end_generation(ports, session, refused=True)
    if found is None:
        decide.tell(refusal, needs)
    return found


async def _hold(ports: Ports, session: Session, owner: str) -> Session | None:
    """The session with enough of its lease left for the next step; None: somebody took it over."""
    if session.lease_owner != owner or session.lease_expires_at is None:
        return session  # nobody's lease is worth renewing for somebody else
    if parse_iso(session.lease_expires_at) - ports.clock.now() > RENEW_BELOW:
        return session
    write = await ports.store.keep(session, owner=owner, now=ports.clock.now())
    return write.session if write.won else None


async def _move_mark(ports: Ports, channel: ChannelRecord | None, look: Look | None) -> None:
    """Settle what the look-up saw beyond the channel's mark and move the mark past it. Best effort, and seldom."""
    if channel is None or look is None or len(look.archived_seen) < MARK_AFTER:
        return
    with contextlib.suppress(OnethreadError):
        await pass_mark(ports, channel, look.archived_seen, look.started_at)


async def _let_go(ports: Ports, session: Session, owner: str, error: OnethreadError) -> None:
    """After an error: drop the claim if it will not be better by itself, else let the next one take it over at once."""
    with contextlib.suppress(OnethreadError):
        now = ports.clock.now()
        if not error.retryable and (await ports.store.drop_claim(session, owner=owner, now=now)).won:
            return
        await ports.store.end_lease(session, owner=owner, now=now)
