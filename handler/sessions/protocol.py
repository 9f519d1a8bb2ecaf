"""The main job: the one thread of a session, found, reopened or created. `Sessions.open` is where it begins.

The theory. A session is a name in a channel; its item says `vacant`, `creating`, `open` or `closed`, and its
`generation` only grows. Discord starts at most one thread from a message, and that thread bears the message's id. So::

    claim    absent, vacant → creating, with a lease            store.claims.claim, take_over
    look     is there a thread of that name already?            lookup.look_up      → adoption.adopt
    anchor   post the source message (nonce by generation)      creation._anchor
    record   its id, once for a generation, and the pointer     store.sessions.record
    start    the thread from the recorded message               creation._start
    commit   open, with the thread                              store.sessions.commit

At most one source message is recorded for a generation, threads are started only from recorded messages, and one
message has one thread: there is at most one thread, whatever leases and clocks do. The lease only saves needless work.

Who dies, and who repairs it. Before Record: nothing but perhaps a message without a thread; the nonce gives the same
message to the next one while Discord remembers it. Between Record and Commit: whoever comes next finds the source
message on record, starts (or is told 160004, and fetches) its thread, and commits. After Commit: nothing is missing.
A call that was given up and lands late, even minutes later, is one more actor of the same kind: each write has the
condition that what it rests on is still so. A generation ends only as `ending` describes.

Everything here may be repeated by anyone at any time. What is not done returns None, and the opener reads again.
"""

from datetime import timedelta
from typing import Final

import msgspec

from handler.config import UnlockPolicy
from handler.discord.rest import Discord
from handler.errors import TimedOut
from handler.runtime.clock import Clock, parse_iso
from handler.sessions.context import Context, OpenHistory
from handler.sessions.model import Opened, OpenRequest
from handler.sessions.names import Names
from handler.sessions.opening.adopt import adopt
from handler.sessions.opening.channel import check_permissions, register, resolve
from handler.sessions.opening.channel_import import import_past
from handler.sessions.opening.create import create, link_foreign
from handler.sessions.opening.next_step import NextStep, next_step
from handler.sessions.opening.reuse import reuse
from handler.store.items import ChannelItem, Session
from handler.store.store import Store

MAX_ROUNDS: Final = 60  # reads of one session by one opener: far more than any deadline leaves time for
MIN_PAUSE: Final = 0.001  # seconds; a lease that ends at this very moment ends only when time goes on
FIRST_PAUSE: Final = 0.1  # seconds before a session that somebody else is creating is read again
MAX_PAUSE: Final = 1.0  # seconds; the pause doubles up to it


class Sessions:
    """The sessions of one deployment."""

    def __init__(
        self,
        *,
        store: Store,
        discord: Discord,
        names: Names,
        clock: Clock,
        application_id: str,
        auto_archive_minutes: int,
        unlock_policy: UnlockPolicy,
        trace_after: timedelta | None = None,
    ) -> None:
        self.context = Context(
            store=store,
            discord=discord,
            names=names,
            clock=clock,
            application_id=application_id,
            auto_archive_minutes=auto_archive_minutes,
            unlock_policy=unlock_policy,
            trace_after=trace_after,
        )

    async def open(self, request: OpenRequest) -> Opened:
        """The one thread of the session, usable, or the reason why not.

        Raises the errors of `handler.errors`; ThreadLocked carries what was found. Works until it is done: the caller
        sets the deadline (`handler.clock.set_deadline`) and cancels.
        """
        history = OpenHistory()
        pause = FIRST_PAUSE
        for _ in range(MAX_ROUNDS):
            session = await self.context.store.sessions.get(request.parent_channel_id, request.name.key)
            step = next_step(session, owner=request.requester.owner, now=self.context.clock.now())
            if step is NextStep.WAIT and session is not None:
                pause = await self._wait(session, pause)
                history.waited = True
                continue
            if step is NextStep.REUSE and session is not None:
                opened = await reuse(self.context, session, request, history)
            else:
                channel, known = await resolve(self.context, request)
                if channel.channel_id != request.parent_channel_id:
                    request = msgspec.structs.replace(request, parent_channel_id=channel.channel_id)
                    continue
                opened = await self._create(session, step, channel, known, request, history)
            if opened is not None:
                return opened
        raise TimedOut(f"the session {request.name.key!r} kept changing")

    async def let_go(self, request: OpenRequest) -> None:
        """For a requester who gave up and will not come back: end the lease, if it is still his. Best effort."""
        session = await self.context.store.sessions.get(request.parent_channel_id, request.name.key)
        if session is not None and session.lease.owner == request.requester.owner:
            await self.context.store.claims.end_lease(
                session, owner=request.requester.owner, now=self.context.clock.now()
            )

    async def _create(
        self,
        session: Session | None,
        step: NextStep,
        channel: ChannelItem,
        known: bool,
        request: OpenRequest,
        history: OpenHistory,
    ) -> Opened | None:
        """Claim or take over, in a channel whose past is known, and create."""
        context, owner = self.context, request.requester.owner
        check_permissions(request)
        if not known:
            await register(context, channel)
        if channel.imported_at is None and (session is None or session.source_message_id is None):
            if session is not None and step is not NextStep.CLAIM:  # nobody holds a claim while the past is read
                await context.store.claims.drop(session, now=context.clock.now())
                return None
            found = await import_past(context, channel, request.name.key, stretch=request.import_stretch)
            if found is None:
                return None
            if found.adoptable:
                return await adopt(context, session, found.adoptable, channel, request, history)
            if found.foreign is not None:
                return await link_foreign(context, *found.foreign, request)
        now = context.clock.now()
        if session is None or step is NextStep.CLAIM:
            write = await context.store.claims.claim(
                channel.channel_id,
                request.name.key,
                session_name=request.name.spelling,
                guild_id=channel.guild_id,
                owner=owner,
                created_by=request.requester.user_id,
                topic=request.topic,
                now=now,
            )
        elif step is NextStep.TAKE_OVER:
            write = await context.store.claims.take_over(session, owner=owner, now=now)
        else:
            return await create(context, session, channel, request, history)
        return await create(context, write.mine, channel, request, history) if write.won else None

    async def _wait(self, session: Session, pause: float) -> float:
        """Let whoever holds the lease work; not longer than the lease lasts. Returns the next pause."""
        left = pause
        if session.lease.expires_at is not None:
            left = (parse_iso(session.lease.expires_at) - self.context.clock.now()).total_seconds()
        await self.context.clock.sleep(max(MIN_PAUSE, min(pause, left)))
        return min(pause * 2, MAX_PAUSE)
