"""Counts requests to Discord and to DynamoDB on the wire, and seconds."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from infra.local.http_client import call
from infra.local.stack import Stack


@dataclass(frozen=True)
class Cost:
    """Requests to each, and seconds."""

    discord: int
    dynamodb: int
    seconds: float


class RequestCounter:
    """Counts from its construction on.

    `only_about`, `not_about`: count the requests about these ids (of guilds, channels, threads), or all others.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        only_about: Callable[[], Collection[str]] | None = None,
        not_about: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._stack = stack
        self._only, self._not = only_about, not_about
        self._discord = stack.discord.request_count
        self._dynamodb: int = call("GET", f"{stack.aws_url}/_/requests/count")
        self._began = time.perf_counter()

    def cost(self) -> Cost:
        """The cost so far."""
        seconds = time.perf_counter() - self._began
        discord = [set(path.split("/")) for _, path in self._stack.discord.requests_since(self._discord)]
        dynamodb = [set(ids) for _, ids in _dynamodb_requests(self._stack, self._dynamodb)]
        return Cost(sum(map(self._counts, discord)), sum(map(self._counts, dynamodb)), seconds)

    def _counts(self, ids: set[str]) -> bool:
        if self._only is not None:
            return bool(ids & set(self._only()))
        return not (self._not is not None and ids & set(self._not()))


def _dynamodb_requests(stack: Stack, since: int) -> list[tuple[str, list[str]]]:
    """Operations, each with the ids in its keys."""
    requests: list[tuple[str, list[str]]] = call("GET", f"{stack.aws_url}/_/requests?since={since}")
    return requests
