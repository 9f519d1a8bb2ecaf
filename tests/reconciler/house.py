"""The ground on which housekeeping is tried: the reconciler's, with settings, and a gate before each call of a run."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Concatenate, Final, ParamSpec

import httpx

from handler.discord.rest import build_client
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.run import run_once
from tests.kit import virtual_time
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, NAMES, Ground, prepared

P = ParamSpec("P")
DAY_MINUTES: Final = 24 * 60.0
BETWEEN_RUNS: Final = 5.0  # minutes, as the schedule has it
DELETES: Final = HousekeepingSettings.of(0, 30, "delete")
CLOSES: Final = HousekeepingSettings.of(0, 30, "archive")
ARCHIVES: Final = HousekeepingSettings.of(24, 0, "archive")

runs: ContextVar[bool] = ContextVar("runs", default=False)  # whether the reconciler is at work in this task


class House(Ground):
    """One guild, and what its housekeeping is to do."""

    def __init__(self, wanted: HousekeepingSettings) -> None:
        self.wanted, self.trace_after = wanted, wanted.trace_after
        self.gate: Callable[[], Awaitable[None]] | None = None  # awaited after each call of a run,
        self.gates_everybody = False  # or of anybody
        super().__init__()
        self.http = build_client("https://discord.test/api/v10", transport=_Gated(self, self.http))
        self.restart()

    async def report(self) -> Counter[str]:
        """One run, in a process of its own; all that it tells."""
        self.calls.clear()
        token = runs.set(True)
        try:
            return await run_once(self.sessions.context, GUILD, self.now, pace=Pace(self.clock), settings=self.wanted)
        finally:
            runs.reset(token)

    async def steps(self) -> dict[str, int]:
        """One run, and what it carried out of housekeeping."""
        counts = await self.reconcile()
        return {
            name: n
            for name, n in counts.items()
            if name not in ("UpdateSession", "MoveToEnd", "AdvanceWatermark", "failed") and n
        }

    async def opened_elsewhere(self, name: str) -> str:
        """Somebody opens the session in another process, whoever is at work here; the id of the thread that he is led to."""
        token = runs.set(False)
        try:
            return (await self.open(name)).thread_id
        finally:
            runs.reset(token)

    async def _call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = await super()._call(operation, **parameters)
        await self.passed()
        return answer

    async def passed(self) -> None:
        """A call had its effect: what is to happen before the next one happens."""
        if self.gate is not None and (self.gates_everybody or runs.get()):
            await self.gate()

    def post(self, thread_id: str) -> str:
        return self.discord.people.post_message(thread_id, "still here", now=self.now, by=MODERATOR)

    def lives(self, thread_id: str) -> bool:
        return thread_id in self.discord.threads

    def living(self, name: str) -> list[str]:
        """The threads that bear the session's name."""
        key = NAMES.parse(name).key
        return [t.id for t in self.discord.threads.values() if t.parent_id == CHANNEL and NAMES.bears(t.name, key)]

    async def idle(self, name: str = "old", *, days: float = 31, archived: bool = True) -> str:
        """A session that was opened and then left alone for so long; its thread, which Discord's timer archived."""
        thread_id = (await self.open(name)).thread_id
        await self.wait(minutes=60)
        if archived:
            self.discord.people.auto_archive(thread_id, now=self.now)
        await self.reconcile()
        await self.wait(minutes=days * DAY_MINUTES)
        return thread_id

    async def between_runs(self) -> None:
        await self.wait(minutes=BETWEEN_RUNS)


class _Gated(httpx.AsyncBaseTransport):
    """The ground's own transport, and after it the gate."""

    def __init__(self, house: House, inner: httpx.AsyncClient) -> None:
        self._house = house
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner._transport.handle_async_request(request)
        await self._house.passed()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def housed(
    wanted: HousekeepingSettings,
) -> Callable[[Callable[Concatenate[House, P], Coroutine[Any, Any, None]]], Callable[P, None]]:
    """Make a test of an async function that takes the house: it is played in virtual time."""

    def decorate(scenario: Callable[Concatenate[House, P], Coroutine[Any, Any, None]]) -> Callable[P, None]:
        def test(*args: P.args, **given: P.kwargs) -> None:
            virtual_time.run(play(wanted, lambda house: scenario(house, *args, **given)))

        return virtual_time.without_first(test, scenario)

    return decorate


async def play(wanted: HousekeepingSettings, scenario: Callable[[House], Awaitable[None]]) -> None:
    house = House(wanted)
    await prepared(house)
    try:
        await scenario(house)
    finally:
        await house.http.aclose()
