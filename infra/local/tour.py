"""The tour: what people do with Onethread, played against the local stack, and checked.

This module is the stage: who is there, how a step is shown, counted and remembered. The steps are in `tour_steps`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Final

from infra.events.containers import TABLE
from infra.interactions import (
    BOT_PERMISSIONS,
    DEVELOPMENT_APPLICATION_ID,
    DEVELOPMENT_CHANNEL_ID,
    DEVELOPMENT_GUILD_ID,
    development_key,
)
from infra.local.aws_client import client
from infra.local.crash import CrashScene
from infra.local.meter import Cost, Meter
from infra.local.people import Discord, Person, Place, Seen
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.ticking import reconcile
from infra.simulator.models import Thread as DiscordThread
from infra.simulator.permissions import DEFAULT_PERMISSIONS, permission_bits

MONA: Final = Person("1300000000000000001", "mona")
OMAR: Final = Person("1300000000000000002", "omar")
VERA: Final = Person("1300000000000000003", "vera (moderator)", moderates=True)
CROWD: Final = tuple(Person(str(1310000000000000000 + number), f"person {number}") for number in range(1, 51))
PLACE: Final = Place(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID)
THINKING: Final = "Onethread is thinking…"
_LINK: Final = re.compile(r"<#(\d+)>")


@dataclass(frozen=True)
class Told:
    """What one open came to. `thread`: the id of the linked thread."""

    seen: Seen
    thread: str | None
    made: bool
    cost: Cost

    @property
    def text(self) -> str:
        return self.seen.text


class Tour:
    """One playing of the tour. `failures` are the checks that did not hold."""

    def __init__(self, stack: Stack, screen: Screen) -> None:
        self.stack = stack
        self.screen = screen
        self.place = PLACE
        self.failures: list[str] = []
        self.merged: set[str] = set()  # threads that bear no session's name any more
        self.linked: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.discord = Discord(
            control=stack.discord.url,
            endpoint=f"{stack.gateway.url}/interactions",
            application_id=DEVELOPMENT_APPLICATION_ID,
            key=development_key(),
        )
        self._warming = Thread(target=self._warm, name="warm", daemon=True)
        with stack.discord.lock:
            for person in (MONA, OMAR, VERA):
                stack.discord.discord.add_user(person.id, name=person.name)
        self.scene = CrashScene(stack, self.discord, OMAR)  # goes on beside the steps

    def play(self, steps: Collection[Callable[["Tour"], None]]) -> bool:
        """Play the steps and say how it went. True: everything held."""
        self._warming.start()
        try:
            for step in steps:
                step(self)
        except Exception as fault:  # what a check did not foresee: the steps after it would make no sense
            self.check(f"the tour goes on ({type(fault).__name__}: {fault})", False)
        self._warming.join()
        return not self.failures

    def _warm(self) -> None:
        """As many environments as the crowd will need, one after another beside the first steps."""
        self.stack.pools["WorkerFunction"].warm(1)
        self.stack.pools["WebhookFunction"].warm(len(CROWD))

    def wait_until_warm(self) -> None:
        with self.screen.waiting("environments are starting"):
            self._warming.join()

    # What people do

    def open(self, person: Person, name: str, *, topic: str | None = None, session: str | None = None) -> Told:
        """``/session open``, shown with what the person saw in the end and what it cost. `session`: if not the name."""
        typed = f"/session open name:{name}" + (f" topic:{topic}" if topic else "")
        self.screen.did(person.name, typed)
        before = self.stack.discord.living(self.place.channel_id)
        meter = self.meter()
        seen = self.discord.open(person, self.place, name, topic)
        if seen.deferred:
            with self.screen.waiting(THINKING):
                seen = self.discord.read(seen)
        return self.told(session or name, seen, before, meter.cost())

    def told(self, session: str, seen: Seen, before: Collection[str], cost: Cost) -> Told:
        """Show an answer, and remember which thread it linked."""
        first = f"{THINKING} ({seen.first_after:.1f} s)" if seen.deferred else ""
        self.screen.saw(seen.message, self.names(), first=first)
        thread = self.remember(self.place, session, seen)
        made = thread is not None and thread not in before
        outcome = "no thread linked" if thread is None else "a new thread" if made else "a thread that was there"
        self.screen.cost(outcome, cost)
        return Told(seen, thread, made, cost)

    def remember(self, place: Place, name: str, seen: Seen) -> str | None:
        """The thread that an answer links, noted for the end."""
        found = _LINK.search(seen.text)
        if found is None:
            return None
        self.linked[place.channel_id, name].append(found[1])
        return found[1]

    def forget(self, name: str) -> None:
        """The threads linked so far were deleted by a person: the next one is another."""
        self.linked.pop((self.place.channel_id, name), None)

    def act(self, who: Person, what: str, act: str, *arguments: Any, **more: Any) -> None:
        """Something that a person does on Discord by hand."""
        self.screen.did(who.name, what)
        with self.stack.discord.lock:
            getattr(self.stack.discord.discord.people, act)(*arguments, now=datetime.now(UTC), by=who.id, **more)

    def reconcile(self) -> None:
        """The schedule fires, and every guild is compared."""
        self.screen.did("the schedule", "fires")
        meter = self.meter()
        with self.screen.waiting("the reconciler compares"):
            reconcile(self.stack)
        self.screen.cost("compared", meter.cost())

    @contextmanager
    def without(self, *permissions: str) -> Iterator[None]:
        """While the bot lacks these, by name, in the tour's channel."""
        lacking = permission_bits(permissions)
        self.act(
            VERA,
            f"takes away: {', '.join(permissions)}",
            "set_permissions",
            PLACE.channel_id,
            DEFAULT_PERMISSIONS & ~lacking,
        )
        self.place = replace(PLACE, app_permissions=BOT_PERMISSIONS & ~lacking)
        try:
            yield
        finally:
            self.act(VERA, "gives it back", "set_permissions", PLACE.channel_id, DEFAULT_PERMISSIONS)
            self.place = PLACE

    # What is so

    def check(self, text: str, holds: bool) -> None:
        self.screen.verdict(text, holds)
        if not holds:
            self.failures.append(text)

    def meter(self) -> Meter:
        return Meter(self.stack, not_about=self.scene.ids)

    def thread(self, session: str) -> DiscordThread:
        """The session's thread as it is on Discord: the one that was linked last."""
        with self.stack.discord.lock:
            return self.stack.discord.discord.threads[self.linked[self.place.channel_id, session][-1]]

    def on_record(self, session: str) -> dict[str, str]:
        """The session's item in the table, as texts."""
        key = {"pk": {"S": f"CHANNEL#{PLACE.channel_id}"}, "sk": {"S": f"SESSION#{session}"}}
        dynamodb = client("dynamodb", self.stack.aws_url)
        item = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {})
        dynamodb.close()
        return {name: str(next(iter(value.values()))) for name, value in item.items()}

    def is_shut(self, thread_id: str) -> bool:
        """Whether the thread is archived and locked."""
        with self.stack.discord.lock:
            thread = self.stack.discord.discord.threads[thread_id]
        return thread.archived and thread.locked

    def living(self) -> dict[str, str]:
        """The threads of the tour's channel: names by id."""
        return self.stack.discord.living(self.place.channel_id)

    def messages(self) -> list[str]:
        """The bot's messages in the tour's channel."""
        return self.stack.discord.messages(self.place.channel_id)

    def names(self) -> dict[str, str]:
        """What mentions show: threads and people, by id."""
        with self.stack.discord.lock:
            world = self.stack.discord.discord
            people = {user.id: user.name for user in world.state.users.values()}
            return people | {thread.id: thread.name for thread in world.threads.values()}
