"""What came of one action of a run, and which errors concern only that action."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import TypeVar

from handler.errors import BotTokenRefused, OnethreadError, RateLimited, StoreUnavailable

T = TypeVar("T")


class ActionResult(StrEnum):
    """What came of an action. The value is its name in the counts; what is DONE is counted by the action's name."""

    DONE = "done"
    LOST = "lost"  # somebody else changed the item first, or used the session
    FOUND = "Found"  # the thread that seemed gone exists
    OUT_OF_REACH = "OutOfReach"  # the thread seems gone, but its channel cannot be read

    @classmethod
    def of_write(cls, *, won: bool) -> "ActionResult":
        return cls.DONE if won else cls.LOST


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
