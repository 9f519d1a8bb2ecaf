"""Remove a deployment from AWS and Discord: ``python -m infra.teardown``. The table stays, unless its name is given.

    python -m infra.teardown --dry-run                        say what would be removed
    python -m infra.teardown                                  remove it
    python -m infra.teardown --delete-table NAME              and the table, with all that it knows

Running it again does no harm: it goes on where it was stopped. Threads and messages on Discord stay as they are. The
token is read where it is kept, or from DISCORD_BOT_TOKEN.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from infra.command_line import USAGE, Parser
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordApi
from infra.deployment.program import OUTSIDE, Outside, attempt
from infra.deployment.report import Report
from infra.teardown.removal import Removal
from infra.teardown.steps import Teardown, Wanted


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
) -> int:
    options = _parser().parse_args(arguments)
    if options.delete_table == "":
        asked = "Name of the table to delete, with all that it knows: "
        options.delete_table = input(asked).strip() if sys.stdin.isatty() else ""
        if not options.delete_table:
            print("Give the table's name: --delete-table NAME", file=sys.stderr)
            return USAGE
    return attempt(
        lambda: asyncio.run(_remove(deployed.find(options, outside), options, outside)),
        again="What is removed stays removed: run it again to go on.",
        as_json=options.json,
    )


async def _remove(found: Deployed, options: Any, outside: Outside) -> int:
    report = Report("teardown", as_json=options.json)
    wanted = Wanted(options.delete_table, options.dry_run)
    async with AsyncExitStack() as stack:
        api = _discord(found, outside.environ)
        if api is not None:
            await stack.enter_async_context(api)
        await report.follow(Teardown(wanted, found, api, Removal(found.account, outside.sleep)).steps())
    return report.conclude(_next)


def _discord(found: Deployed, environ: Mapping[str, str]) -> DiscordApi | None:
    """Discord with the bot's token; None if there is none any more."""
    token = environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        kept = found.account.kept_token(found.token_parameter(found.account.stack(found.name)))
        token = kept.value if kept else ""
    return found.discord_with(token) if token else None


def _next(states: set[str]) -> Iterator[str]:
    if states == {"unchanged"}:
        yield "Nothing was left to remove."
    elif "would change" in states:
        yield "Dry run: nothing was changed."
    else:
        yield "Removed. The application itself stays: delete it in the developer portal if you want."


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
