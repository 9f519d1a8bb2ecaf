"""DynamoDB's seam, and deployments, for the tests of the modules that stand on them."""

from collections.abc import Iterator

import pytest

from handler.aws.dynamodb import DynamoDB
from infra.virtual_time import LoopClock
from tests.kit.commands import Case
from tests.kit.dynamodb import DynamoWire


@pytest.fixture(scope="module")
def shared() -> Iterator[DynamoWire]:
    with DynamoWire() as wire:
        yield wire


@pytest.fixture
def wire(shared: DynamoWire) -> Iterator[DynamoWire]:
    yield shared
    shared.clear()


@pytest.fixture
def call(wire: DynamoWire) -> Iterator[DynamoDB]:
    call = wire.call(LoopClock())
    yield call
    call.close()


@pytest.fixture
def case() -> Iterator[Case]:
    with Case() as case:
        yield case
