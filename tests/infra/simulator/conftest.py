"""A bot in a small simulated Discord."""

import pytest

from infra.simulator.simulated_discord import SimulatedDiscord
from tests.infra.simulator.client import Bot, small_world


@pytest.fixture
def discord() -> SimulatedDiscord:
    return small_world()


@pytest.fixture
def bot(discord: SimulatedDiscord) -> Bot:
    return Bot(discord)
