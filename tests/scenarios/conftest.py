"""The scenarios run over the clients that Lambda has, unless a test makes very many calls."""

from typing import Any

import pytest


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"table": "moto"}
