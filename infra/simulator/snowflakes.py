"""Ids and times as Discord writes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

# Discord's epoch, the first moment of 2015 (Discord docs, "API Reference: Snowflakes").
EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)
# A snowflake is milliseconds since the epoch above 22 lower bits (same page).
TIME_SHIFT: Final = 22
_MILLISECOND: Final = timedelta(milliseconds=1)


def lowest_at(moment: datetime) -> int:
    """The smallest snowflake of that millisecond."""
    return ((moment - EPOCH) // _MILLISECOND) << TIME_SHIFT


def time_of(snowflake: str) -> datetime:
    """When the snowflake was allotted, to the millisecond."""
    return EPOCH + _MILLISECOND * (int(snowflake) >> TIME_SHIFT)


def timestamp(moment: datetime) -> str:
    """A time as Discord's JSON has it: ISO 8601, six decimals, a numeric offset."""
    return moment.isoformat(timespec="microseconds")


def parse_timestamp(text: str) -> datetime:
    """The moment that an ISO 8601 text names; without an offset it means UTC.

    Raises ValueError if it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
