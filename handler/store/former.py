"""The last threads that a session had before its own: in one attribute of its item, the newest first. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from handler.discord.snowflakes import is_snowflake
from handler.runtime.clock import iso, parse_iso
from handler.store.items import Session

MAX_FORMER: Final = 5  # as many as people look at; each takes some 100 bytes of the item


class Why(StrEnum):
    """Why a session's thread is its thread no more."""

    DELETED = "deleted"  # on Discord
    UNUSED = "unused"  # deleted by housekeeping
    LET_GO = "let_go"  # a moderator ended the session, and somebody else had started the thread
    REPLACED = "replaced"  # an import found a better one, or a moderator chose another one


class FormerThread(msgspec.Struct, frozen=True):
    """A thread that a session had."""

    thread_id: str
    ended_at: str  # when it was found to be over
    why: str  # a `Why`, or what a later version calls it


def former_threads(session: Session) -> tuple[FormerThread, ...]:
    """The newest first. None if the attribute was edited by hand: it is only to be looked at."""
    if session.former is None:
        return ()
    try:
        former = msgspec.json.decode(session.former, type=tuple[FormerThread, ...])
        _ = [parse_iso(one.ended_at) for one in former]
    except (msgspec.DecodeError, ValueError, OverflowError):
        return ()
    return former if all(is_snowflake(one.thread_id) for one in former) else ()


def with_former(session: Session, why: Why, now: datetime) -> dict[str, Any]:
    """The attribute once the session's thread is over; empty if it has none."""
    if session.discord_thread_id is None:
        return {}
    ended = FormerThread(session.discord_thread_id, iso(now), why)
    kept = (ended, *former_threads(session)[: MAX_FORMER - 1])
    return {"former": msgspec.json.encode(kept).decode()}
