"""Clients of AWS as they are built."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from boto3.session import Session

from handler.aws import clients, dynamodb
from handler.errors import ConfigurationError
from infra.virtual_time import LoopClock
from tests.kit.secrets import MARK, made_up


def session(region: str | None) -> Session:
    return Session(region_name=region, aws_access_key_id=MARK, aws_secret_access_key=made_up("key"))


@pytest.mark.parametrize("library", ["boto3", "botocore", "urllib3"])
def test_requests_and_answers_are_not_logged(library: str) -> None:
    """Whatever level the process's own logging has: the libraries are told theirs."""
    logging.getLogger(library).setLevel(logging.NOTSET)
    clients.build_client(session("us-east-1"), "sqs", read_timeout=1.0).close()
    assert logging.getLogger(library).level == logging.WARNING


def test_a_client_has_short_time_outs_and_no_retries() -> None:
    client = clients.build_client(session("us-east-1"), "sqs", read_timeout=0.25)
    config = client.meta.config
    client.close()
    assert (config.connect_timeout, config.read_timeout) == (0.5, 0.25)
    assert config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    "build",
    [
        lambda: clients.build_client(session(None), "sqs", read_timeout=1.0),
        lambda: dynamodb.build(LoopClock()),
    ],
    ids=["a client of SQS", "the seam to DynamoDB"],
)
def test_without_a_region_the_variable_is_named(build: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigurationError, match="AWS_DEFAULT_REGION is missing"):
        build()
