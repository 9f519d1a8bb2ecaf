"""The scenarios run over the seams that Lambda has, down to the clients."""

from typing import Any

import pytest


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"table": "client"}
