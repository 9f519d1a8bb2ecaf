"""What holds for all tests."""

import pytest

pytest_plugins = ("tests.kit.leaks", "pytester")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
