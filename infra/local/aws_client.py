"""Clients of the emulated AWS, and the names that everybody there agrees on."""

from typing import Any, Final

import boto3
from botocore.config import Config

REGION: Final = "us-east-1"
MADE_UP: Final = "made-up"  # as key and as secret: the emulation looks at neither
# Side by side, all through one client: the pollers' batches at their most.
CONNECTIONS: Final = 32


def client(name: str, url: str) -> Any:
    """A boto3 client of the emulation at `url`, whatever this machine's own AWS settings are."""
    config = Config(proxies={}, max_pool_connections=CONNECTIONS, retries={"mode": "standard", "total_max_attempts": 2})
    session = boto3.session.Session(region_name=REGION, aws_access_key_id=MADE_UP, aws_secret_access_key=MADE_UP)
    return session.client(name, endpoint_url=url, config=config)  # type: ignore[call-overload]  # its overloads want literal names


def arn(sqs: Any, url: str) -> str:
    """A queue's ARN."""
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
