"""What holds for all tests."""

import pytest
from hypothesis import settings

# The suite tries the same examples each time; `make explore` tries others, and many more (--hypothesis-profile=long).
settings.register_profile("suite", max_examples=100, derandomize=True, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile("suite")

pytest_plugins = ("tests.kit.leaks", "pytester")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
