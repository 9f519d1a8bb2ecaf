"""A real crash between Discord's answer and the table: the function's process is killed once the thread exists.

It plays in a guild of its own at the same time as the other scenarios: the next opener waits until the lease of the killed
one has run out, and that takes a quarter of a minute.
"""

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from infra.local.discord_client import Answer, Channel, DiscordClient, User
from infra.local.functions import Environment
from infra.local.request_counter import Cost, RequestCounter
from infra.local.stack import Stack
from infra.simulator.faults import HANG

CHANNEL: Final = Channel("1200000000000000011", "1200000000000000012")
NAME: Final = "deploy-eu"
# The lease is 10 seconds; a busy machine needs more time.
MAX_WAIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.02

T = TypeVar("T")


@dataclass(frozen=True)
class Crash:
    """What happened."""

    killed_pid: int
    threads_at_crash: dict[str, str]  # names by id
    first: Answer  # to the command whose function was killed
    second: Answer  # to the same command again
    cost: Cost


class CrashScenario:
    """Starts at once, in a background thread."""

    def __init__(self, stack: Stack, discord: DiscordClient, user: User) -> None:
        self._stack, self._discord, self._user = stack, discord, user
        self._future = _run_in_background(self._play)

    def result(self) -> Crash:
        """Wait until it is over. Raises TimeoutError, or whatever went wrong."""
        return self._future.result(MAX_WAIT_SECONDS)

    def ids(self) -> Collection[str]:
        """The ids that this scenario's requests are about."""
        return self._stack.discord.ids_in(CHANNEL.guild_id)

    def _play(self) -> Crash:
        counter = RequestCounter(self._stack, only_about=self.ids)
        with self._stack.discord.lock:
            # The thread is started, and the answer never comes.
            route = f"/channels/{CHANNEL.id}/messages/*/threads"
            self._stack.discord.discord.faults.inject("POST", route, HANG, when="after")
        opening = _run_in_background(partial(self._discord.open, self._user, CHANNEL, NAME))
        victim, threads = self._wait_for_thread()
        victim.kill()
        first = opening.result(MAX_WAIT_SECONDS)
        second = self._discord.open_and_retry(self._user, CHANNEL, NAME)[-1]
        return Crash(victim.pid, threads, first, second, counter.cost())

    def _wait_for_thread(self) -> tuple[Environment, dict[str, str]]:
        """Wait until Discord has the thread. Returns the environment that still waits for the answer, and the threads."""
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while time.monotonic() < deadline:
            threads = self._stack.discord.thread_names(CHANNEL.id)
            working = [e for name in ("WebhookFunction", "WorkerFunction") for e in self._stack.pools[name].running()]
            victims = [e for e in working if CHANNEL.id in str(e.event)]
            if threads and victims:
                return victims[0], threads
            if self._stack.discord.closing.wait(POLL_SECONDS):
                break
        raise TimeoutError("no thread was started")


def _run_in_background(work: Callable[[], T]) -> "Future[T]":
    """Do the work in a daemon thread; an executor's threads would keep the program from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as fault:
            future.set_exception(fault)

    threading.Thread(target=run, name="crash scenario", daemon=True).start()
    return future
