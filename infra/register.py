"""Register the slash commands with Discord, everywhere or in one guild, where they appear at once.

    python -m infra.register --dry-run                 show what would change
    python -m infra.register                           register everywhere
    python -m infra.register --guild 1234567890        register in one guild only

Registering *replaces* all commands of that scope (Discord docs, "Bulk Overwrite Global Application Commands"). The dry run
also shows commands of others that would be removed.

Environment: DISCORD_APPLICATION_ID; DISCORD_BOT_TOKEN, unless --token-parameter names an SSM parameter with the token;
DISCORD_API_URL, to use another Discord than the real one. The token is never shown.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from handler.discord.http import USER_AGENT
from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.commands.limits import find_faults

API_URL: Final = "https://discord.com/api/v10"
TIMEOUT_SECONDS: Final = 30.0  # long, because a person waits and a needless failure is worse


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
        client = _client(environ.get("DISCORD_API_URL") or API_URL, token, transport)
        print(asyncio.run(register(client, application, options.guild, dry_run=options.dry_run)))
    except RegistrationError as failure:
        print(f"Nothing was registered: {failure}", file=sys.stderr)
        return 1
    return 0


async def register(client: httpx.AsyncClient, application: str, guild: str | None, *, dry_run: bool) -> str:
    """Bring the commands of one scope up to date, and return a report. Closes the client. Raises RegistrationError."""
    if found := find_faults(COMMANDS):
        raise RegistrationError("the definitions have faults.\n  " + "\n  ".join(found))
    place = f"/guilds/{guild}" if guild else ""
    path, scope = f"/applications/{application}{place}/commands", f"guild {guild}" if guild else "everywhere"
    wanted = for_scope(COMMANDS, guild)
    async with client:
        registered = for_scope(await _call(client, "GET", path), guild)
        changes = difference(registered, wanted)
        if not changes:
            return f"Up to date ({scope}): {_names(wanted)}."
        if dry_run:
            return f"{changes}\n\nDry run ({scope}): nothing was changed."
        await _call(client, "PUT", path, wanted)
    return f"{changes}\n\nRegistered ({scope}): {_names(wanted)}."


def _names(commands: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"/{command['name']}" for command in commands)


async def _call(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    try:
        response = await client.request(method, path.removeprefix("/"), json=body)
    except httpx.HTTPError as error:
        raise RegistrationError(
            f"Discord could not be reached ({type(error).__name__}). Check the network and try again."
        ) from None
    if response.is_success:
        return response.json()
    raise RegistrationError(_explain(response))


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
    return httpx.AsyncClient(
        base_url=f"{url.rstrip('/')}/", headers=headers, timeout=TIMEOUT_SECONDS, transport=transport
    )


def _identity(environ: Mapping[str, str], token_parameter: str | None) -> tuple[str, str]:
    """The application's id and the bot's token. Raises RegistrationError, naming what is missing."""
    application = environ.get("DISCORD_APPLICATION_ID", "")
    if not application.isdecimal():
        raise RegistrationError(
            "set DISCORD_APPLICATION_ID to the application's numeric id (developer portal, General Information)."
        )
    token = _parameter(token_parameter) if token_parameter else environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        raise RegistrationError(
            "set DISCORD_BOT_TOKEN to the bot's token, or name its SSM parameter with --token-parameter."
        )
    if not token.isascii() or any(character.isspace() for character in token):
        raise RegistrationError("the bot's token is not valid: copy it without quotes or spaces.")
    return application, token


def _parameter(name: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        parameter = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)
    except ClientError as refusal:
        raise RegistrationError(
            f"SSM refused to read {name} ({refusal.response['Error']['Code']}). Check the name, the region and your AWS permissions."
        ) from None
    except BotoCoreError as error:
        raise RegistrationError(
            f"SSM could not be reached for {name} ({type(error).__name__}). Check AWS credentials and region."
        ) from None
    return parameter["Parameter"]["Value"].strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.register", description="Register Onethread's slash commands."
    )
    parser.add_argument("--guild", metavar="ID", help="register in this guild only; without it, everywhere")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--token-parameter", metavar="NAME", help="SSM parameter that holds the bot's token")
    return parser


if __name__ == "__main__":
    sys.exit(main())
