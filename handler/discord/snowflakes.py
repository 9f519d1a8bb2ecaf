"""Snowflakes: Discord's ids, which carry the time at which they were made. Always kept as text."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_DIGITS: Final = 20  # of 64 bits

# Discord docs, "API Reference", Snowflakes: milliseconds since the epoch, above 22 bits that tell where it was made.
_BITS: Final = 64
_BELOW_THE_TIME: Final = 22
_EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)
# No leading zero: one thing has one id, and ids are parts of keys.
_SNOWFLAKE: Final = re.compile(rf"[1-9][0-9]{{0,{MAX_DIGITS - 1}}}")


def is_snowflake(text: str) -> bool:
    """Whether the text can be an id: safe to be a part of a path or of a key."""
    return _SNOWFLAKE.fullmatch(text) is not None and int(text) < 2**_BITS


def time_of(snowflake: str) -> datetime:
    """When the thing of that id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(snowflake) >> _BELOW_THE_TIME)


def lowest_at(moment: datetime) -> str:
    """The lowest id that something made at that moment can have: for lists that begin after an id."""
    milliseconds = int((moment - _EPOCH) / timedelta(milliseconds=1))
    return str(max(0, milliseconds) << _BELOW_THE_TIME)
