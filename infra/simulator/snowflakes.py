"""Ids and times as Discord writes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

# Discord's epoch, the first moment of 2015 (Discord docs, "API Reference: Snowflakes").
_EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)
# A snowflake is the milliseconds since the epoch, above this many lower bits (same page).
TIME_SHIFT: Final = 22
_MILLISECOND: Final = timedelta(milliseconds=1)


def lowest_snowflake(moment: datetime) -> int:
    """The smallest snowflake of that millisecond."""
    return ((moment - _EPOCH) // _MILLISECOND) << TIME_SHIFT


def snowflake_time(snowflake: str) -> datetime:
    """When the snowflake was allotted, to the millisecond."""
    return _EPOCH + _MILLISECOND * (int(snowflake) >> TIME_SHIFT)


def timestamp(moment: datetime) -> str:
    """A time as in Discord's JSON: ISO 8601, six decimals, a numeric offset."""
    return moment.isoformat(timespec="microseconds")


def parse_timestamp(text: str) -> datetime:
    """The time that an ISO 8601 text names, in UTC if it has no offset. Raises ValueError if it is not such a text."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
