"""What is measured, each in a world of its own: seconds of virtual time, and requests."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from handler.config import ApiConfig, WebhookConfig
from infra.bench.rivals import Rivals
from infra.bench.world import World, play
from infra.cost.counted_table import Use
from infra.cost.measure import measure as measure_reconciler

T = TypeVar("T")


@dataclass(frozen=True)
class Taken:
    """What one open took."""

    seconds: float
    use: Use


@dataclass(frozen=True)
class Crowd:
    """So many openers of one new name at once: the threads there are afterwards, and when the last one had its answer."""

    threads: int
    seconds: float
    discord: float


def reuse(archived: int = 0) -> dict[str, Taken]:
    """The session is open, and so is its thread."""
    return play(partial(_one_open, names=("known",) * 4, is_open=True), archived=archived)


def creation(archived: int = 0) -> dict[str, Taken]:
    """There is no thread of that name among those of the channel's past."""
    return play(partial(_one_open, names=("a", "b", "c", "d"), is_open=False), archived=archived)


async def _one_open(world: World, names: Sequence[str], is_open: bool) -> dict[str, Taken]:
    """What each way takes, one after the other, with a name of its own."""
    environment, rivals = world.environment(WebhookConfig), Rivals(world)
    if is_open:
        await world.command(environment, names[0])
    ways: dict[str, Callable[[str], Coroutine[Any, Any, object]]] = {
        "floor": rivals.floor_of_reuse if is_open else rivals.floor_of_creation,
        "Onethread": partial(world.command, environment),
        "list-and-create": rivals.list_and_create,
        "defer-always": rivals.defer_always,
    }
    taken = {}
    for (way, work), name in zip(ways.items(), names, strict=True):
        seconds, use, _ = await world.timed(work(name))
        taken[way] = Taken(seconds, use)
    await rivals.close()
    return taken


def crowd(number: int) -> dict[str, Crowd]:
    """As many environments open one new name at once, under Discord's 50 requests a second."""

    async def with_onethread(world: World) -> Crowd:
        environments = [world.environment(ApiConfig) for _ in range(number)]
        works = [world.program(environment, "new") for environment in environments]
        seconds, use, answers = await world.timed(_all(works))
        assert len({answer["thread"]["id"] for answer in answers}) == 1
        return Crowd(world.threads("new"), seconds, use.discord)

    async def with_lists(world: World) -> Crowd:
        bots = [Rivals(world) for _ in range(number)]
        seconds, use, _ = await world.timed(_all([bot.list_and_create("new") for bot in bots]))
        for bot in bots:
            await bot.close()
        return Crowd(world.threads("new"), seconds, use.discord)

    return {
        "Onethread": play(with_onethread, limited=True),
        "list-and-create": play(with_lists, limited=True),
    }


def stream(per_second: float, lasting: float) -> float:
    """The longest that one of so many new sessions a second takes, under Discord's 50 requests a second."""

    async def scenario(world: World) -> float:
        longest = 0.0

        async def open_at(number: int) -> None:
            nonlocal longest
            await asyncio.sleep(number / per_second)
            seconds, _, _ = await world.timed(world.program(world.environment(ApiConfig), f"new {number}"))
            longest = max(longest, seconds)

        await asyncio.gather(*(open_at(number) for number in range(round(per_second * lasting))))
        return longest

    return play(scenario, limited=True)


def reconciler_calls(sessions: int) -> float:
    """Requests to Discord of one run over a guild in which nothing has changed."""
    return measure_reconciler(sessions).quiet.discord


async def _all(works: Sequence[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*works))
