"""The Store is tried over the clients that Lambda has."""

from typing import Any

import pytest

from tests.kit.guild import Guild
from tests.kit.stored_sessions import StoredSessions


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"table": "moto", "imported": False}


@pytest.fixture
def stored(guild: Guild) -> StoredSessions:
    return StoredSessions(guild)
