"""What came of one action of a run, and which errors concern only that action."""

from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from handler.errors import BotTokenRefused, OnethreadError, RateLimited, StoreUnavailable
from handler.runtime import telemetry
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


def log_action(action: object, result: "ActionResult | OnethreadError") -> None:
    """Log an action on a session that the run carried out, so that the log says what became of the session."""
    session = getattr(action, "session", None)
    if session is not None:
        ids = {"channel_id": session.parent_channel_id, "session_key": session.session_key}
        what = result.value if isinstance(result, ActionResult) else result.kind
        telemetry.logger.info("reconciled", extra={"action": type(action).__name__, "result": what, **ids})


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
