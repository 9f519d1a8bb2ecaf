"""Print what the reconciler would do about a guild now, action by action. It changes nothing on Discord or in the table.

    python -m infra.plan 1234567890

It needs AWS credentials that may read the stack, the table and its indices, and the bot's token.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.discord.models import Channel
from handler.errors import Forbidden, NotFound
from handler.sessions.reconcile import housekeeping
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.run import observe_and_plan
from handler.store.items import Namesake, Session
from infra.command_line import Parser, fail, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.program import OUTSIDE, Outside, attempt


def main(arguments: Sequence[str] | None = None, outside: Outside = OUTSIDE, **parts: Any) -> int:
    parser = Parser(prog="python -m infra.plan", description=__doc__.partition("\n")[0])
    deployed.add_options(parser)
    parser.add_argument("guild", type=parse_id, help="the guild's id")
    options = parser.parse_args(arguments)
    return attempt(lambda: _show(deployed.find(options, outside), options.guild, parts))


def _show(found: Deployed, guild_id: str, parts: Mapping[str, Any]) -> int:
    environment = found.environment(ReconcilerConfig, **parts)
    try:
        lines = environment.run(environment.with_token(_plan(environment, guild_id)))
    except (Forbidden, NotFound) as refusal:
        return fail(f"The guild cannot be read, so a run would park it: {refusal}")
    finally:
        environment.close()
    print("\n".join(lines or ["Nothing to do: the table agrees with Discord."]))
    return 0


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
