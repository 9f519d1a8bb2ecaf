"""The opener's claim: take it, keep its lease alive, and release it after an error."""

import contextlib
from datetime import timedelta
from typing import Final

from handler.errors import OnethreadError
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.model import OpenRequest, StartOver
from handler.sessions.opening.next_step import NextStep
from handler.store.items import ChannelItem, Session
from handler.store.lease import LEASE_SECONDS

RENEW_BELOW: Final = timedelta(seconds=LEASE_SECONDS / 2)  # a step with its retries fits into the other half


async def claim(
    context: Context, session: Session | None, step: NextStep, channel: ChannelItem, request: OpenRequest
) -> Session | StartOver:
    """The session under a claim of this opener: claimed, taken over, or resumed."""
    owner, now = request.requester.owner, context.clock.now()
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
        return session
    return write.mine if write.won else StartOver.WRITE_LOST


async def renew_lease(context: Context, session: Session, owner: str) -> Session | StartOver:
    """The session with enough of its lease left for the next step."""
    if session.lease.owner != owner or session.lease.expires_at is None:
        return session  # a lease of another opener is not ours to renew
    if parse_iso(session.lease.expires_at) - context.clock.now() > RENEW_BELOW:
        return session
    write = await context.store.claims.renew(session, owner=owner, now=context.clock.now())
    return write.mine if write.won else StartOver.LEASE_LOST


async def release_claim(context: Context, session: Session, owner: str, error: OnethreadError) -> None:
    """After an error: drop the claim if a repeat would fail, too; else end its lease, so that others need not wait."""
    with contextlib.suppress(OnethreadError):
        now = context.clock.now()
        if not error.retryable and (await context.store.claims.drop(session, owner=owner, now=now)).won:
            return
        await context.store.claims.end_lease(session, owner=owner, now=now)
