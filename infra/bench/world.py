"""A guild with a channel for the benchmarks: simulated Discord, the table in memory, and functions, in virtual time."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from typing import Any, Final, TypeVar, cast

from handler import api, config, webhook
from handler.aws.dynamodb import DynamoDB
from handler.bootstrap import Environment
from handler.config import ApiConfig, Config, WebhookConfig
from infra import virtual_time
from infra.cost.counted_table import CountedTable, Use
from infra.interactions import development_key as key
from infra.interactions import encode, interaction, sign
from infra.lambda_events import api_gateway_event
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import LoopClock

T = TypeVar("T")
C = TypeVar("C", bound=Config)

DISCORD_SECONDS: Final = 0.080  # that a request to Discord takes
TABLE_SECONDS: Final = 0.005  # that one to DynamoDB takes
GUILD: Final = "1"
CHANNEL: Final = "10"
USER: Final = "3"
TOKEN: Final = "made-up-bot-token"
TABLE: Final = "sessions"
ENVIRON: Final = {
    "SESSIONS_TABLE": TABLE,
    "JOBS_QUEUE_URL": "https://sqs.example/jobs",
    "DISCORD_APPLICATION_ID": "1000",
    "DISCORD_PUBLIC_KEY": key().verify_key.encode().hex(),
    "DISCORD_BOT_TOKEN": TOKEN,
    "MEMBER_CREATIONS_PER_HOUR": "3600",
}
WEBHOOK_SECONDS: Final = 10.0  # its time-out in the template
API_SECONDS: Final = 60.0


class World:
    """`archived`: how many threads the channel has had; their import is over. `limited`: Discord's 50 requests a second hold.

    Build it inside the loop's run: see `play`.
    """

    def __init__(self, *, archived: int = 0, limited: bool = False) -> None:
        self.clock = LoopClock()
        self.discord = SimulatedDiscord(application_id=ENVIRON["DISCORD_APPLICATION_ID"], bot_token=TOKEN)
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL)
        self.discord.add_user(USER)
        newest = self.clock.start - timedelta(days=1)
        step = timedelta(minutes=1)
        self.discord.people.add_archived_threads(CHANNEL, archived, newest=newest, name_of="talk {}".format, step=step)
        if limited:
            self.discord.limit_globally()
        self.table = CountedTable(TABLE, TABLE_SECONDS)
        self._closing = AsyncExitStack()
        self._numbers = count(1)

    async def begin(self) -> None:
        """Put the channel on record, with its past known."""
        item = {"pk": f"CHANNEL#{CHANNEL}", "sk": "CHANNEL", "channel_id": CHANNEL, "guild_id": GUILD, "kind": 0}
        imported_at = (self.clock.start - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        await self.table("put_item", TableName=TABLE, Item={**item, "imported_at": imported_at})

    async def end(self) -> None:
        await self._closing.aclose()

    def transport(self) -> SimulatedTransport:
        return SimulatedTransport(self.discord, self.clock.now, latency=DISCORD_SECONDS)

    def environment(self, kind: type[C]) -> Environment[C]:
        """One more execution environment, as after INIT."""
        made = Environment(config.load(kind, ENVIRON), clock=self.clock, transport=self.transport())
        made.dynamodb = cast("DynamoDB", self.table)  # all that the Store does is call it
        self._closing.push_async_callback(made.http.aclose)
        return made

    async def command(self, environment: Environment[WebhookConfig], name: str) -> int:
        """A member uses ``/session open``; the type of the answer."""
        now = self.clock.now()
        token = f"made-up-token-{next(self._numbers)}"
        body = encode(interaction(name, channel_id=CHANNEL, guild_id=GUILD, user_id=USER, token=token, now=now))
        event = api_gateway_event(body, sign(body, key(), now), now=now)
        response = await webhook.handle(environment, event, "request", WEBHOOK_SECONDS)
        return int(json.loads(response["body"])["type"])

    async def program(self, environment: Environment[ApiConfig], name: str) -> dict[str, Any]:
        """A program opens a session, and repeats that as long as it is told to; what it is answered in the end."""
        event = {"session_name": name, "parent_channel_id": CHANNEL, "request_id": f"request-{next(self._numbers)}"}
        while True:
            answer = await api.handle(environment, event, f"invocation-{next(self._numbers)}", API_SECONDS)
            if "error" not in answer:
                return answer
            assert answer["error"]["retryable"], answer
            await self.clock.sleep(answer["error"].get("retry_after") or 1.0)

    def threads(self, name: str) -> int:
        """How many threads of that session there are."""
        return sum(thread.name == f"Session {name}" for thread in self.discord.threads.values())

    def use(self) -> Use:
        """All that was asked for so far."""
        return self.table.use + Use(discord=sum(self.discord.calls.values()))

    async def timed(self, work: Coroutine[Any, Any, T]) -> tuple[float, Use, T]:
        """Seconds of virtual time, the requests, and the result."""
        loop, before, used = asyncio.get_running_loop(), asyncio.get_running_loop().time(), self.use()
        result = await work
        return loop.time() - before, self.use() - used, result


def play(scenario: Callable[[World], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Run a scenario in a world of its own."""

    async def run() -> T:
        world = World(**options)
        await world.begin()
        try:
            return await scenario(world)
        finally:
            await world.end()

    return virtual_time.run(run())
