"""A deployment that programs reach with boto3, and their environment."""

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.kit.deployment import Deployment
from tests.kit.lambda_endpoint import LambdaEndpoint


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    return {"imported": True, "table": "memory"}


@pytest.fixture(scope="session")
def programs() -> boto3.session.Session:
    """boto3 as the programs have it. It reads its description of Lambda once: that takes longer than all the rest."""
    return boto3.session.Session()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that programs sleep; nobody waits for them. botocore's are among them."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


@pytest.fixture
def endpoint(
    deployment: Deployment,
    pauses: list[float],
    programs: boto3.session.Session,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LambdaEndpoint]:
    endpoint = LambdaEndpoint(deployment)
    for name, value in endpoint.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", programs)
    yield endpoint
    endpoint.close()
