"""A simulated Discord with something of everything, and a request for each route."""

from typing import Any

from infra.simulator.router import Route, find_route
from tests.infra.simulator.client import ALICE, APPLICATION, FORUM, GUILD, NEWS, NOON, TEXT, Bot, small_world

BUTTON = {"type": 1, "components": [{"type": 2, "style": 5, "label": "Open", "url": "https://example.org"}]}


class Scene:
    def __init__(self) -> None:
        self.discord = small_world()
        bot = Bot(self.discord)
        self.message = bot.post(embeds=[{"title": "t"}], components=[BUTTON], nonce="n")
        self.thread = bot.start("one")
        self.news = bot.post(channel=NEWS)
        self.inside = bot.post(channel=self.thread)
        self.plain = bot.post()
        self.archived = bot.start("two")
        self.locked = bot.start("three")
        bot.send("PUT", f"/channels/{self.thread}/thread-members/{ALICE}")
        people = self.discord.people
        people.rename(self.thread, "four", now=NOON)
        people.add_archived_threads(TEXT, 3, newest=NOON)
        people.archive(self.archived, now=NOON)
        people.lock(self.locked, now=NOON)
        private = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "private"}).json()["id"]
        people.archive(private, now=NOON)
        self.elsewhere = people.create_thread(TEXT, "without the bot", now=NOON)
        self.discord.begin_interaction("secret", "500", APPLICATION, NOON, channel_id=TEXT)
        self.discord.answer_interaction("secret", {"type": 5, "data": {"flags": 64}}, NOON)
        bot.send("PUT", f"/applications/{APPLICATION}/commands", [{"name": "x", "description": "x"}])

    def fill(self, path: str) -> str:
        """A path with the ids of this scene."""
        return path.format(
            text=TEXT, forum=FORUM, news_channel=NEWS, guild=GUILD, app=APPLICATION, alice=ALICE, **vars(self)
        )


def route_of(method: str, path: str) -> Route:
    route, _, _ = find_route(method, Scene().fill(path))
    assert route is not None
    return route


_POST = {"name": "x", "message": {"content": "x"}}
_COMMANDS = [
    {"name": "session", "description": "Sessions", "options": [{"type": 3, "name": "name", "description": "n"}]}
]
_ENDPOINT = {"interactions_endpoint_url": "https://example.org"}
# A request for each route, and several where the answers differ in kind: method, path, body, status.
REQUESTS: tuple[tuple[str, str, Any, int], ...] = (
    ("GET", "/channels/{text}", None, 200),
    ("GET", "/channels/{forum}", None, 200),
    ("GET", "/channels/{thread}", None, 200),
    ("PATCH", "/channels/{thread}", {"name": "y", "archived": True}, 200),
    ("DELETE", "/channels/{thread}", None, 200),
    ("GET", "/channels/{text}/messages", None, 200),
    ("POST", "/channels/{text}/messages", {"content": "<@3>", "nonce": "m"}, 200),
    ("GET", "/channels/{text}/messages/{thread}", None, 200),
    ("PATCH", "/channels/{text}/messages/{plain}", {"content": "y"}, 200),
    ("DELETE", "/channels/{text}/messages/{plain}", None, 204),
    ("DELETE", "/channels/{thread}/messages/{inside}", None, 204),
    ("POST", "/channels/{text}/messages/{plain}/threads", {"name": "x"}, 201),
    ("POST", "/channels/{news_channel}/messages/{news}/threads", {"name": "x"}, 201),
    ("POST", "/channels/{text}/threads", {"name": "x", "type": 11}, 201),
    ("POST", "/channels/{text}/threads", {"name": "x"}, 201),
    ("POST", "/channels/{forum}/threads", _POST, 201),
    ("GET", "/channels/{text}/threads/archived/public", None, 200),
    ("GET", "/channels/{text}/threads/archived/private", None, 200),
    ("GET", "/channels/{text}/users/@me/threads/archived/private", None, 200),
    ("GET", "/channels/{text}/threads/search", None, 200),
    ("GET", "/channels/{thread}/thread-members", None, 200),
    ("GET", "/channels/{thread}/thread-members/{alice}", None, 200),
    ("PUT", "/channels/{locked}/thread-members/{alice}", None, 204),
    ("DELETE", "/channels/{thread}/thread-members/{alice}", None, 204),
    ("PUT", "/channels/{elsewhere}/thread-members/@me", None, 204),
    ("DELETE", "/channels/{thread}/thread-members/@me", None, 204),
    ("GET", "/guilds/{guild}", None, 200),
    ("GET", "/guilds/{guild}/members/300", None, 200),
    ("GET", "/guilds/{guild}/threads/active", None, 200),
    ("GET", "/guilds/{guild}/audit-logs", None, 200),
    ("GET", "/users/@me", None, 200),
    ("GET", "/users/@me/guilds", None, 200),
    ("GET", "/applications/@me", None, 200),
    ("PATCH", "/applications/@me", _ENDPOINT, 200),
    ("GET", "/applications/{app}/commands", None, 200),
    ("PUT", "/applications/{app}/commands", _COMMANDS, 200),
    ("GET", "/applications/{app}/guilds/{guild}/commands", None, 200),
    ("PUT", "/applications/{app}/guilds/{guild}/commands", _COMMANDS, 200),
    ("GET", "/webhooks/{app}/secret/messages/@original", None, 200),
    ("PATCH", "/webhooks/{app}/secret/messages/@original", {"content": "x"}, 200),
    ("DELETE", "/webhooks/{app}/secret/messages/@original", None, 204),
)
