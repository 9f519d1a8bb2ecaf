"""A command for tests of the entrances, which takes its time and ends as the test wants."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from handler.commands.command import Commands
from handler.discord.interactions import Interaction
from handler.discord.responses import Message, message
from handler.runtime.deadline import remaining
from handler.sessions.protocol import Sessions
from tests.kit.deployment import Asked, Deployment


@dataclass
class Scripted:
    """``/session open`` that ends each run with the next of `ends`: raises an exception, or answers a text.

    `takes`: seconds of each run. `runs`, `began`, `left`: each run's interaction, its start, the seconds until its
    deadline. `over` counts the runs that ended, cancelled ones too.
    """

    ends: list[Any] = field(default_factory=lambda: ["done"])
    takes: float = 0.0
    runs: list[Interaction] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    over: int = 0

    @property
    def table(self) -> Commands:
        return {("session", "open"): self.run}

    async def run(self, sessions: Sessions, interaction: Interaction) -> Message:
        self.runs.append(interaction)
        self.began.append(asyncio.get_running_loop().time())
        self.left.append(remaining(sessions.context.clock.now(), -1.0))
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.over += 1
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, BaseException):
            raise end
        return message(end)


class Case(Deployment):
    """A deployment whose ``/session open`` is scripted. `said` is what the user read, one text after another."""

    def __init__(self) -> None:
        self.command = Scripted()
        super().__init__(commands=self.command.table)
        self.said: list[str] = []

    def script(self, *ends: Any, takes: float = 0.0) -> None:
        """How the runs of the command end, and how many seconds each takes."""
        self.command.ends = list(ends) or self.command.ends
        self.command.takes = takes

    async def hand_over(self, **more: Any) -> Asked:
        asked = await self.ask(old=2.9, **more)
        assert asked.kind == 5
        assert not self.command.runs
        self.asked = asked
        return asked

    async def note(self) -> None:
        self.said.append(self.shown(self.asked))

    async def through(self, **more: Any) -> int:
        """Hand over, and work until the queue is empty; how many receives it took."""
        await self.hand_over(**more)
        return await self.work(between=self.note)
