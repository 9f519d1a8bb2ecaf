"""All checks in order. One that cannot be made is a finding of its own, and the others go on."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from handler.aws.dynamodb import InvalidCall
from handler.errors import OnethreadError
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordError
from infra.deployment.errors import NotAllowed, OperatorError
from infra.deployment.program import Now
from infra.deployment.report import Line
from infra.doctor.aws import AwsChecks
from infra.doctor.discord import DiscordChecks
from infra.doctor.servers import ServerChecks

Lines = Callable[[], AsyncIterator[Line] | Iterable[Line]]
_CHECK_TABLE: Final = "See whether the table exists and you may read it and its indices."


async def examine(
    deployed: Deployed, *, now: Now, guild: str | None = None, channel: str | None = None
) -> AsyncIterator[Line]:
    """Everything, from the account to the last channel. If the stack cannot be read, that is all there is to say."""
    aws = AwsChecks(deployed, now())
    async for finding in _guarded("stack", aws.stack):
        yield finding
    if not deployed.is_known:
        return
    for name, check in (
        ("version", aws.version),
        ("functions", aws.functions),
        ("sources", aws.event_sources),
        ("table", aws.table),
        ("queues", aws.queues),
        ("schedule", aws.schedule),
        ("alarms", aws.alarms),
        ("concurrency", aws.concurrency),
        ("token", aws.token),
    ):
        async for finding in _guarded(name, check):
            yield finding
    async for finding in _on_discord(deployed, now, guild, channel):
        yield finding


async def _on_discord(deployed: Deployed, now: Now, guild: str | None, channel: str | None) -> AsyncIterator[Line]:
    async with AsyncExitStack() as stack:
        try:
            api = await stack.enter_async_context(deployed.discord())
        except OperatorError as error:
            yield Line("discord", "fail", str(error), error.cure)
            return
        web = await stack.enter_async_context(deployed.web())
        discord = DiscordChecks(deployed, api, web)
        known = False
        async for finding in _guarded("application", discord.application):
            yield finding
            known = finding.state == "ok"
        if not known:
            return
        period = timedelta(minutes=int(deployed.stack.parameters.get("ReconcileMinutes", "5")))
        servers = ServerChecks(deployed.table(), api, guild=guild, channel=channel, period=period, now=now())
        for name, check in (
            ("endpoint", discord.endpoint),
            ("commands", discord.commands),
            ("intents", lambda: [discord.intents()]),
            ("clock", lambda: [discord.clock(now())]),
            ("servers", servers.look),
        ):
            async for finding in _guarded(name, check):
                yield finding


async def _guarded(name: str, check: Lines) -> AsyncIterator[Line]:
    """What a check finds; if it cannot be made, why."""
    try:
        found = check()
        if isinstance(found, AsyncIterator):
            async for finding in found:
                yield finding
        else:
            for finding in found:
                yield finding
    except NotAllowed as error:  # it may be well: somebody else can look
        yield Line(name, "warn", f"Not looked at. {error}", error.cure)
    except OperatorError as error:
        yield Line(name, "fail", str(error), error.cure)
    except DiscordError as error:
        cure = "Run: make setup, with the bot's new token." if error.status == 401 else "Try again in a while."
        yield Line(name, "fail", str(error), cure)
    except (OnethreadError, InvalidCall) as error:
        yield Line(name, "fail", f"The table could not be read: {error}", _CHECK_TABLE)
