"""Fixtures of the commands' tests."""

from collections.abc import Iterator

import pytest

from tests.kit.deployment import Deployment


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment() as deployment:
        yield deployment
