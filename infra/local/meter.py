"""What something cost, counted at the wires: requests to Discord, requests to DynamoDB, seconds."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from infra.local.people import call
from infra.local.stack import Stack


@dataclass(frozen=True)
class Cost:
    discord: int
    dynamodb: int
    seconds: float


class Meter:
    """Counts from here on, what is about these ids (of guilds, channels, threads, interactions) alone, or all but that."""

    def __init__(
        self,
        stack: Stack,
        *,
        only_about: Callable[[], Collection[str]] | None = None,
        not_about: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._stack = stack
        self._only, self._not = only_about, not_about
        self._discord = stack.discord.count
        self._dynamodb = len(_asked(stack, 0))
        self._began = time.perf_counter()

    def cost(self) -> Cost:
        """Since the beginning."""
        seconds = time.perf_counter() - self._began
        asked = [set(path.split("/")) for _, path in self._stack.discord.asked(self._discord)]
        keys = [set(ids) for _, ids in _asked(self._stack, self._dynamodb)]
        return Cost(sum(map(self._counts, asked)), sum(map(self._counts, keys)), seconds)

    def _counts(self, ids: set[str]) -> bool:
        if self._only is not None:
            return bool(ids & set(self._only()))
        return not (self._not is not None and ids & set(self._not()))


def _asked(stack: Stack, since: int) -> list[tuple[str, list[str]]]:
    """What DynamoDB was asked: operations, with the ids in their keys."""
    asked: list[tuple[str, list[str]]] = call("GET", f"{stack.aws_url}/_/requests?since={since}")
    return asked
