"""Reuse: the session has its thread. One GET; one PATCH if it is archived or its lock may be lifted; then the link."""

import contextlib
from typing import Final

from handler.clock import Deadline
from handler.concurrency import together
from handler.discord import permissions
from handler.discord.models import Channel
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    MissingPermissions,
    NotFound,
    OnethreadError,
    ThreadLocked,
)
from handler.sessions import decide
from handler.sessions.deleting import finish_for_opener
from handler.sessions.ending import end_generation
from handler.sessions.lookup import asking
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.ports import Journey, Ports
from handler.table.items import Session, Status
from handler.time_limit import within

INVITE_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time


async def reuse(ports: Ports, session: Session, request: OpenRequest, journey: Journey) -> Opened | None:
    """Link the thread on record, usable. None: it was deleted, or the session went on: read it again.

    Raises ThreadLocked, with what was found, when it is locked and the requester may not unlock it.
    """
    assert session.discord_thread_id is not None  # noqa: S101 - callers branch on the status
    if session.deleting_at is not None:  # housekeeping began, and whoever comes by finishes
        journey.anew = await finish_for_opener(ports, session) or journey.anew
        return None
    question = ports.discord.channel(session.discord_thread_id)
    try:
        thread = await asking(ports, session.parent_channel_id, question, ())
    except NotFound as missing:
        found = await _vanished(ports, session, missing, journey)
        if found is None:
            return None
        thread = found
    return await make_usable(ports, session, thread, request, journey)


async def make_usable(
    ports: Ports, session: Session, thread: Channel, request: OpenRequest, journey: Journey, *, adopted: bool = False
) -> Opened | None:
    """Unarchive and unlock as far as needed and allowed, write down what differs, and answer."""
    requester, unlocked, reopened = request.requester, False, False
    if thread.locked and not decide.may_unlock(session, thread, requester, ports.unlock_policy, ports.application_id):
        recorded = await _write_down(ports, session, thread, session.status)
        if recorded is None or (recorded.delete_locking_at is not None and session.delete_locking_at is None):
            return None  # read again: the session went on, or housekeeping locked the thread and no moderator
        raise ThreadLocked(_opened(ports, recorded, thread, request, journey, adopted=adopted))
    if thread.archived or thread.locked:
        unlocked, reopened = thread.locked, True
        try:
            thread = await _change(ports, session, thread, requester)
        except NotFound as missing:
            if await _vanished(ports, session, missing, journey) is None:
                return None
            raise DiscordUnavailable(str(missing)) from missing
    writing = _write_down_in_use(ports, session, thread, adopted=adopted)
    if reopened or adopted:
        recorded, _ = await together(writing, invite(ports, thread.id, requester))
    else:
        recorded = await writing
    if recorded is None:
        return None
    recorded = await _with_topic(ports, recorded, request.topic)
    return _opened(ports, recorded, thread, request, journey, adopted=adopted, reopened=reopened, unlocked=unlocked)


async def invite(ports: Ports, thread_id: str, requester: Requester) -> None:
    """Add the requester to the thread, so that it shows in his list. Best effort: the link works without it."""
    if requester.user_id is not None:
        adding = ports.discord.add_thread_member(thread_id, requester.user_id)
        with contextlib.suppress(OnethreadError):
            await within(ports.clock, Deadline.after(ports.clock.now(), INVITE_SECONDS), adding)


async def _vanished(ports: Ports, session: Session, missing: NotFound, journey: Journey) -> Channel | None:
    if missing.code != decide.UNKNOWN_CHANNEL:
        raise DiscordUnavailable(str(missing)) from missing
    found = await end_generation(ports, session)
    journey.anew = journey.anew or found is None
    return found


async def _change(ports: Ports, session: Session, thread: Channel, requester: Requester) -> Channel:
    """The one PATCH: an archived thread can be changed only in a request that unarchives it."""
    needs = decide.TO_UNLOCK if thread.locked else decide.TO_UNARCHIVE
    if requester.app_permissions is not None:
        missing = permissions.missing(requester.app_permissions, needs)
        if missing:
            raise MissingPermissions(missing)
    question = ports.discord.change_thread(
        thread.id, archived=False, locked=False if thread.locked else None, reason=f"Session {session.session_key}"
    )
    try:
        return await question
    except NotFound:
        raise
    except DiscordRefused as refusal:
        decide.tell(refusal, needs)


async def _write_down(ports: Ports, session: Session, thread: Channel, status: Status) -> Session | None:
    """Bring the record up to date, if it differs. None: the session has another thread by now."""
    now = ports.clock.now()
    changes = decide.traced(session, thread, decide.differences(session, thread, status, now), now, ports.trace_after)
    if not changes:
        return session
    if thread.name != session.thread_name:  # first: once the name is on record, nobody sees that it is new
        await _note_new_name(ports, session, thread)
    write = await ports.store.observe(session, changes)
    return write.session if write.won else None


async def _write_down_in_use(ports: Ports, session: Session, thread: Channel, *, adopted: bool) -> Session | None:
    recorded = await _write_down(ports, session, thread, Status.OPEN)
    # A guild that is given up has all its active sessions marked: the use of another one needs no note.
    if adopted or session.archived or session.unreachable_since is not None:
        await note_use(ports, session.guild_id)
    return recorded


async def note_use(ports: Ports, guild_id: str) -> None:
    """The guild is in use: a reconciler that gave it up for a while comes back at once. Best effort.

    After the write that it goes with, so that an answer waits for nobody: it is beside the invitation.
    """
    with contextlib.suppress(OnethreadError):
        await ports.store.guild_in_use(guild_id, now=ports.clock.now())


async def _note_new_name(ports: Ports, session: Session, thread: Channel) -> None:
    """A name that reads as another session's own: who opens that one is led here, unless it has its own thread."""
    key = ports.names.session_key_of(thread.name or "")
    if key is not None and key != session.session_key:
        await ports.store.note_namesake(
            session.parent_channel_id, key, thread.id, guild_id=session.guild_id, active=not thread.archived
        )


async def _with_topic(ports: Ports, session: Session, topic: str | None) -> Session:
    """The first topic given stays; a session without one takes this one."""
    if topic is None or session.topic is not None:
        return session
    write = await ports.store.add_topic(session, topic)
    return write.mine if write.won else session


def _opened(
    ports: Ports,
    session: Session,
    thread: Channel,
    request: OpenRequest,
    journey: Journey,
    *,
    adopted: bool = False,
    reopened: bool = False,
    unlocked: bool = False,
) -> Opened:
    return Opened(
        outcome=decide.outcome(session, owner=request.requester.owner, adopted=adopted, reopened=reopened),
        session=decide.fresh(session, thread),
        asked=request.name.key,
        unlocked=unlocked,
        anew=journey.anew,
        waited=journey.waited,
    )
