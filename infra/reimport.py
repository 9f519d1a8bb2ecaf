"""Import channels again, from this machine: ``python -m infra.reimport``. After the table was restored, or lost.

    python -m infra.reimport --all                     every channel on record: it reads the whole table, slowly
    python -m infra.reimport --guild 1234567890        those of a server
    python -m infra.reimport --channel 1234567890      one channel, on record or not

It does what `/session-admin import` does: it reads all archived threads of the channel and puts each on record that is
named like a session. People can go on using the bot meanwhile. A run that was stopped is continued with --run, which it
prints. It needs AWS credentials that may scan and write the table, and read the bot's token.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

from handler.bootstrap import Environment
from handler.config import ApiConfig
from handler.errors import (
    ChannelGone,
    DiscordRefused,
    GuildNotAllowed,
    MissingAccess,
    UnreadableItem,
    UnsupportedChannel,
    quantity,
)
from handler.sessions.opening.channel import find_channel, register
from handler.sessions.opening.channel_import import import_afresh
from infra.command_line import Parser, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.program import OUTSIDE, Outside, Sleep, attempt
from infra.deployment.walk import Walk

PAUSE_SECONDS: Final = 1.0  # between two channels: people's commands need the bot's requests more
# What concerns one channel only: the others are imported all the same.
_OF_A_CHANNEL: Final = (ChannelGone, MissingAccess, GuildNotAllowed, UnsupportedChannel, UnreadableItem, DiscordRefused)


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
    **parts: Any,
) -> int:
    options = _parser().parse_args(arguments)
    run = options.run or f"{outside.now():%Y%m%d%H%M%S}"

    def work() -> int:
        found = deployed.find(options, outside)
        environment = found.environment(ApiConfig, **parts)
        print(f"Run {run}. If it is stopped, go on with: --run {run}", flush=True)
        try:
            return int(environment.run(_import_all(environment, found, options, run, outside.sleep)) > 0)
        finally:
            environment.close()

    return attempt(work, again=f"Go on with: --run {run}")


async def _import_all(
    environment: Environment[ApiConfig], found: Deployed, options: argparse.Namespace, run: str, sleep: Sleep
) -> int:
    """Import one channel after the other; how many could not be."""
    channels = [options.channel] if options.channel else await _on_record(found, options.guild, sleep)
    skipped = 0
    for number, channel_id in enumerate(channels):
        if number:
            await sleep(PAUSE_SECONDS)
        try:
            print(f"ok   {channel_id}  {await _import(environment, channel_id, run)}", flush=True)
        except _OF_A_CHANNEL as error:
            skipped += 1
            print(f"skip {channel_id}  {error.message}", flush=True)
    print(f"{quantity(len(channels) - skipped, 'channel')} imported, {skipped} skipped.")
    return skipped


async def _import(environment: Environment[ApiConfig], channel_id: str, run: str) -> str:
    """Import the channel to its end, or go on with what this run began there; what it found."""
    context = environment.sessions.context
    channel, known = await find_channel(context, channel_id, guild_id=None, kind=None)
    if not known:
        await register(context, channel)
    done = await import_afresh(context, channel, f"reimport-{run}", stretch=float("inf"))
    return ", ".join(quantity(number, name.removesuffix("s")) for name, number in done.progress.items())


async def _on_record(found: Deployed, guild_id: str | None, sleep: Sleep) -> list[str]:
    """The ids of the channels of all items; of a server's, if one is given."""
    print(f"Reading all of {found.table_name}, a few hundred items at a time ...", file=sys.stderr)
    walk, channels = Walk(found.call(), found.table_name, "reimport", sleep=sleep), set[str]()
    async for page in walk.pages(0):
        for item in page:
            match = re.fullmatch(r"CHANNEL#(\d+)", item["pk"])
            if match and (guild_id is None or guild_id in (item.get("guild_id"), item.get("watch_guild_id"))):
                channels.add(match[1])
    return sorted(channels, key=int)


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.reimport", description="Import channels again, after a restore.")
    deployed.add_options(parser)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--all", action="store_true", help="every channel on record")
    chosen.add_argument("--guild", type=parse_id, metavar="ID", help="the channels of this server")
    chosen.add_argument("--channel", type=parse_id, metavar="ID", help="this channel")
    parser.add_argument("--run", metavar="ID", help="go on with a run that was stopped")
    return parser


if __name__ == "__main__":
    sys.exit(main())
