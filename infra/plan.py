"""What the reconciler would do about a guild now, step by step. Nothing is changed on Discord or in the table.

    python -m infra.plan 1234567890

Environment: as `ReconcilerFunction` has it, SESSIONS_TABLE, DISCORD_APPLICATION_ID, and DISCORD_BOT_TOKEN or
DISCORD_BOT_TOKEN_PARAMETER; AWS credentials that may read the table and its indices.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import msgspec
from boto3.session import Session as AwsSession

from handler import config
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.discord.models import Channel
from handler.errors import ConfigurationError, Forbidden, NotFound, OnethreadError
from handler.runtime import telemetry
from handler.sessions.reconcile import housekeeping
from handler.sessions.reconcile.actions import Settle
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.run import observe_and_plan
from handler.store.items import Namesake, Session

NO_QUEUE: Final = "https://sqs.invalid"  # nothing is sent


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    aws: AwsSession | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.plan", description=__doc__.partition("\n")[0])
    parser.add_argument("guild", help="the guild's id")
    options = parser.parse_args(arguments)
    try:
        settings = config.load(ReconcilerConfig, {"RECONCILE_QUEUE_URL": NO_QUEUE, **environ})
    except ConfigurationError as fault:
        print(fault, file=sys.stderr)
        return 1
    telemetry.configure("ERROR")
    environment = Environment(settings, aws=aws, transport=transport)
    try:
        lines = environment.run(environment.with_token(_steps(environment, options.guild)))
    except (Forbidden, NotFound) as refusal:
        print(f"The guild cannot be read, so a run would park it: {refusal}", file=sys.stderr)
        return 1
    except OnethreadError as error:
        print(f"There is no plan: {error}", file=sys.stderr)
        return 1
    finally:
        environment.close()
    print("\n".join(lines or ["Nothing: the table says what Discord says."]))
    return 0


async def _steps(environment: Environment[ReconcilerConfig], guild_id: str) -> list[str]:
    """The steps in words, in the order in which they would be carried out."""
    context, settings = environment.sessions.context, environment.config
    wanted = HousekeepingSettings.of(settings.idle_archive_hours, settings.delete_after_days, settings.delete_mode)
    watched = await context.store.guilds.watched(guild_id)
    made, observation = await observe_and_plan(
        context, watched, environment.clock.now(), pace=environment.pace, settings=wanted
    )
    others, kept = housekeeping.split_kept(observation, made.actions)
    return [told(step) for step in (*others, *kept, *housekeeping.plan_housekeeping(observation, wanted))]


def told(step: msgspec.Struct) -> str:
    """A step in a line: its name, whom it is about, and what is to be written."""
    parts = [type(step).__name__]
    for name in step.__struct_fields__:
        value = getattr(step, name)
        parts.append(_part(name, value) if not isinstance(step, Settle) else _settled(name, value))
    return " ".join(part for part in parts if part)


def _part(name: str, value: Any) -> str:
    if isinstance(value, Session):
        return f"{value.parent_channel_id}/{value.session_key}"
    if isinstance(value, Namesake):
        return f"{value.parent_channel_id}/{value.session_key} thread {value.thread_id}"
    if isinstance(value, Channel):
        return f"thread {value.id} “{value.name}”"
    if isinstance(value, Mapping):
        return ", ".join(f"{attribute}={written!r}" for attribute, written in value.items())
    return f"{name}={value}"


def _settled(name: str, value: Any) -> str:
    return f"{name}={value}" if isinstance(value, str) else ", ".join(_part(name, thread) for thread in value)


if __name__ == "__main__":
    sys.exit(main())
