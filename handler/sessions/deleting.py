"""Deleting a session's thread for good: nobody loses a fresh message, and nobody is led to a dead link.

    mark    the session, with the thread's last message           a run of housekeeping
    wait    for a later run, MARKED_FOR after: messages may come
    lock    the thread, noted on record before it is done         a later run, from here on
    look    is the last message still that one?
    take    the mark, unless an open has cleared it
    look    once more, because moderators write in locked threads, too
    delete  the thread, then the generation ends as `ending` describes

Any open of a session that has been idle writes before it links, and clears the mark with it: then the take is lost, or
the next run sees that it was opened. Once the mark is taken that write is lost, and the opener finishes the deletion
instead, then makes the session anew. Who dies on the way leaves a mark that a later
run goes on from, or a lock that is on record as ours, which any open lifts and a later run gives back.

A taken mark is given back only when somebody has unlocked the thread and written in it after all, and only OVER_AFTER
later: before that, whoever took it may be about to delete.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from handler.clock import parse_iso
from handler.discord.models import Channel
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound
from handler.sessions import decide
from handler.sessions.ending import end_generation
from handler.sessions.housekeeping import last_message, untouched
from handler.sessions.ports import Ports
from handler.table.items import Session

REASON: Final = "Onethread: no activity for the time set in DeleteAfterDays"

STILL_DELETING: Final = (
    "The old thread of this session is being deleted, and somebody used it meanwhile. Try again in a few minutes."
)


class Deletion(Enum):
    """How far a deletion came."""

    DONE = auto()
    KEPT = auto()  # the thread stays: it was used meanwhile
    UNDER_WAY = auto()  # to be finished later


async def delete_marked(ports: Ports, session: Session) -> Deletion:
    """Lock, look, take and delete: for a session whose mark was read and is old enough."""
    thread = await _locked(ports, session)
    if thread is None:
        return Deletion.KEPT
    if untouched(session, thread):
        taken = await ports.store.take_mark(session, thread, now=ports.clock.now())
        if taken.won:
            return await finish(ports, taken.mine)
        if taken.session is not None and taken.session.deleting_at is not None:
            return Deletion.UNDER_WAY  # another run was quicker
    await leave(ports, session)
    return Deletion.KEPT


async def leave(ports: Ports, session: Session) -> bool:
    """The thread stays: the mark that was read goes, and a lock of ours with it. False: it was not there any more."""
    write = await ports.store.unmark(session, now=ports.clock.now())
    await unlock_ours(ports, session)
    return write.won


async def finish(ports: Ports, session: Session) -> Deletion:
    """Delete the thread of a session whose mark was taken, and end the generation. May be repeated by anyone."""
    taken = await _taken(ports, session)
    if taken is None:
        return Deletion.UNDER_WAY  # somebody else has just gone on with it
    try:
        if not await _delete_untouched(ports, taken):
            return await _given_back(ports, session, taken)
    except NotFound as missing:  # somebody was quicker
        _must_be_gone(missing)
    except DiscordRefused as refusal:
        decide.tell(refusal, decide.TO_UNLOCK)
    found = await end_generation(ports, taken)
    return Deletion.DONE if found is None else Deletion.UNDER_WAY


async def _delete_untouched(ports: Ports, session: Session) -> bool:
    """Whether the thread was deleted; False: somebody has written in it since it was marked."""
    thread = await ports.discord.channel(session.discord_thread_id or "")
    if last_message(thread) == session.delete_marked_message:
        thread = await _locked_again(ports, thread)
    if not untouched(session, thread):
        return False
    await ports.discord.delete_thread(thread.id, reason=REASON)
    return True


async def finish_for_opener(ports: Ports, session: Session) -> bool:
    """Whether the thread is gone and the session is to be made anew; False: it stays, read again.

    Raises DiscordUnavailable while neither can be told.
    """
    match await finish(ports, session):
        case Deletion.DONE:
            return True
        case Deletion.KEPT:
            return False
        case Deletion.UNDER_WAY:
            raise DiscordUnavailable("a deletion is under way", message=STILL_DELETING)


async def unlock_ours(ports: Ports, session: Session) -> None:
    """Open the thread if it is locked and housekeeping did that. The note of it stays for a while: see `release`.

    `session` is as it was read: while it was marked, the lock was ours.
    """
    current = await ports.store.session(session.parent_channel_id, session.session_key)
    if current is None or current.discord_thread_id != session.discord_thread_id or current.delete_locking_at is None:
        return
    if current.deleting_at is not None:
        return
    thread = await _living(ports, current)
    believed = msgspec.structs.replace(current, delete_marked_at=session.delete_marked_at)
    if thread is not None and thread.locked and decide.locked_by_housekeeping(believed, thread, ports.application_id):
        await ports.discord.change_thread(thread.id, archived=False, locked=False, reason="Onethread: it is in use")


async def release(ports: Ports, session: Session) -> None:
    """Long after housekeeping locked a thread that it then left alone: no lock of ours is left, nor the note of it."""
    await unlock_ours(ports, session)
    await ports.store.forget_locking(session)


async def _locked(ports: Ports, session: Session) -> Channel | None:
    """The thread, locked and archived, as it is then. None: the mark is gone."""
    thread = await _living(ports, session)
    if thread is None:
        raise DiscordUnavailable("a marked thread does not answer: its absence is the reconciler's to judge")
    if last_message(thread) != session.delete_marked_message or (thread.locked and thread.archived):
        return thread
    if not thread.locked and not (await ports.store.note_locking(session, now=ports.clock.now())).won:
        return None
    return await _locked_again(ports, thread)


async def _locked_again(ports: Ports, thread: Channel) -> Channel:
    """The thread, locked and archived, as it is then. An open that lost against the take may have unlocked it."""
    if thread.locked and thread.archived:
        return thread
    if thread.archived:  # it cannot be locked before it is opened, and opened unlocked anybody could write in it
        await ports.discord.change_thread(thread.id, archived=False, locked=True, reason=REASON)
    await ports.discord.change_thread(thread.id, archived=True, locked=True, reason=REASON)
    return await ports.discord.channel(thread.id)


async def _living(ports: Ports, session: Session) -> Channel | None:
    assert session.discord_thread_id is not None  # noqa: S101 - only sessions with a thread are marked
    try:
        return await ports.discord.channel(session.discord_thread_id)
    except NotFound as missing:
        _must_be_gone(missing)
        return None


async def _taken(ports: Ports, session: Session) -> Session | None:
    """The session, taken so lately that nobody gives the thread back before a request of ours has landed."""
    assert session.deleting_at is not None  # noqa: S101 - it was taken
    now = ports.clock.now()
    if now - parse_iso(session.deleting_at) < decide.OVER_AFTER / 2:
        return session
    write = await ports.store.take_again(session, now=now)
    return write.mine if write.won else None


async def _given_back(ports: Ports, read: Session, taken: Session) -> Deletion:
    """Nobody can be about to delete any more, if who took the mark did so long ago. `read`: as it was before ours."""
    if ports.clock.now() - parse_iso(read.deleting_at or "") < decide.OVER_AFTER:
        return Deletion.UNDER_WAY
    await ports.store.give_back(taken)
    return Deletion.KEPT


def _must_be_gone(missing: NotFound) -> None:
    if missing.code != decide.UNKNOWN_CHANNEL:
        raise DiscordUnavailable(str(missing)) from missing
