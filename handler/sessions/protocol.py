"""Open a session: find, reopen or create its one thread. `Sessions.open` is where it begins.

A session is a name in a channel. Its item has a `status` (vacant, creating, open, closed) and a `generation`, which only
grows. Discord starts at most one thread from a message, and that thread bears the message's id. So an opener goes
through these steps:

    claim    absent or vacant → creating, with a lease           opening.claim.claim      store.claims.claim, take_over
    look     search for a thread of that name                    threads.look_up.look_up  found: opening.adopt.adopt
    anchor   post the source message, nonce by generation        opening.create._anchor
    record   its id and the thread's pointer, in one write       opening.create._record   store.sessions.record
    start    the thread, from the recorded message               opening.create._start
    commit   creating → open, with the thread                    opening.create._commit   store.sessions.commit

In a forum or media channel, and for a private session, nothing anchors a thread, and the steps after the look-up are
others: see `opening.attempt` and `opening.private`.

    attempt  `create_attempted_at`, before the request          opening.attempt           store.claims.attempt
    create   the thread, by a request that is never repeated     opening.attempt
    commit   creating → open, with it; the first one wins        threads.generation        store.claims.commit_created

Why there is at most one thread from a message. Record is a conditional write (`store.clauses.RECORDABLE`) that only the first opener of
a generation wins: at most one source message is recorded for a generation. Threads are started only from recorded
messages, and Discord starts one per message. Leases and clocks do not matter for this; a lease only saves needless
messages.

What a crash leaves, and who repairs it:

    before record            perhaps a message without a thread. The next opener posts with the same nonce, and gets the
                             same message while Discord remembers the nonce
    between record, commit   the next opener starts the thread from the recorded message, or hears that it exists
                             (160004) and fetches it, and commits; the reconciler commits a thread that exists
    after commit             nothing is missing

A call that was cancelled and lands minutes later is one more actor of this kind: each write has the condition that what
it rests on is still so. `threads.generation` says how a generation ends.

Any step may be repeated by anyone at any time. An opener that meets a change starts over: see `StartOver`.
"""

from dataclasses import dataclass
from typing import Final, assert_never

import msgspec

from handler.errors import DiscordRefused, TimedOut, UnsupportedChannel
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.model import Opened, OpenRequest, StartOver
from handler.sessions.names import SessionName
from handler.sessions.opening.adopt import open_existing
from handler.sessions.opening.channel import check_guild, check_permissions, correct, find_channel, register
from handler.sessions.opening.channel_import import open_from_past
from handler.sessions.opening.claim import claim
from handler.sessions.opening.create import create
from handler.sessions.opening.next_step import NextStep, next_step
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.private import check_private, is_private_by_default, with_access_role
from handler.sessions.opening.reuse import reuse
from handler.sessions.opening.rights import may_start
from handler.sessions.threads.visibility import choose_private
from handler.store.items import ChannelItem, Session

MAX_ROUNDS: Final = 60  # reads of one session by one opener: far more than any deadline leaves time for
MAX_NAMESAKES: Final = 5  # read for one name: it has none, or one, unless people play with names
MIN_PAUSE_SECONDS: Final = 0.001  # a lease that ends at this very moment ends only when time goes on
FIRST_PAUSE_SECONDS: Final = 0.1  # before a session that another opener is creating is read again
MAX_PAUSE_SECONDS: Final = 1.0  # the pause doubles up to it


