"""Create a thread without an anchor: a post of a forum or media channel, or a private thread.

Discord has no way to tell a repeat of such a request, and a thread that was asked for may appear after its answer was
lost. So:

    attempt   `create_attempted_at`, before the request, in a conditional write under one's own lease
    create    the thread, by one request that is never repeated and never cut short
    commit    creating → open, with the thread and its pointer; the first thread wins

While an attempt is on record whose outcome is not known, nobody makes another one before having looked twice,
LOOK_AGAIN_SECONDS apart (`look_twice`). A thread of the bot's own that an attempt of this generation made is committed. Who
finds on commit that another thread was first discards its own one (`threads.extras`).
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from handler.discord import refusals
from handler.discord.models import Channel, ChannelType
from handler.errors import DiscordRefused, OnethreadError, OutcomeUnknown
from handler.runtime.concurrency import gather
from handler.runtime.deadline import run_to_end
from handler.sessions.model import LookUp, Match, Opened, StartOver
from handler.sessions.opening.capacity import with_room
from handler.sessions.opening.claim import renew_lease
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.people import describe
from handler.sessions.opening.reuse import invite, make_usable, wake_guild
from handler.sessions.opening.tags import choose_tags, raise_required
from handler.sessions.threads.generation import commit
from handler.sessions.threads.match import was_attempted
from handler.sessions.threads.requests import confirm_channel_gone, raise_refused_words
from handler.sessions.threads.source_message import describe_session
from handler.store.items import Session

LOOK_AGAIN_SECONDS: Final = 5.0  # a request that Discord took in has had its effect by then, and the lists show it
ATTEMPT_SECONDS: Final = 10.0  # the request with a short rate limit, and the commit; more than the webhook ever has
MAX_ATTEMPTS: Final = 2  # by one opener: if both answers are lost, Discord has an outage


async def look_twice(
    opener: Opener, session: Session, found: LookUp, look_again: Callable[[], Awaitable[LookUp]]
) -> LookUp | StartOver:
    """What was found, if an attempt cannot have made a thread that it lacks; else what a second look finds."""
    if session.create_attempted_at is None or found.adoptable or found.renamed is not None:
        return found
    held = await renew_lease(opener, session)
    if isinstance(held, StartOver):
        return held
    await opener.context.clock.sleep(LOOK_AGAIN_SECONDS)
    return await look_again()


async def find_attempted(opener: Opener, session: Session, found: LookUp) -> Match | None:
    """The thread that an attempt of this generation made, if there is one among those that were found."""
    made = [match for match in found.adoptable if was_attempted(session, match.thread) and match.pointer is None]
    if not made:
        return None
    bot_user_id = await opener.context.discord.current_user_id()
    return next((match for match in made if match.thread.owner_id == bot_user_id), None)


async def create_without_anchor(opener: Opener, session: Session) -> Opened | StartOver:
    """Attempt to create the thread of the claimed session, for which a look-up has just found none.

    Raises TimedOut, with nothing attempted, if the deadline is near: always in the webhook.
    """
    context = opener.context
    body = await _body(opener, session)
    if opener.attempts >= MAX_ATTEMPTS:
        raise OutcomeUnknown(f"{MAX_ATTEMPTS} attempts were made, and no thread is found")
    created = await run_to_end(context.clock, ATTEMPT_SECONDS, _attempt(opener, session, body))
    if isinstance(created, StartOver):
        return created
    return await open_created(opener, *created)


async def commit_attempted(opener: Opener, session: Session, match: Match) -> Opened | StartOver:
    """Commit a thread that an earlier attempt made."""
    write = await commit(opener.context, session, match.thread)
    return await open_created(opener, write.mine, match.thread) if write.won else StartOver.WRITE_LOST


async def open_created(opener: Opener, session: Session, thread: Channel) -> Opened | StartOver:
    """Link the thread that was committed just now."""
    welcome = describe(opener, session, thread) if session.private else invite(opener, thread)
    await gather(welcome, wake_guild(opener.context, session.guild_id))
    return await make_usable(opener, session, thread)


async def _attempt(opener: Opener, session: Session, body: Mapping[str, Any]) -> tuple[Session, Channel] | StartOver:
    """Record the attempt, create the thread and commit it."""
    context = opener.context
    write = await context.store.claims.attempt(session, owner=opener.owner, now=context.clock.now())
    if not write.won:
        return StartOver.LEASE_LOST
    attempted = write.mine
    try:
        channel_id, discord = attempted.parent_channel_id, context.discord
        create = partial(discord.create_thread, channel_id, body, reason=opener.reason)
        thread = await with_room(opener, attempted.guild_id, create)
    except OutcomeUnknown:
        opener.attempts += 1
        return StartOver.OUTCOME_UNKNOWN
    except OnethreadError as error:
        with contextlib.suppress(OnethreadError):  # if it stays on record, the next opener looks twice
            await context.store.claims.forget_attempts(attempted, owner=opener.owner)
        if isinstance(error, DiscordRefused):
            await _raise_refusal(opener, attempted, error)
        raise
    committed = await commit(context, attempted, thread)
    return (committed.mine, thread) if committed.won else StartOver.WRITE_LOST


async def _body(opener: Opener, session: Session) -> dict[str, Any]:
    """The body of Start Thread without Message, or of a post, whose first message describes the session."""
    context, settings = opener.context, await opener.settings(session.parent_channel_id)
    common = {
        "name": context.names.thread_name(session.session_name),
        "auto_archive_duration": settings.archive_after,
    }
    if session.private:  # only moderators may invite others: so who is in is on record
        return {**common, "type": int(ChannelType.PRIVATE_THREAD), "invitable": False}
    applied_tags = await choose_tags(context, opener.request, settings.tag)
    tagged = {"applied_tags": list(applied_tags)} if applied_tags else {}
    return {**common, **tagged, "message": describe_session(context.names, session, now=context.clock.now())}


async def _raise_refusal(opener: Opener, session: Session, refusal: DiscordRefused) -> None:
    if refusal.code == refusals.UNKNOWN_CHANNEL:
        await confirm_channel_gone(opener.context, session.parent_channel_id)
    if refusal.code == refusals.TAG_REQUIRED:  # it has been since the channel was read
        await raise_required(opener.context, opener.request)
    needs = refusals.NEEDED_TO_CREATE_PRIVATE if session.private else refusals.NEEDED_TO_POST
    raise_refused_words(session, refusal, needs)
