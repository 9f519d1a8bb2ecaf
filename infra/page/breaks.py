"""What goes wrong on purpose, by the buttons of the page; and `heal`, which undoes what lasts."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from infra.local.discord_client import DiscordClient, User
from infra.local.http_client import call
from infra.local.stack import Stack
from infra.page.feed import Feed
from infra.page.world import Unknown, World
from infra.simulator.faults import blocked, proxy_limit, server_error
from infra.simulator.permissions import DEFAULT_PERMISSIONS
from infra.simulator.refusals import too_many_requests

SLOW_SECONDS: Final = 0.9  # of each of Discord's answers: too slow for a creation within the webhook's 2.4 seconds
LIMIT_SECONDS: Final = 2.0
REPEATS: Final = 3  # how many requests in a row fail
PEOPLE: Final = 50
WARM: Final = 2  # environments that stay afterwards
# What the next requests are answered with, how many of them, and what the page says.
ANSWERS: Final = {
    "discord-429": (
        too_many_requests(LIMIT_SECONDS),
        REPEATS,
        f"Discord answers the next {REPEATS} requests with 429: wait {LIMIT_SECONDS:.0f} s.",
    ),
    "discord-500": (server_error(), REPEATS, f"Discord answers the next {REPEATS} requests with 500."),
    "proxy": (proxy_limit(), 1, "A proxy in front of Discord answers the next request with 429, for an hour."),
    "block": (blocked(), REPEATS, f"A proxy in front of Discord blocks the next {REPEATS} requests."),
}


@dataclass(frozen=True)
class Moment:
    """When an environment is killed: before or after a request to Discord takes effect. `path` is the end of its path."""

    when: str
    method: str
    path: str


# After which of the protocol's steps the next environment is killed (docs/protocol.md).
STEPS: Final[Mapping[str, Moment]] = {
    "claim": Moment("before", "POST", "/messages"),
    "anchor": Moment("after", "POST", "/messages"),
    "record": Moment("before", "POST", "/threads"),
    "start": Moment("after", "POST", "/threads"),
}


class Breaks:
    """Breaks things in one server or in the whole stack."""

    def __init__(self, stack: Stack, client: DiscordClient, world: World, feed: Feed) -> None:
        self._stack, self._client, self._world, self._feed = stack, client, world, feed
        self._kill_lock = threading.Lock()
        self._actions: dict[str, Callable[[str], str]] = {
            "slow": self._slow,
            **{name: self._answering(name) for name in ANSWERS},
            "nonces": self._forget_nonces,
            "table": self._lose_table,
            "schedule": self._fire,
            "crowd": self._crowd,
            "heal": self._heal,
            **{f"kill-{step}": self._killer(step) for step in STEPS},
        }

    @property
    def names(self) -> list[str]:
        return list(self._actions)

    def carry_out(self, name: str, channel_id: str) -> str:
        """Do it. Returns what happened, or will happen, in a sentence. Raises Unknown."""
        if name not in self._actions:
            raise Unknown(f"no such button: {name}")
        said = self._actions[name](self._world.channel(channel_id).id)
        self._feed.add("broken", name=name, said=said)
        self._feed.add("changed")
        return said

    def _slow(self, channel_id: str) -> str:
        guild = self._world.channel(channel_id).guild_id
        self._stack.discord.delays = dict.fromkeys(self._stack.discord.ids_in(guild), SLOW_SECONDS)
        return f"Each answer of Discord about this server takes {SLOW_SECONDS} s longer, until you heal it."

    def _answering(self, name: str) -> Callable[[str], str]:
        answer, times, said = ANSWERS[name]

        def act(_: str) -> str:
            with self._stack.discord.lock:
                self._stack.discord.discord.faults.inject("*", "*", answer, times=times)
            return said

        return act

    def _forget_nonces(self, channel_id: str) -> str:
        with self._stack.discord.lock:
            self._stack.discord.discord.close_nonce_window()
        return "Discord has forgotten all nonces, as it does after a few minutes."

    def _lose_table(self, channel_id: str) -> str:
        ids = sorted(self._stack.discord.ids_in(self._world.channel(channel_id).guild_id))
        return f"{call('DELETE', f'{self._stack.aws_url}/_/items', ids)} items of this server are lost."

    def _fire(self, channel_id: str) -> str:
        threading.Thread(target=self._stack.tick, name="tick", daemon=True).start()
        return "The schedule fires: the reconciler looks at every server."

    def _crowd(self, channel_id: str) -> str:
        name = f"crowd {datetime.now(UTC):%H:%M:%S}"
        threading.Thread(target=self._open_at_once, args=(channel_id, name), name="crowd", daemon=True).start()
        return f"{PEOPLE} people use /session open name:{name} at once, as soon as {PEOPLE} environments are warm."

    def _open_at_once(self, channel_id: str, name: str) -> None:
        place = self._world.channel(channel_id)
        place = self._world.channel(place.parent_id) if place.parent_id else place
        self._stack.pools["WebhookFunction"].warm(PEOPLE)
        users = [User(str(1310000000000000000 + number), f"user {number}") for number in range(1, PEOPLE + 1)]
        with ThreadPoolExecutor(PEOPLE) as pool:
            answers = list(pool.map(lambda user: self._client.open_and_retry(user, place, name)[-1], users))
        self._stack.pools["WebhookFunction"].shrink(WARM)
        led = sum("<#" in answer.text for answer in answers)
        made = [id for id, shown in self._stack.discord.thread_names(place.id).items() if shown.endswith(name)]
        self._feed.add(
            "broken",
            name="crowd",
            said=f"{led} of {PEOPLE} got the link. Threads of that name: {len(made)}.",
            threads=made,
        )
        self._feed.add("changed")

    def _killer(self, step: str) -> Callable[[str], str]:
        def arm(channel_id: str) -> str:
            self._kill_after(step, STEPS[step])
            return f"The next environment that comes so far is killed after the step “{step}”."

        return arm

    def _kill_after(self, step: str, moment: Moment) -> None:
        def strike(environment: int, method: str, path: str) -> bool:
            if (method, path[path.rindex("/") :]) != (moment.method, moment.path):
                return False
            with self._kill_lock:
                if getattr(self._stack.discord, moment.when) is not strike:
                    return False  # it has struck already
                self._disarm()
            killed = self._kill(environment)
            if killed:
                self._feed.add("broken", name="kill", said=f"Environment {environment} was killed after “{step}”.")
            return killed

        self._disarm()
        setattr(self._stack.discord, moment.when, strike)

    def _kill(self, number: int) -> bool:
        for pool in self._stack.pools.values():
            for environment in pool.running():
                if environment.number == number:
                    environment.kill()
                    return True
        return False

    def _disarm(self) -> None:
        self._stack.discord.before = self._stack.discord.after = lambda *_: False

    def _heal(self, channel_id: str) -> str:
        place = self._world.channel(channel_id)
        self._disarm()
        self._stack.discord.delays = {}
        with self._stack.discord.lock:
            self._stack.discord.discord.faults.clear()
            self._stack.discord.discord.people.set_permissions(
                place.parent_id or place.id, DEFAULT_PERMISSIONS, now=datetime.now(UTC)
            )
        return "Healed: Discord answers as it should, and the bot has all its permissions here."
