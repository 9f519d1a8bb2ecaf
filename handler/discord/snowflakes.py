"""Snowflakes: Discord's ids, which contain the time of their creation. Always kept as text."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

MAX_DIGITS: Final = 20  # of 64 bits

# Discord docs, "API Reference", Snowflakes: milliseconds since the epoch, above 22 bits of worker, process and increment.
_BITS: Final = 64
_BITS_BELOW_TIME: Final = 22
_EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)
# No leading zero: ids are parts of keys, so each must have one spelling.
_SNOWFLAKE: Final = re.compile(rf"[1-9][0-9]{{0,{MAX_DIGITS - 1}}}")


def id_field(description: str) -> msgspec.Meta:
    """What is said of a program's field that holds an id."""
    pattern = {"pattern": "^[1-9][0-9]{0,19}$"}
    return msgspec.Meta(description=description, extra={"check": is_snowflake}, extra_json_schema=pattern)


def is_snowflake(text: str) -> bool:
    """Whether the text can be an id, and so is safe as part of a path or key."""
    return _SNOWFLAKE.fullmatch(text) is not None and int(text) < 2**_BITS


def time_of(snowflake: str) -> datetime:
    """When the id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(snowflake) >> _BITS_BELOW_TIME)


def lowest_at(moment: datetime) -> str:
    """The lowest id that can be made at that moment, for lists that begin after an id."""
    milliseconds = int((moment - _EPOCH) / timedelta(milliseconds=1))
    return str(max(0, milliseconds) << _BITS_BELOW_TIME)
