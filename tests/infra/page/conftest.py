"""The page's parts around a simulated Discord on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.discord import LocalDiscord
from infra.page.world import World
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.saved_rows import SavedRows

GUILD, CHANNEL = "1100000000000000002", "1100000000000000003"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def discord(tmp_path: Path) -> Iterator[LocalDiscord]:
    simulated = SimulatedDiscord(application_id="1100000000000000001", bot_token="made-up-bot-token")
    rows = SavedRows(tmp_path / "discord.sqlite")
    served = LocalDiscord(simulated, rows)
    with served.lock:
        simulated.add_guild(GUILD, name="Lighthouse")
        simulated.add_channel(GUILD, CHANNEL, name="builds")
    yield served
    served.close()
    rows.close()


@pytest.fixture
def world(discord: LocalDiscord) -> World:
    return World(discord)
