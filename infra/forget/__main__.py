"""Forget a server or a user: ``python -m infra.forget``. Without --yes it only says what is on record.

    python -m infra.forget --guild 1234567890          what is on record of a server
    python -m infra.forget --guild 1234567890 --yes    remove it. The bot must have left the server
    python -m infra.forget --user 1234567890           what is on record of a user
    python -m infra.forget --user 1234567890 --yes     remove what is the user's own, and the user's id from the rest

It reads the whole table, slowly. With --progress FILE, a run that was stopped goes on where it was. It needs AWS
credentials that may scan and write the table.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from handler.errors import quantity
from infra.command_line import Parser, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.program import OUTSIDE, Outside, Sleep, attempt
from infra.deployment.walk import Walk
from infra.forget import guild, user

_STAYS: Final = (
    "Not in the table, and not removed: logs (they expire), backups of the table (up to 35 days), what programs got as "
    "events, and all that is on Discord."
)


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
) -> int:
    options = _parser().parse_args(arguments)
    again = f"Run it again: it goes on at {options.progress}." if options.progress else "Run it again."
    return attempt(lambda: asyncio.run(_forget(deployed.find(options, outside), options, outside.sleep)), again=again)


async def _forget(found: Deployed, options: Any, sleep: Sleep) -> int:
    print(f"Reading all of {found.table_name}, a few hundred items at a time ...", file=sys.stderr)
    what = f"{found.table_name} {options.guild or options.user} {'yes' if options.yes else 'dry run'}"
    walk = Walk(found.call(), found.table_name, what, options.progress, sleep)
    if options.guild:
        if options.yes:
            await _require_absence(found, options.guild)
        counts = await guild.find(walk, options.guild)
        _show(f"server {options.guild}", counts)
        if options.yes:
            await guild.remove(walk, found.table())
            print("Removed.")
    else:
        counts = await user.forget(walk, found.table(), options.user, dry_run=not options.yes)
        _show(f"user {options.user}", counts)
        if options.yes:
            print("Removed; elsewhere the id is 0 now.")
        if any(user.CHANGED_MEANWHILE in name for name in counts):
            print("Something was changed at the same moment: run it again.")
    walk.finish()
    if not options.yes:
        print("Nothing was changed. Add --yes to remove it.")
    print(_STAYS)
    return 0


def _show(whose: str, counts: Counter[str]) -> None:
    print(f"On record of the {whose}: {quantity(counts.total(), 'item')}.")
    for name, number in sorted(counts.items()):
        print(f"{number:>8}  {name}")


async def _require_absence(found: Deployed, guild_id: str) -> None:
    """Raise OperatorError while the deployment works for the server: it would put it on record again."""
    allowed = found.stack.parameters.get("AllowedGuilds", "")
    if allowed and guild_id not in [part.strip() for part in allowed.split(",")]:
        return
    async with found.discord() as api:
        try:
            if await api.find(f"/guilds/{guild_id}") is None:
                return
        except DiscordError as error:
            cure = "Run: make setup, with the bot's new token." if error.status == 401 else "Run it again."
            raise OperatorError(f"{error} Nothing was removed.", cure) from None
    raise OperatorError(
        f"The bot is still in the server {guild_id}: the reconciler and the next command would put it on record again.",
        "Remove the bot from the server first (Server Settings, Integrations), or name the servers that it may work for "
        "with --set AllowedGuilds=....",
    )


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.forget", description="Forget a server or a user. A dry run, without --yes.")
    deployed.add_options(parser)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--guild", type=parse_id, metavar="ID", help="of a server")
    chosen.add_argument("--user", type=parse_id, metavar="ID", help="of a user")
    parser.add_argument("--yes", action="store_true", help="remove it; without this, nothing is changed")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="keep in this file how far it came")
    return parser


if __name__ == "__main__":
    sys.exit(main())
