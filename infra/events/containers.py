"""Connect a function in a container of ``sam local invoke`` with the local stack."""

from collections.abc import Mapping
from typing import Any, Final

from infra.interactions import DEVELOPMENT_APPLICATION_ID
from infra.lambda_events import ACCOUNT

# Names in the local stack. Queues have their names in the template.
TABLE: Final = "onethread-sessions"
JOBS_QUEUE: Final = "JobsQueue"
RECONCILE_QUEUE: Final = "ReconcileQueue"
BOT_TOKEN_PARAMETER: Final = "/onethread/onethread/discord-bot-token"

# The template does not declare these: a deployed stack does not choose where Discord and AWS are.
UNDECLARED: Final = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SSM", "DISCORD_API_URL")


def environment(host: str, aws_port: int, discord_port: int, public_key: bytes) -> dict[str, str]:
    """The variables of all functions. ``host`` is the local stack's machine as a container sees it."""
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


def declare_variables(template: Mapping[str, Any]) -> dict[str, Any]:
    """Declare all of ``environment`` in a built template: sam silently drops undeclared variables."""
    shared = template["Globals"]["Function"]
    variables = {**shared["Environment"]["Variables"], **dict.fromkeys(UNDECLARED, "")}
    function = {**shared, "Environment": {"Variables": variables}}
    return {**template, "Globals": {**template["Globals"], "Function": function}}
