"""What ``sam local invoke`` needs so that a function in its container talks to the local stack."""

from collections.abc import Mapping
from typing import Any, Final

from infra.interactions import DEVELOPMENT_APPLICATION_ID
from infra.lambda_events import ACCOUNT

# What the local stack calls them: queues have their names in the template.
TABLE: Final = "onethread-sessions"
JOBS_QUEUE: Final = "JobsQueue"
RECONCILE_QUEUE: Final = "ReconcileQueue"
BOT_TOKEN_PARAMETER: Final = "/onethread/discord-bot-token"

# The template does not declare these: where Discord and AWS are is nothing that a deployed stack chooses.
UNDECLARED: Final = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_SSM",
    "DISCORD_API_URL",
)


def environment(host: str, aws_port: int, discord_port: int, public_key: bytes) -> dict[str, str]:
    """The variables of any of the four functions, with the local stack at ``host`` as the container sees it."""
    aws = f"http://{host}:{aws_port}"
    return {
        "SESSIONS_TABLE": TABLE,
        "JOBS_QUEUE_URL": f"{aws}/{ACCOUNT}/{JOBS_QUEUE}",
        "RECONCILE_QUEUE_URL": f"{aws}/{ACCOUNT}/{RECONCILE_QUEUE}",
        "DISCORD_APPLICATION_ID": DEVELOPMENT_APPLICATION_ID,
        "DISCORD_PUBLIC_KEY": public_key.hex(),
        "DISCORD_BOT_TOKEN_PARAMETER": BOT_TOKEN_PARAMETER,
        **{name: aws for name in UNDECLARED if name.startswith("AWS_")},
        "DISCORD_API_URL": f"http://{host}:{discord_port}/api/v10",
    }


def declaring(template: Mapping[str, Any]) -> dict[str, Any]:
    """A built template that declares all of ``environment``: sam silently drops variables that a template does not."""
    shared = template["Globals"]["Function"]
    variables = {**shared["Environment"]["Variables"], **dict.fromkeys(UNDECLARED, "")}
    function = {**shared, "Environment": {"Variables": variables}}
    return {**template, "Globals": {**template["Globals"], "Function": function}}
