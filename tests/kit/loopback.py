"""The whole outside on loopback: Discord, DynamoDB, SQS and SSM, and the variables that lead the functions there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from infra.local.aws import EmulatedAws
from infra.local.queues import create_queues
from infra.loopback import Loopback as HttpServer
from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.memory_table import MemoryTable
from tests.kit.guild import APPLICATION, KEY
from tests.kit.secrets import BOT_TOKEN, MARK, made_up
from tests.kit.table_view import CHANNEL, GUILD

TABLE: Final = "sessions-on-loopback"


@dataclass(frozen=True)
class Loopback:
    """`variables`: those of a function; `discord`: the world, to look at."""

    variables: Mapping[str, str]
    discord: SimulatedDiscord


@contextmanager
def loopback() -> Iterator[Loopback]:
    """Serve until the block ends. The token is kept in SSM."""
    world = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN)
    world.add_guild(GUILD)
    world.add_channel(GUILD, CHANNEL)
    server = HttpServer(EmulatedAws(MemoryTable(TABLE), {"/onethread/token": BOT_TOKEN}).answer)
    try:
        with DiscordServer(world) as discord:
            yield Loopback(_variables(server.url, discord.api_url, create_queues(server.url)), world)
    finally:
        server.close()


def _variables(url: str, api_url: str, queues: Mapping[str, str]) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": MARK,
        "AWS_SECRET_ACCESS_KEY": made_up("key"),
        "AWS_DEFAULT_REGION": "us-east-1",
        **{f"AWS_ENDPOINT_URL_{name}": url for name in ("DYNAMODB", "SQS", "SSM")},
        "SESSIONS_TABLE": TABLE,
        "JOBS_QUEUE_URL": queues["JobsQueue"],
        "RECONCILE_QUEUE_URL": queues["ReconcileQueue"],
        "DISCORD_API_URL": api_url,
        "DISCORD_APPLICATION_ID": APPLICATION,
        "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
        "DISCORD_BOT_TOKEN_PARAMETER": "/onethread/token",
    }
