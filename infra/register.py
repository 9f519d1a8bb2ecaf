"""Register the slash commands with Discord, everywhere or in one guild, where they appear at once.

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

from handler.discord.http import USER_AGENT
from infra.command_line import Parser, aws_session, fail, parse_id
from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.commands.limits import find_faults

# In so many guilds a look takes seconds. Who has more of them registers everywhere, and did so before.
MAX_GUILDS_LOOKED_AT: Final = 50
API_URL: Final = "https://discord.com/api/v10"
TIMEOUT_SECONDS: Final = 30.0  # long, because a person waits and a needless failure is worse


class RegistrationError(Exception):
    """Nothing was registered. The text says why and what to do."""


class Forbidden(RegistrationError):
    """Discord knows who asks, and does not allow it."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    options = _parser().parse_args(arguments)
    try:
        application, token = _identity(environ, options.token_parameter)
        client = _client(environ.get("DISCORD_API_URL") or API_URL, token, transport)
        wanted = () if options.unregister else COMMANDS
        print(asyncio.run(register(client, application, options.guild, wanted, dry_run=options.dry_run)))
    except RegistrationError as failure:
        return fail(f"Nothing was {'removed' if options.unregister else 'registered'}: {failure}")
    return 0


async def register(
    client: httpx.AsyncClient,
    application: str,
    guild: str | None,
    commands: Sequence[Mapping[str, Any]],
    *,
    dry_run: bool,
) -> str:
    """Let one scope have these commands and no others, and return a report. Closes the client. Raises RegistrationError."""
    if found := find_faults(commands):
        raise RegistrationError("the definitions have faults.\n  " + "\n  ".join(found))
    scope, wanted = f"guild {guild}" if guild else "everywhere", for_scope(commands, guild)
    async with client:
        registered = for_scope(await _call(client, "GET", _path(application, guild)), guild)
        changes = difference(registered, wanted)
        if changes and not dry_run:
            await _call(client, "PUT", _path(application, guild), wanted)
        report = _report(changes, scope, _names(wanted), dry_run=dry_run)
        return "\n\n".join([report, *await _warn_of_twins(client, application, guild, wanted)])


def _report(changes: str, scope: str, names: str, *, dry_run: bool) -> str:
    if not changes:
        return f"Up to date ({scope}): {names or 'no commands'}."
    if dry_run:
        return f"{changes}\n\nDry run ({scope}): nothing was changed."
    return f"{changes}\n\nRegistered ({scope}): {names}." if names else f"{changes}\n\nRemoved ({scope})."


async def _warn_of_twins(
    client: httpx.AsyncClient, application: str, guild: str | None, wanted: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What to say if the other kind of scope has one of these commands as well: people see that one twice."""
    if not wanted:
        return []
    try:
        twins = {other: await _registered_in(client, application, other) for other in await _others(client, guild)}
    except RegistrationError as failure:
        return [
            f"It could not be seen whether they are registered {'everywhere' if guild else 'in a guild'} too: {failure}"
        ]
    names = {command["name"] for command in wanted}
    return [
        f"Twice: {_names(twin)} {'is' if len(twin) == 1 else 'are'} registered {f'in guild {other}' if other else 'everywhere'} "
        f"too, and shown twice there. Remove them: python -m infra.register --unregister{f' --guild {other}' if other else ''}"
        for other, commands in twins.items()
        if (twin := [command for command in commands if command["name"] in names])
    ]


async def _others(client: httpx.AsyncClient, guild: str | None) -> Sequence[str | None]:
    """The scopes in which a command would be a twin of one in this scope."""
    if guild:
        return [None]
    return [found["id"] for found in await _call(client, "GET", f"/users/@me/guilds?limit={MAX_GUILDS_LOOKED_AT}")]


async def _registered_in(client: httpx.AsyncClient, application: str, guild: str | None) -> list[dict[str, Any]]:
    try:
        return await _call(client, "GET", _path(application, guild))
    except Forbidden:  # a guild without the scope applications.commands shows no commands at all
        return []


def _path(application: str, guild: str | None) -> str:
    return f"/applications/{application}{f'/guilds/{guild}' if guild else ''}/commands"


def _names(commands: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"/{command['name']}" for command in commands)


async def _call(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    """A request that is answered with a list. Raises RegistrationError."""
    try:
        response = await client.request(method, path.removeprefix("/"), json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RegistrationError(
            f"Discord could not be reached ({type(error).__name__}). Check the network and try again."
        ) from None
    if not response.is_success:
        raise (Forbidden if response.status_code == 403 else RegistrationError)(_explain(response))
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise RegistrationError(
            "the answer is not Discord's: does something between here and Discord answer in its place?"
        )
    return answer


def _explain(response: httpx.Response) -> str:
    """What a refusal means, and what to do about it."""
    body = _body(response)
    if response.status_code == 401:
        return "Discord does not accept this bot token. Copy the current one from the developer portal's Bot page."
    if response.status_code == 403:
        return (
            f"Discord does not allow it ({body.get('message', 'no reason given')}). The token must belong to "
            "DISCORD_APPLICATION_ID, and the application must be in the guild with the scope applications.commands."
        )
    if response.status_code == 404:
        return "Discord does not know this application or guild. Compare DISCORD_APPLICATION_ID and --guild with the portal."
    if response.status_code == 429:
        seconds = body.get("retry_after")
        return f"Too many requests: try again in {f'{seconds} seconds' if seconds else 'a while'}."
    if response.status_code >= 500:
        return f"Discord has a problem (status {response.status_code}). Try again in a few minutes."
    return f"Discord refused the definitions (status {response.status_code}): {body.get('message', '')} {body.get('errors', '')}"


def _body(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an error; empty if a proxy answered with something else."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _client(url: str, token: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bot {token}", "User-Agent": USER_AGENT}
    try:
        return httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/", headers=headers, timeout=TIMEOUT_SECONDS, transport=transport
        )
    except httpx.InvalidURL:
        raise RegistrationError("DISCORD_API_URL is no address.") from None


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
    if not token.isascii() or any(character.isspace() for character in token):
        raise RegistrationError("the bot's token is not valid: copy it without quotes or spaces.")
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
    parser = Parser(prog="python -m infra.register", description="Register Onethread's slash commands.")
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="in this guild only; without it, everywhere")
    parser.add_argument("--unregister", action="store_true", help="remove all commands there instead")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--token-parameter", metavar="NAME", help="SSM parameter that holds the bot's token")
    return parser


if __name__ == "__main__":
    sys.exit(main())
