"""The opener's claim: take it, keep its lease alive, and release it after an error."""

import contextlib
from datetime import timedelta
from typing import Final

from handler.errors import OnethreadError, TooManyCreations
from handler.runtime.clock import parse_iso
from handler.sessions.model import StartOver
from handler.sessions.opening.next_step import NextStep
from handler.sessions.opening.opener import Opener
from handler.store.items import ChannelItem, Session
from handler.store.lease import LEASE_SECONDS
from handler.store.private import Private

RENEW_BELOW: Final = timedelta(seconds=LEASE_SECONDS / 2)  # a step with its retries fits into the other half


async def claim(opener: Opener, session: Session | None, step: NextStep, channel: ChannelItem) -> Session | StartOver:
    """The session under a claim of this opener: claimed, taken over, or resumed."""
    claims, request, now = opener.context.store.claims, opener.request, opener.context.clock.now()
    if session is None or step is NextStep.CLAIM:
        write = await claims.claim(
            channel.channel_id,
            request.name.key,
            session_name=request.name.spelling,
            guild_id=channel.guild_id,
            owner=opener.owner,
            created_by=request.requester.user_id,
            topic=request.topic,
            label=request.requester.label,
            private=_private(opener),
            now=now,
        )
        opener.claimed |= write.won
    elif step is NextStep.TAKE_OVER:
        write = await claims.take_over(session, owner=opener.owner, now=now)
    else:
        return session
    return write.mine if write.won else StartOver.WRITE_LOST


def _private(opener: Opener) -> Private | None:
    request = opener.request
    if not request.private:
        return None
    return Private(creator_id=request.requester.user_id, member_ids=request.members, role_ids=request.roles)


async def renew_lease(opener: Opener, session: Session) -> Session | StartOver:
    """The session with enough of its lease left for the next step."""
    context = opener.context
    if session.lease.owner != opener.owner or session.lease.expires_at is None:
        return session  # a lease of another opener is not ours to renew
    if parse_iso(session.lease.expires_at) - context.clock.now() > RENEW_BELOW:
        return session
    write = await context.store.claims.renew(session, owner=opener.owner, now=context.clock.now())
    return write.mine if write.won else StartOver.LEASE_LOST


async def release_claim(opener: Opener, session: Session, error: OnethreadError) -> None:
    """After an error: drop the claim if a repeat would fail, too; else end its lease, so that others need not wait."""
    with contextlib.suppress(OnethreadError):
        claims, now = opener.context.store.claims, opener.context.clock.now()
        if (not error.retryable or isinstance(error, TooManyCreations)) and (
            await claims.drop(session, owner=opener.owner, now=now)
        ).won:
            return
        await claims.end_lease(session, owner=opener.owner, now=now)
