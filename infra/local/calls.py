"""Which environment a call comes from: its addresses of Discord and AWS begin with its number.

So the local stack can show each call inside the invocation that made it, and the handlers know nothing of it.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# In the value of a variable: the number of the environment takes its place.
NUMBER: Final = "{environment}"
_PREFIX: Final = "/environments/"
_PATH: Final = re.compile(rf"{_PREFIX}([0-9]+)(?=/|$)")


@dataclass(frozen=True)
class Call:
    """One call of an environment to Discord or to AWS. Times are epoch seconds."""

    environment: int
    service: str  # "discord", "dynamodb", "sqs", "ssm", "events" or "states"
    what: str  # method and path, or the operation
    began: float
    seconds: float
    status: int  # of HTTP; 0: no answer


def address_for_environments(url: str) -> str:
    """The base address `url` with a place for the number of the environment that uses it."""
    origin, slash, path = url.partition("//")[2].partition("/")
    return f"http://{origin}{_PREFIX}{NUMBER}{slash}{path}"


def split_environment(path: str) -> tuple[int | None, str]:
    """The number of the environment in a path, and the path without it."""
    found = _PATH.match(path)
    return (int(found[1]), path[found.end() :] or "/") if found else (None, path)


def with_number(variables: Mapping[str, str], number: int) -> dict[str, str]:
    """The variables of one environment."""
    return {name: value.replace(NUMBER, str(number)) for name, value in variables.items()}


class Stopwatch:
    """When something began, and how long it took."""

    def __init__(self) -> None:
        self.began = time.time()
        self._counter = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._counter
