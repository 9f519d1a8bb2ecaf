"""boto3 clients of the emulated AWS."""

from typing import Any, Final

import boto3
from botocore.config import Config

REGION: Final = "us-east-1"
MADE_UP: Final = "made-up"  # key and secret: the emulation checks neither
# All pollers share one client; their batches together stay below this.
MAX_CONNECTIONS: Final = 32


def client(name: str, url: str) -> Any:
    """A boto3 client of the emulation at `url`, independent of this machine's AWS settings."""
    config = Config(
        proxies={}, max_pool_connections=MAX_CONNECTIONS, retries={"mode": "standard", "total_max_attempts": 2}
    )
    session = boto3.session.Session(region_name=REGION, aws_access_key_id=MADE_UP, aws_secret_access_key=MADE_UP)
    return session.client(name, endpoint_url=url, config=config)  # type: ignore[call-overload]  # its overloads want literal names


def count_messages(sqs: Any, url: str) -> int:
    """How many messages wait in a queue or are with a function (SQS docs, "GetQueueAttributes")."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def arn(sqs: Any, url: str) -> str:
    """A queue's ARN."""
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
