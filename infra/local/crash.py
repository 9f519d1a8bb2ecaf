"""A crash between Discord's answer and the table, for real: the function's process is killed once the thread is there.

It plays in a server of its own beside the other steps, because whoever comes next waits until the lease of the dead one
has run out, which is quarter of a minute.
"""

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from infra.local.functions import Environment
from infra.local.meter import Cost, Meter
from infra.local.people import Discord, Person, Place, Seen
from infra.local.stack import Stack
from infra.simulator.faults import HANG

PLACE: Final = Place("1200000000000000011", "1200000000000000012")
NAME: Final = "deploy-eu"
# The dead one's lease is 10 seconds; a busy machine takes its time besides.
PATIENCE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.02

T = TypeVar("T")


@dataclass(frozen=True)
class Crash:
    """What happened. `orphans`: the threads at the moment of the crash, names by id."""

    killed: int
    orphans: dict[str, str]
    first: Seen
    second: Seen
    cost: Cost


class CrashScene:
    """Begins at once, in a thread of its own."""

    def __init__(self, stack: Stack, discord: Discord, person: Person) -> None:
        self._stack, self._discord, self._person = stack, discord, person
        with stack.discord.lock:
            stack.discord.discord.add_guild(PLACE.guild_id, name="Harbour")
            stack.discord.discord.add_channel(PLACE.guild_id, PLACE.channel_id, name="deploys")
        self._played = beside(self._play)

    def result(self) -> Crash:
        """Wait until it is over. Raises TimeoutError, or whatever went wrong."""
        return self._played.result(PATIENCE_SECONDS)

    def ids(self) -> Collection[str]:
        """What requests of this scene are about."""
        discord = self._stack.discord
        return {PLACE.guild_id, PLACE.channel_id, *discord.living(PLACE.channel_id)}

    def _play(self) -> Crash:
        meter = Meter(self._stack, only_about=self.ids)
        with self._stack.discord.lock:
            # The thread is started, and the answer never comes.
            route = f"/channels/{PLACE.channel_id}/messages/*/threads"
            self._stack.discord.discord.faults.inject("POST", route, HANG, when="after")
        asking = beside(partial(self._discord.open, self._person, PLACE, NAME))
        victim, orphans = self._wait_for_thread()
        victim.kill()
        first = asking.result(PATIENCE_SECONDS)
        second = self._discord.read(self._discord.open(self._person, PLACE, NAME), PATIENCE_SECONDS)
        return Crash(victim.pid, orphans, first, second, meter.cost())

    def _wait_for_thread(self) -> tuple[Environment, dict[str, str]]:
        """Until Discord has the thread; who asked for it is still waiting for the answer."""
        overdue = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < overdue:
            orphans = self._stack.discord.living(PLACE.channel_id)
            asking = [e for name in ("WebhookFunction", "WorkerFunction") for e in self._stack.pools[name].running()]
            victims = [e for e in asking if PLACE.channel_id in str(e.event)]
            if orphans and victims:
                return victims[0], orphans
            if self._stack.discord.closing.wait(LOOK_SECONDS):
                break
        raise TimeoutError("no thread was started")


def beside(work: Callable[[], T]) -> "Future[T]":
    """Do it in a thread that keeps nobody from ending."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as fault:
            done.set_exception(fault)

    threading.Thread(target=run, name="beside the tour", daemon=True).start()
    return done
