"""The reconciler has seen the guild, everybody may unlock threads, and people rename as often as they like."""

from typing import Any

import pytest


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"followed": True, "may_unlock": True, "rename_limit": None}
