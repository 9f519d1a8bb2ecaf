"""Register the commands with Discord, everywhere or in one guild, where they appear at once.

    python -m infra.register --dry-run                 show what would change
    python -m infra.register                           register everywhere
    python -m infra.register --guild 1234567890        register in one guild only
    python -m infra.register --unregister              remove what is registered everywhere; with --guild, in that guild

A command that is registered both ways is shown twice in that guild: it looks whether one is, and says so. Registering
*replaces* all commands of that scope (Discord docs, "Bulk Overwrite Global Application Commands"). The dry run also shows
commands of others that would be removed.

The token is that of the deployment, or DISCORD_BOT_TOKEN, which needs no deployment. It is never shown.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.command_line import Parser, parse_id
from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.commands.limits import find_faults, kind_of, title
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordApi, DiscordError, Forbidden
from infra.deployment.errors import OperatorError
from infra.deployment.program import OUTSIDE, Outside, attempt

# In so many guilds a look takes seconds. Who has more of them registers everywhere, and did so before.
MAX_GUILDS_LOOKED_AT: Final = 50


def main(arguments: Sequence[str] | None = None, outside: Outside = OUTSIDE) -> int:
    options = _parser().parse_args(arguments)
    token = outside.environ.get("DISCORD_BOT_TOKEN", "").strip()
    return attempt(lambda: asyncio.run(_run(deployed.find(options, outside), options, token)))


async def _run(found: Deployed, options: Any, token: str) -> int:
    async with found.discord_with(token) if token else found.discord() as api:
        application = (await api.call("GET", "/applications/@me"))["id"]
        wanted = () if options.unregister else COMMANDS
        print(await register(api, application, options.guild, wanted, dry_run=options.dry_run))
    return 0


async def register(
    api: DiscordApi,
    application: str,
    guild: str | None,
    commands: Sequence[Mapping[str, Any]],
    *,
    dry_run: bool,
) -> str:
    """Let one scope have these commands and no others, and return a report. Raises OperatorError and DiscordError."""
    if found := find_faults(commands):
        raise OperatorError("\n".join(found), "Correct these definitions: nothing was registered.")
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


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.register", description="Register Onethread's commands.")
    deployed.add_options(parser)
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="in this guild only; without it, everywhere")
    parser.add_argument("--unregister", action="store_true", help="remove all commands there instead")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
