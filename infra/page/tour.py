"""The tour of the terminal, played on the page: the same scenarios, one at a time or all, until somebody stops it."""

import threading
from contextlib import suppress
from typing import Any, Final

from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from infra.local.scenarios import SCENARIOS
from infra.local.screen import MAX_WIDTH, Screen
from infra.local.stack import Stack
from infra.local.tour import CHANNEL, DAY, Tour
from infra.page.feed import Feed

WIDTH: Final = 56  # characters: what fits beside the channel
# As long as the page is not asked to go on; then it ends, as if it were stopped.
MAX_WAIT_SECONDS: Final = 3600.0


class PageTour:
    """At most one tour is played at a time. Its lines and states are records of the feed, of the kind "tour"."""

    def __init__(self, stack: Stack, feed: Feed) -> None:
        self._stack, self._feed = stack, feed
        self._lock = threading.Lock()
        self._go_on = threading.Event()
        self._all = self._stopping = False
        self._thread: threading.Thread | None = None
        self._last: Tour | None = None
        self.state: dict[str, Any] = {"state": "ended"}  # the last record of its state

    @property
    def titles(self) -> list[str]:
        return [scenario.title for scenario in SCENARIOS]

    def play(self, *, all_scenarios: bool) -> None:
        """Begin, or go on with the next scenario; or with all that are left."""
        with self._lock:
            self._all = all_scenarios
            self._go_on.set()
            if self._thread is None or not self._thread.is_alive():
                self._stopping = False
                self._thread = threading.Thread(target=self._run, name="tour", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the tour after the scenario that is being played. What it made stays, to play with."""
        with self._lock:
            self._stopping = True
            self._go_on.set()

    def _run(self) -> None:
        self._show(state="began", channels=[CHANNEL.id, DAY.id])
        if self._last is not None:  # its crash goes on in the background, and in the same server
            with suppress(Exception):
                self._last.crash.result()
        tour = self._last = Tour(self._stack, Screen(_FeedConsole(self._feed)))
        passed = tour.play(SCENARIOS, proceed=self._wait)
        self._stack.discord.delays = {}
        self._show(state="ended", passed=passed, stopped=self._stopping, failures=tour.failures)
        self._feed.add("changed")

    def _show(self, **state: Any) -> None:
        self.state = state
        self._feed.add("tour", **state)

    def _wait(self, number: int) -> bool:
        """Whether the scenario of that number, from 1, is to be played. Waits until somebody has said so."""
        self._feed.add("changed")
        if not self._all and not self._go_on.is_set():
            self._show(state="waiting", scene=number)
            if not self._go_on.wait(MAX_WAIT_SECONDS):
                return False
        self._go_on.clear()
        if not self._stopping:
            self._show(state="playing", scene=number)
        return not self._stopping


class _FeedConsole(Console):
    """Puts each line that the terminal would show into the feed: texts with the names of their styles."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(width=min(WIDTH, MAX_WIDTH), highlight=False, force_terminal=False, color_system="standard")
        self._feed = feed

    def print(self, *objects: Any, **options: Any) -> None:
        for each in objects or ("",):
            for line in self.render_lines(each, pad=False):
                self._feed.add("tour", line=[_describe(segment) for segment in line])


def _describe(segment: Segment) -> list[str]:
    style = segment.style or Style()
    words = [word for word, holds in (("bold", style.bold), ("dim", style.dim), ("italic", style.italic)) if holds]
    return [segment.text, " ".join([*words, *([style.color.name] if style.color else [])])]