class InParent(msgspec.Struct, frozen=True):
    """The request named a thread, and means its parent channel."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of one deployment."""

    context: Context

    async def open(self, request: OpenRequest) -> Opened:
        """The one thread of the session, usable.

        Raises the errors of `handler.errors`; ThreadLocked carries what was found. Works until it is done: the caller
        sets the deadline (`handler.runtime.deadline`) and cancels.
        """
        opener, pause = Opener(self.context, request), FIRST_PAUSE_SECONDS
        for _ in range(MAX_ROUNDS):
            session = await self._read(opener.request)
            if opener.turn_back(session):
                continue
            if session is not None:
                check_guild(self.context, session.guild_id)
            step = next_step(session, owner=opener.owner, now=self.context.clock.now())
            if step is NextStep.WAIT and session is not None:
                pause = await self._wait(session, pause)
                opener.waited = True
                continue
            if step is NextStep.REUSE and session is not None:
                result: Opened | StartOver | InParent = await reuse(opener, session)
            else:
                result = await _find_channel_and_create(opener, session, step)
            match result:
                case Opened():
                    return result
                case StartOver():
                    continue
                case InParent(channel_id=channel_id):
                    opener.request = msgspec.structs.replace(opener.request, parent_channel_id=channel_id, kind=None)
                case _:
                    assert_never(result)
        raise TimedOut(f"the session {request.name.key!r} kept changing")

    async def of_name(self, parent_channel_id: str, name: SessionName) -> Session | None:
        """The session of that name as it is on record; else the one whose renamed thread was noted to bear the name."""
        store = self.context.store
        session = await store.sessions.get(parent_channel_id, name.key)
        if session is not None and session.discord_thread_id is not None:
            return session
        for namesake in (await store.namesakes.of_session(parent_channel_id, name.key))[:MAX_NAMESAKES]:
            owner = await self.of_thread(namesake.thread_id)
            if owner is not None and self.context.names.bears(owner.thread.name, name.key):
                return owner
        return session

    async def of_thread(self, thread_id: str) -> Session | None:
        """The session that has this thread on record."""
        pointer = (await self.context.store.pointers.get_many([thread_id])).get(thread_id)
        if pointer is None or pointer.parent_channel_id is None or pointer.session_key is None:
            return None
        session = await self.context.store.sessions.get(pointer.parent_channel_id, pointer.session_key)
        return session if session is not None and session.discord_thread_id == thread_id else None

    async def end_lease(self, request: OpenRequest) -> None:
        """End the requester's lease, for a caller that gave up and will not come back."""
        session, owner = await self._read(request), request.requester.owner
        if session is not None and session.lease.owner == owner:
            await self.context.store.claims.end_lease(session, owner=owner, now=self.context.clock.now())

    async def _read(self, request: OpenRequest) -> Session | None:
        sessions, key = self.context.store.sessions, (request.parent_channel_id, request.name.key)
        if request.private:
            return choose_private(await sessions.get_private(*key), request.requester)
        return await sessions.get(*key)

    async def _wait(self, session: Session, pause: float) -> float:
        """Wait while another opener works, but not longer than its lease lasts. Returns the next pause, in seconds."""
        left = pause
        if session.lease.expires_at is not None:
            left = (parse_iso(session.lease.expires_at) - self.context.clock.now()).total_seconds()
        await self.context.clock.sleep(max(MIN_PAUSE_SECONDS, min(pause, left)))
        return min(pause * 2, MAX_PAUSE_SECONDS)


async def _find_channel_and_create(
    opener: Opener, session: Session | None, step: NextStep
) -> Opened | StartOver | InParent:
    """Create the thread in the channel of the request. If Discord refuses, ask it first whether it is such a channel."""
    request = opener.request
    channel, is_registered = await find_channel(
        opener.context, request.parent_channel_id, guild_id=request.guild_id, kind=request.kind
    )
    if channel.channel_id != request.parent_channel_id:
        return InParent(channel.channel_id)
    opener.known_settings = opener.context.settings_of(channel)
    if is_private_by_default(request, session, opener.known_settings, channel):
        opener.request = msgspec.structs.replace(request, private=True)
        return StartOver.PRIVATE_BY_DEFAULT
    check_permissions(request, channel)
    try:
        return await _claim_and_create(opener, session, step, channel, is_registered=is_registered)
    except (UnsupportedChannel, DiscordRefused):
        if not await correct(opener.context, channel):
            raise
    opener.request = msgspec.structs.replace(request, guild_id=None, kind=None)  # from now on only Discord is believed
    return StartOver.CHANNEL_CORRECTED


async def _claim_and_create(
    opener: Opener, session: Session | None, step: NextStep, channel: ChannelItem, *, is_registered: bool
) -> Opened | StartOver:
    """Claim the session and create its thread; in a channel whose past is not known, search that first."""
    request = opener.request
    settings = opener.context.settings_of(channel)
    if request.private:
        check_private(request, settings.open, channel)
        opener.request = with_access_role(request, settings.access_role)
    elif not may_start(request, settings.open, channel.kind) and (session is None or session.source_message_id is None):
        return await open_existing(opener, session, channel)
    if not is_registered:
        await register(opener.context, channel)
    has_begun = session is not None and (session.source_message_id or session.create_attempted_at) is not None
    if channel.imported_at is None and not has_begun and not request.private:
        return await open_from_past(opener, session, step, channel)
    claimed = await claim(opener, session, step, channel)
    if isinstance(claimed, StartOver):
        return claimed
    return await create(opener, claimed, channel)
