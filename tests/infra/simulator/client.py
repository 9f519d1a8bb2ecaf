"""A bot's requests to a small simulated Discord, without HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from infra.simulator.exchange import Outcome, Request, Response
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.state import Switches
from tests.kit.secrets import BOT_TOKEN

APPLICATION = "1000"
BOT = "1001"
OWNER = "2"
ALICE = "3"
GUILD = "1"
TEXT = "10"
NEWS = "11"
FORUM = "12"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

HEADERS = {
    "user-agent": "DiscordBot (https://example.org, 1.0)",
    "authorization": f"Bot {BOT_TOKEN}",
    "content-type": "application/json",
}


def small_world(**switches: Any) -> SimulatedDiscord:
    """One guild with a text, an announcement and a forum channel."""
    discord = SimulatedDiscord(
        application_id=APPLICATION, bot_token=BOT_TOKEN, bot_user_id=BOT, switches=Switches(**switches)
    )
    discord.add_guild(GUILD, owner_id=OWNER)
    discord.add_channel(GUILD, TEXT)
    discord.add_channel(GUILD, NEWS, 5, "news")
    discord.add_channel(GUILD, FORUM, 15, "forum", tags=[("70", "bug")])
    discord.add_user(ALICE, name="alice")
    return discord


def make_request(
    method: str,
    path: str,
    body: Any = None,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A request by the bot. A header set to "" is left out."""
    sent = {name: value for name, value in {**HEADERS, **(headers or {})}.items() if value}
    encoded = b"" if body is None else msgspec.json.encode(body)
    return Request(method, path, {name: str(value) for name, value in (query or {}).items()}, sent, encoded)


class Bot:
    """Sends requests at a time that moves only by `wait`."""

    def __init__(self, discord: SimulatedDiscord, now: datetime = NOON) -> None:
        self.discord = discord
        self.now = now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Response:
        return self.discord.handle(make_request(method, path, body, query, headers), self.now)

    def exchange(self, method: str, path: str, body: Any = None) -> Outcome:
        return self.discord.exchange(make_request(method, path, body), self.now)

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET, which must succeed."""
        response = self.send("GET", path, **query)
        assert response.status == 200, response.body
        return response.json()

    def post(self, content: str = "hello", channel: str = TEXT, **fields: object) -> str:
        """Post a message and return its id."""
        response = self.send("POST", f"/channels/{channel}/messages", {"content": content, **fields})
        assert response.status == 200, response.body
        return str(response.json()["id"])

    def start(self, name: str = "Session x", channel: str = TEXT) -> str:
        """Post a message, start a thread from it, and return the id of both."""
        message = self.post(channel=channel)
        response = self.send("POST", f"/channels/{channel}/messages/{message}/threads", {"name": name})
        assert response.status == 201, response.body
        return message

    def active(self) -> list[str]:
        """The names of the active threads."""
        return [thread["name"] for thread in self.get(f"/guilds/{GUILD}/threads/active")["threads"]]


def refused(response: Response) -> tuple[int, int]:
    """The HTTP status and Discord's code of an error."""
    document = response.json()
    assert document["message"]
    return response.status, document["code"]
