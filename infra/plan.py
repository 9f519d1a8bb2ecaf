"""Print what the reconciler would do about a guild now, action by action. It changes nothing on Discord or in the table.

    python -m infra.plan 1234567890

Environment: that of `ReconcilerFunction`, i.e. SESSIONS_TABLE, DISCORD_APPLICATION_ID, and DISCORD_BOT_TOKEN or
DISCORD_BOT_TOKEN_PARAMETER; AWS_REGION, and AWS credentials that may read the table and its indices.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import msgspec
from boto3.session import Session as AwsSession
from botocore.exceptions import BotoCoreError

from handler import config
from handler.aws.dynamodb import InvalidCall
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.discord.models import Channel
from handler.errors import ConfigurationError, Forbidden, NotFound, OnethreadError
from handler.sessions.reconcile import housekeeping
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.run import observe_and_plan
from handler.store.items import Namesake, Session
from infra import command_line

NO_QUEUE: Final = "https://sqs.invalid"  # nothing is sent


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    aws: AwsSession | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    parser = command_line.Parser(prog="python -m infra.plan", description=__doc__.partition("\n")[0])
    parser.add_argument("guild", type=command_line.parse_id, help="the guild's id")
    options = parser.parse_args(arguments)
    try:
        settings = config.load(ReconcilerConfig, {"RECONCILE_QUEUE_URL": NO_QUEUE, **environ})
        with command_line.only_errors():
            lines = plan(options.guild, settings, aws or command_line.aws_session(environ), transport)
    except ConfigurationError as fault:
        return command_line.fail(fault)
    except (Forbidden, NotFound) as refusal:
        return command_line.fail(f"The guild cannot be read, so a run would park it: {refusal}")
    except (OnethreadError, InvalidCall, BotoCoreError) as error:
        return command_line.fail(f"There is no plan: {error}")
    print("\n".join(lines or ["Nothing to do: the table agrees with Discord."]))
    return 0


def plan(
    guild_id: str, settings: ReconcilerConfig, aws: AwsSession, transport: httpx.AsyncBaseTransport | None = None
) -> list[str]:
    """What a run would do now. Raises OnethreadError, InvalidCall or BotoCoreError."""
    environment = Environment(settings, aws=aws, transport=transport)
    try:
        return environment.run(environment.with_token(_plan(environment, guild_id)))
    finally:
        environment.close()


async def _plan(environment: Environment[ReconcilerConfig], guild_id: str) -> list[str]:
    """The actions in words, in the order in which a run would apply them."""
    context, settings = environment.sessions.context, HousekeepingSettings.from_config(environment.config)
    watched = await context.store.guilds.watched(guild_id)
    observation, plan = await observe_and_plan(
        context, watched, environment.clock.now(), pace=environment.pace, settings=settings
    )
    actions, reopens = housekeeping.separate_reopens(observation, plan.actions)
    return [describe(action) for action in (*actions, *reopens, *housekeeping.plan_housekeeping(observation, settings))]


def describe(action: msgspec.Struct) -> str:
    """An action in a line: its name, what it concerns, and what it would write."""
    values = ((name, getattr(action, name)) for name in action.__struct_fields__)
    return " ".join([type(action).__name__, *(_describe_field(name, value) for name, value in values)])


def _describe_field(name: str, value: Any) -> str:
    match value:
        case Session():
            return f"{value.parent_channel_id}/{value.session_key}"
        case Namesake():
            return f"{value.parent_channel_id}/{value.session_key} thread {value.thread_id}"
        case Channel():
            return f"thread {value.id} “{value.name}”"
        case tuple():
            return ", ".join(_describe_field(name, item) for item in value)
        case Mapping():
            return ", ".join(f"{attribute}={new!r}" for attribute, new in value.items())
        case _:
            return f"{name}={value}"


if __name__ == "__main__":
    sys.exit(main())
