"""Remove a deployment from AWS and Discord: ``python -m infra.teardown``. The table stays, unless its name is given.

    python -m infra.teardown --dry-run                        say what would be removed
    python -m infra.teardown                                  remove it
    python -m infra.teardown --delete-table NAME              and the table, with all that it knows

Running it again does no harm: it goes on where it was stopped. Threads and messages on Discord stay as they are. The
token is read where it is kept, or from DISCORD_BOT_TOKEN.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence

import httpx
from boto3.session import Session

from infra.command_line import USAGE, Parser, fail
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordApi, DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.report import Report
from infra.teardown.removal import Removal, Sleep
from infra.teardown.steps import Teardown, Wanted, token_parameter


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    session: Session | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    sleep: Sleep = asyncio.sleep,
) -> int:
    options = _parser().parse_args(arguments)
    try:
        found = deployed.find(options, environ, session, transport)
        table = options.delete_table
        if table == "":
            table = input("Name of the table to delete, with all that it knows: ").strip() if sys.stdin.isatty() else ""
            if not table:
                return _usage("Give the table's name: --delete-table NAME")
        api = _discord(found, environ, transport)
    except OperatorError as error:
        return fail(f"{error}\n  → {error.cure}")
    except DiscordError as error:
        return fail(error)
    report = Report("teardown", as_json=options.json)
    steps = Teardown(Wanted(table, options.dry_run), found, api, Removal(found.account, sleep))
    asyncio.run(_follow(report, steps, api))
    return report.conclude(_next)


async def _follow(report: Report, teardown: Teardown, api: DiscordApi | None) -> None:
    try:
        await report.follow(teardown.steps())
    finally:
        if api is not None:
            await api.__aexit__()


def _discord(
    found: Deployed, environ: Mapping[str, str], transport: httpx.AsyncBaseTransport | None
) -> DiscordApi | None:
    """Discord with the bot's token; None if there is none any more."""
    token = environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        kept = found.account.kept_token(token_parameter(found, found.account.stack(found.name)))
        token = kept.value if kept else ""
    return DiscordApi(token, url=environ.get("DISCORD_API_URL"), transport=transport) if token else None


def _next(states: set[str]) -> Iterator[str]:
    if states == {"unchanged"}:
        yield "Nothing was left to remove."
    elif "would change" in states:
        yield "Dry run: nothing was changed."
    else:
        yield "Removed. The application itself stays: delete it in the developer portal if you want."


def _usage(text: str) -> int:
    print(text, file=sys.stderr)
    return USAGE


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.teardown", description="Remove a deployment from AWS and Discord.")
    deployed.add_options(parser)
    parser.add_argument(
        "--delete-table", metavar="NAME", nargs="?", const="", help="delete the table, too; its name is asked for"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and change nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
