"""Compare the table, its pointers and Discord: ``python -m infra.verify``. It changes nothing.

    python -m infra.verify                       all servers on record
    python -m infra.verify --guild 1234567890    one of them
    python -m infra.verify --json                for programs

It looks whether what the protocol promises is so: one living thread for a name; each session's thread points at it, and
each pointer's session has its thread; no source message without a session; nothing claimed for longer than a lease;
no buttons beneath questions that are over. What differs is read a second time before it is said, because people and
the reconciler are at work meanwhile. Exit status 1: something differs.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from handler.errors import quantity
from handler.sessions.names import Names
from infra.command_line import Parser, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.on_record import channels_in_use, known_guilds
from infra.deployment.program import OUTSIDE, Outside, attempt
from infra.verify.check import Difference, differences
from infra.verify.mend import Commands
from infra.verify.read import Reader

AGAIN_SECONDS: Final = 10.0  # before what differs is read again: longer than any command takes


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
) -> int:
    options = _parser().parse_args(arguments)
    return attempt(
        lambda: asyncio.run(_verify(deployed.find(options, outside), options, outside)), as_json=options.json
    )


async def _verify(found: Deployed, options: Any, outside: Outside) -> int:
    different: list[Difference] = []
    table, names = found.table(), Names(found.variables.get("SESSION_NAME_PREFIX") or "Session ")
    commands = Commands(found.name, found.table_name, found.account.region)
    async with found.discord() as api:
        bot = (await api.call("GET", "/users/@me"))["id"]
        known = [item["pk"].removeprefix("GUILD#") for item in await known_guilds(table)]
        for guild_id in [options.guild] if options.guild else known:
            if await api.find(f"/guilds/{guild_id}") is None:
                print(f"server {guild_id}: the bot is no member, so there is nothing to compare", file=sys.stderr)
                continue
            reader = Reader(table, commands, api, names, guild_id, bot, outside.sleep)
            for channel_id in await channels_in_use(table, guild_id):
                different += await _verify_channel(reader, channel_id, outside, quiet=options.json)
            if reader.left_out:
                print(f"{quantity(reader.left_out, 'thread')} and cards were too many to be read.", file=sys.stderr)
    if options.json:
        print(json.dumps({"ok": not different, "differences": [asdict(one) for one in different]}, indent=2))
    else:
        print(f"{quantity(len(different), 'difference')}." if different else "Nothing differs.")
    return int(bool(different))


async def _verify_channel(reader: Reader, channel_id: str, outside: Outside, *, quiet: bool) -> list[Difference]:
    """What differs at two moments."""
    facts = await reader.read(channel_id, outside.now())
    if facts is None:
        print(f"channel {channel_id}: the bot cannot read it, so there is nothing to compare", file=sys.stderr)
        return []
    found = list(differences(facts))
    if found:
        await outside.sleep(AGAIN_SECONDS)
        again = await reader.read(channel_id, outside.now())
        still = set(differences(again)) if again else set[Difference]()
        found = [one for one in found if one in still]
    if not quiet:
        print("\n".join([f"channel {channel_id}: {'differs' if found else 'as it must be'}", *map(str, found)]))
    return found


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.verify", description="Compare the table, its pointers and Discord.")
    deployed.add_options(parser)
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="this server alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
