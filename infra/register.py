"""Register the commands with Discord, everywhere or in one guild, where they appear at once.

    python -m infra.register --dry-run                 show what would change
    python -m infra.register                           register everywhere
    python -m infra.register --guild 1234567890        register in one guild only
    python -m infra.register --unregister              remove what is registered everywhere; with --guild, in that guild

A command that is registered both ways is shown twice in that guild: it looks whether one is, and says so. Registering *replaces* all commands of that scope (Discord docs, "Bulk Overwrite Global Application Commands"). The dry run
also shows commands of others that would be removed.

Environment: DISCORD_APPLICATION_ID; DISCORD_BOT_TOKEN, unless --token-parameter names an SSM parameter with the token;
DISCORD_API_URL, to use another Discord than the real one. The token is never shown.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from infra.command_line import Parser, aws_session, fail, parse_id
from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.commands.limits import find_faults, kind_of, title
from infra.deployment.discord_api import DiscordApi, DiscordError, Forbidden

# In so many guilds a look takes seconds. Who has more of them registers everywhere, and did so before.
MAX_GUILDS_LOOKED_AT: Final = 50


class RegistrationError(Exception):
    """Nothing was registered. The text says why and what to do."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    options = _parser().parse_args(arguments)
    try:
        application, token = _identity(environ, options.token_parameter)
        api = DiscordApi(token, url=environ.get("DISCORD_API_URL"), transport=transport)
        wanted = () if options.unregister else COMMANDS
        print(asyncio.run(_register_and_close(api, application, options.guild, wanted, dry_run=options.dry_run)))
    except (RegistrationError, DiscordError) as failure:
        return fail(f"Nothing was {'removed' if options.unregister else 'registered'}: {failure}")
    return 0


async def _register_and_close(api: DiscordApi, *what: Any, dry_run: bool) -> str:
    async with api:
        return await register(api, *what, dry_run=dry_run)


async def register(
    api: DiscordApi,
    application: str,
    guild: str | None,
    commands: Sequence[Mapping[str, Any]],
    *,
    dry_run: bool,
) -> str:
    """Let one scope have these commands and no others, and return a report. Raises RegistrationError and DiscordError."""
    if found := find_faults(commands):
        raise RegistrationError("the definitions have faults.\n  " + "\n  ".join(found))
    scope, wanted = f"guild {guild}" if guild else "everywhere", for_scope(commands, guild)
    registered = for_scope(await api.list("GET", commands_path(application, guild)), guild)
    changes = difference(registered, wanted)
    if changes and not dry_run:
        await api.list("PUT", commands_path(application, guild), wanted)
    report = _report(changes, scope, _names(wanted), dry_run=dry_run)
    return "\n\n".join([report, *await _warn_of_twins(api, application, guild, wanted)])


def _report(changes: str, scope: str, names: str, *, dry_run: bool) -> str:
    if not changes:
        return f"Up to date ({scope}): {names or 'no commands'}."
    if dry_run:
        return f"{changes}\n\nDry run ({scope}): nothing was changed."
    return f"{changes}\n\nRegistered ({scope}): {names}." if names else f"{changes}\n\nRemoved ({scope})."


async def _warn_of_twins(
    api: DiscordApi, application: str, guild: str | None, wanted: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What to say if the other kind of scope has one of these commands as well: people see that one twice."""
    if not wanted:
        return []
    try:
        twins = {other: await registered_in(api, application, other) for other in await _others(api, guild)}
    except DiscordError as failure:
        return [
            f"It could not be seen whether they are registered {'everywhere' if guild else 'in a guild'} too: {failure}"
        ]
    names = {(kind_of(command), command["name"]) for command in wanted}
    return [
        f"Twice: {_names(twin)} {'is' if len(twin) == 1 else 'are'} registered {f'in guild {other}' if other else 'everywhere'} "
        f"too, and shown twice there. Remove them: python -m infra.register --unregister{f' --guild {other}' if other else ''}"
        for other, commands in twins.items()
        if (twin := [command for command in commands if (kind_of(command), command["name"]) in names])
    ]


async def _others(api: DiscordApi, guild: str | None) -> Sequence[str | None]:
    """The scopes in which a command would be a twin of one in this scope."""
    if guild:
        return [None]
    return [found["id"] for found in await api.list("GET", f"/users/@me/guilds?limit={MAX_GUILDS_LOOKED_AT}")]


async def registered_in(api: DiscordApi, application: str, guild: str | None) -> list[dict[str, Any]]:
    """The commands of a scope: a guild's, or with None everybody's. Raises DiscordError."""
    try:
        return await api.list("GET", commands_path(application, guild))
    except Forbidden:  # a guild without the scope applications.commands shows no commands at all
        return []


def commands_path(application: str, guild: str | None) -> str:
    """The route of the commands of a scope."""
    return f"/applications/{application}{f'/guilds/{guild}' if guild else ''}/commands"


def _names(commands: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(map(title, commands))


def _identity(environ: Mapping[str, str], token_parameter: str | None) -> tuple[str, str]:
    """The application's id and the bot's token. Raises RegistrationError, naming what is missing."""
    application = environ.get("DISCORD_APPLICATION_ID", "")
    if not application.isdecimal():
        raise RegistrationError(
            "set DISCORD_APPLICATION_ID to the application's numeric id (developer portal, General Information)."
        )
    token = _parameter(token_parameter, environ) if token_parameter else environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        raise RegistrationError(
            "set DISCORD_BOT_TOKEN to the bot's token, or name its SSM parameter with --token-parameter."
        )
    return application, token


def _parameter(name: str, environ: Mapping[str, str]) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        parameter = aws_session(environ).client("ssm").get_parameter(Name=name, WithDecryption=True)
    except ClientError as refusal:
        raise RegistrationError(
            f"SSM refused to read {name} ({refusal.response['Error']['Code']}). Check the name, the region and your AWS permissions."
        ) from None
    except BotoCoreError as error:
        raise RegistrationError(
            f"SSM could not be reached for {name} ({type(error).__name__}). Check the AWS credentials, and set AWS_REGION."
        ) from None
    return parameter["Parameter"]["Value"].strip()


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.register", description="Register Onethread's commands.")
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="in this guild only; without it, everywhere")
    parser.add_argument("--unregister", action="store_true", help="remove all commands there instead")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--token-parameter", metavar="NAME", help="SSM parameter that holds the bot's token")
    return parser


if __name__ == "__main__":
    sys.exit(main())
