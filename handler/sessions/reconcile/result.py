"""What came of one action of a run, and which errors concern only that action."""

from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from handler.errors import BotTokenRefused, OnethreadError, RateLimited, StoreUnavailable
from handler.sessions.context import Context
from handler.store.items import Session
from handler.store.writes import Write

T = TypeVar("T")


class ActionResult(StrEnum):
    """What came of an action. The value is its name in the counts; what is DONE is counted by the action's name."""

    DONE = "done"
    LOST = "lost"  # somebody else changed the item first, or used the session
    FOUND = "Found"  # the thread that seemed gone exists
    OUT_OF_REACH = "OutOfReach"  # the thread seems gone, but its channel cannot be read


def result_of(write: Write, won: ActionResult = ActionResult.DONE) -> ActionResult:
    """The result of an action that is this write."""
    return won if write.won else ActionResult.LOST


async def update_session(
    context: Context, session: Session, changes: Mapping[str, Any], won: ActionResult = ActionResult.DONE
) -> ActionResult:
    """Update the session, if there are changes, on condition that it is as it was read."""
    if not changes:
        return won
    return result_of(await context.store.sessions.update(session, changes, as_read=True), won)


async def try_one(work: Awaitable[T]) -> T | OnethreadError:
    """Await work that may fail without ending the run: return its result, or its error.

    Raises what would fail all the rest, too: BotTokenRefused, RateLimited, StoreUnavailable.
    """
    try:
        return await work
    except (BotTokenRefused, RateLimited, StoreUnavailable):
        raise
    except OnethreadError as error:
        return error
