"""What the tests of questions begin with: a channel whose past is known."""

from typing import Any

import pytest


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"imported": True}
