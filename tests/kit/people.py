"""People on the simulated Discord, at the moment that it is."""

from collections.abc import Callable
from functools import partial
from typing import Any

from handler.runtime.clock import Clock
from infra.simulator.simulated_discord import SimulatedDiscord


class People:
    """What people do on Discord, now: the acts of `infra.simulator`, by a moderator if nobody is named."""

    def __init__(self, discord: SimulatedDiscord, clock: Clock) -> None:
        self._discord, self._clock = discord, clock

    def create_thread(self, channel_id: str, name: str, **how: Any) -> str:
        return self._discord.people.create_thread(channel_id, name, now=self._clock.now(), **how)

    def post_message(self, channel_id: str, content: str = "a word", **how: Any) -> str:
        return self._discord.people.post_message(channel_id, content, now=self._clock.now(), **how)

    def __getattr__(self, act: str) -> Callable[..., Any]:
        return partial(getattr(self._discord.people, act), now=self._clock.now())
