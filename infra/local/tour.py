"""The tour: what users do with Onethread, played against the local stack and checked.

This module has what the scenarios share: the users, and how a command is shown, counted and remembered. The scenarios are
in `scenarios`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from threading import Thread
from typing import Any, Final

from infra.events.containers import TABLE
from infra.interactions import BOT_PERMISSIONS
from infra.local import crash_scenario
from infra.local.aws_client import client
from infra.local.channel_view import draw_threads
from infra.local.crash_scenario import CrashScenario
from infra.local.discord_client import MAX_ATTEMPTS, Answer, Channel, DiscordClient, User
from infra.local.http_client import call
from infra.local.people import MONA, OMAR, VERA
from infra.local.request_counter import Cost, RequestCounter
from infra.local.screen import Screen, discord_text
from infra.local.stack import Stack
from infra.simulator import render
from infra.simulator.models import Thread as DiscordThread
from infra.simulator.permissions import DEFAULT_PERMISSIONS, permission_bits

CROWD: Final = tuple(User(str(1310000000000000000 + number), f"user {number}") for number in range(1, 51))
CHANNEL: Final = Channel("1200000000000000001", "1200000000000000002")
# The day's server: a text channel and a forum.
DAY: Final = Channel("1220000000000000001", "1220000000000000002")
FORUM: Final = Channel("1220000000000000001", "1220000000000000003", kind=15)
TAGS: Final = (("1220000000000000004", "idea"), ("1220000000000000005", "fault"))
THINKING: Final = "Onethread is thinking…"
_LINK: Final = re.compile(r"<#(\d+)>")


@dataclass(frozen=True)
class Opened:
    """The outcome of one open."""

    answer: Answer
    thread: str | None  # id of the linked thread
    created: bool
    cost: Cost
    times: int = 1  # how often the user asked: more than once on a busy machine

    @property
    def text(self) -> str:
        return self.answer.text


@dataclass(frozen=True)
class Scenario:
    """One part of the tour: it does something, shows it, and checks it."""

    title: str
    play: "Callable[[Tour], None]"


class Tour:
    """One playing of the tour. `failures`: the checks that failed."""

    def __init__(self, stack: Stack, screen: Screen) -> None:
        self.stack = stack
        self.screen = screen
        self.channel = CHANNEL
        self.failures: list[str] = []
        self.merged: set[str] = set()  # threads that were merged into another
        self.links: dict[tuple[str, str], list[str]] = defaultdict(list)  # threads linked, by channel and session
        self.discord = DiscordClient(control_url=stack.discord.url, gateway_url=stack.gateway.url)
        self._warm_up = Thread(target=self._warm, name="warm-up", daemon=True)
        set_the_scene(stack)
        self.crash = CrashScenario(stack, self.discord, OMAR)

    def play(
        self,
        scenarios: Sequence[Scenario],
        *,
        warm_first: bool = False,
        proceed: Callable[[int], bool] = lambda number: True,
    ) -> bool:
        """Play the scenarios, at once or when all environments are warm. Returns whether all checks passed.

        `proceed` is asked before each scenario, numbered from 1; when it says False, the tour ends.
        """
        self._warm_up.start()
        if warm_first:
            self.wait_until_warm()
        try:
            for number, scenario in enumerate(scenarios, start=1):
                if not proceed(number):
                    break
                self.screen.heading(f"{number}  {scenario.title}")
                scenario.play(self)
        except Exception as fault:  # the scenarios after it would make no sense
            self.check(f"the tour goes on ({type(fault).__name__}: {fault})", False)
        self._warm_up.join()
        return not self.failures

    def _warm(self) -> None:
        """Start as many environments as the crowd will need, at the same time as the first scenarios play."""
        self.stack.pools["WorkerFunction"].warm(1)
        self.stack.pools["WebhookFunction"].warm(len(CROWD))

    def wait_until_warm(self) -> None:
        with self.screen.spinner("starting fifty environments"):
            self._warm_up.join()

    # What people do

    def open(self, user: User, name: str, *, topic: str | None = None, session: str | None = None) -> Opened:
        """Use ``/session open``; show the final answer and the cost. `session`: the session's name, if not `name`."""
        self.screen.action(user.name, f"/session open name:{name}" + (f" topic:{topic}" if topic else ""))
        before = self.threads()
        counter = self.counter()
        answers = self._finish_in_time(user, partial(self.discord.open, user, self.channel, name, topic))
        answer, cost = answers[-1], counter.cost()
        thread = self.remember_link(self.channel, session or name, answer)
        created = thread is not None and thread not in before
        self.screen.cost("no thread" if thread is None else "new thread" if created else "existing thread", cost)
        return Opened(answer, thread, created, cost, len(answers))

    def use(self, user: User, channel: Channel, path: str, **options: Any) -> Answer:
        """Use any command; show the final answer."""
        given = "".join(f" {name}:{value}" for name, value in options.items())
        self.screen.action(user.name, f"/{path}{discord_text(given, self.names())}")
        return self._finish_in_time(user, partial(self.discord.use, user, channel, path, options))[-1]

    def _finish_in_time(self, user: User, ask: Callable[[], Answer]) -> list[Answer]:
        """Ask and finish, and again if there was not enough time, as users do. Returns all answers."""
        answers = [self.finish(ask())]
        while answers[-1].is_too_late and len(answers) < MAX_ATTEMPTS:
            self.screen.hint(f"This machine is busy, and Discord waits only 3 s: {user.name} asks again.")
            answers.append(self.finish(ask()))
        return answers

    def finish(self, answer: Answer) -> Answer:
        """Wait for the final answer, and show it."""
        if answer.is_pending:
            with self.screen.spinner(THINKING):
                answer = self.discord.wait(answer)
        first = f"{THINKING} ({answer.first_after:.1f} s)" if answer.deferred else ""
        self.screen.message(answer.message, self.names(), first=first)
        return answer

    def message_of(self, channel: Channel, content: str) -> dict[str, Any]:
        """A message in the channel, as Discord shows it to everybody."""
        with self.stack.discord.lock:
            readable = self.stack.discord.discord.fork()
        readable.switch(message_content=True)
        found = (message for message in readable.messages.values() if message.channel_id == channel.id)
        return render.message(readable.state, next(message for message in found if message.content == content))

    def remember_link(self, channel: Channel, session: str, answer: Answer) -> str | None:
        """Return the thread that an answer links. The last scenario checks all links."""
        found = _LINK.search(answer.text)
        if found is None:
            return None
        self.links[channel.id, session].append(found[1])
        return found[1]

    def forget_links(self, session: str) -> None:
        """After somebody deleted the session's thread."""
        self.links.pop((self.channel.id, session), None)

    def act(self, user: User, what: str, action: str, *arguments: Any, **more: Any) -> None:
        """Something that a person does on Discord without Onethread: `action` of the simulator's people."""
        self.screen.action(user.name, what)
        with self.stack.discord.lock:
            getattr(self.stack.discord.discord.people, action)(*arguments, now=datetime.now(UTC), by=user.id, **more)

    def reconcile(self) -> None:
        """Let the schedule fire, and wait until every guild is reconciled."""
        self.screen.action("the schedule", "fires")
        counter = self.counter()
        with self.screen.spinner("the reconciler is running"):
            self.stack.reconcile()
        self.screen.cost("reconciled", counter.cost())

    @contextmanager
    def without(self, *permissions: str) -> Iterator[None]:
        """Take these permissions away from the bot in the tour's channel for a while."""
        bits = permission_bits(permissions)
        allowed = DEFAULT_PERMISSIONS & ~bits
        self.act(VERA, f"takes away: {', '.join(permissions)}", "set_permissions", CHANNEL.id, allowed)
        self.channel = replace(CHANNEL, app_permissions=BOT_PERMISSIONS & ~bits)
        try:
            yield
        finally:
            self.act(VERA, "gives it back", "set_permissions", CHANNEL.id, DEFAULT_PERMISSIONS)
            self.channel = CHANNEL

    # What is there

    def show_channel(self, *threads: str) -> None:
        """Show the channel as everybody sees it, as far as these threads go."""
        names = self.names()
        with self.stack.discord.lock:
            state = self.stack.discord.discord.state
            shown = [thread for thread in state.threads.values() if thread.id in threads]
            lines = list(draw_threads(state, shown, names))
            self.screen.channel(state.channels[CHANNEL.id].name, lines)

    def check(self, text: str, passed: bool) -> None:
        self.screen.check(text, passed)
        if not passed:
            self.failures.append(text)

    def counter(self) -> RequestCounter:
        return RequestCounter(self.stack, not_about=self._elsewhere)

    def _elsewhere(self) -> set[str]:
        """The ids of the other servers, and of what is in them: the crash's, and what a person has opened there."""
        with self.stack.discord.lock:
            others = {guild.id for guild in self.stack.discord.discord.state.guilds.values()} - {CHANNEL.guild_id}
        return set().union(*map(self.stack.discord.ids_in, others))

    def thread(self, session: str) -> DiscordThread:
        """The session's thread as it is on Discord: the one that was linked last."""
        return self._discord_thread(self.links[self.channel.id, session][-1])

    def is_archived_and_locked(self, thread_id: str) -> bool:
        thread = self._discord_thread(thread_id)
        return thread.archived and thread.locked

    def _discord_thread(self, thread_id: str) -> DiscordThread:
        with self.stack.discord.lock:
            return self.stack.discord.discord.threads[thread_id]

    def session_item(self, session: str) -> dict[str, str]:
        """The session's item in the table, as texts."""
        key = {"pk": {"S": f"CHANNEL#{CHANNEL.id}"}, "sk": {"S": f"SESSION#{session}"}}
        dynamodb = client("dynamodb", self.stack.aws_url)
        item = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {})
        dynamodb.close()
        return {name: str(next(iter(value.values()))) for name, value in item.items()}

    def threads(self) -> dict[str, str]:
        """The names of the threads in the tour's channel, by id."""
        return self.stack.discord.thread_names(self.channel.id)

    def bot_messages(self) -> list[str]:
        """The ids of the bot's messages in the tour's channel."""
        return self.stack.discord.bot_messages(self.channel.id)

    def names(self) -> dict[str, str]:
        """What mentions show: names of threads and users, by id."""
        with self.stack.discord.lock:
            discord = self.stack.discord.discord
            users = {user.id: user.name for user in discord.state.users.values()}
            users |= {user.id: "one of them" for user in CROWD}  # who it is differs from one run to the next
            channels = {channel.id: channel.name for channel in discord.state.channels.values()}
            return users | channels | {thread.id: thread.name for thread in discord.threads.values()}


def set_the_scene(stack: Stack) -> None:
    """Make the tour's servers as if they were new: the stack remembers earlier tours. Other servers stay as they are."""
    for channel, server, name in (
        (CHANNEL, "Lagoon", "builds"),
        (crash_scenario.CHANNEL, "Harbour", "deploys"),
        (DAY, "Bay", "talk"),
    ):
        ids = stack.discord.ids_in(channel.guild_id)
        stack.discord.remove_guild(channel.guild_id)
        call("DELETE", f"{stack.aws_url}/_/items", sorted(ids))
        with stack.discord.lock:
            stack.discord.discord.add_guild(channel.guild_id, name=server)
            stack.discord.discord.add_channel(channel.guild_id, channel.id, name=name)
    with stack.discord.lock:
        stack.discord.discord.add_channel(FORUM.guild_id, FORUM.id, FORUM.kind, name="ideas", tags=TAGS)
        for user in (MONA, OMAR, VERA):
            stack.discord.discord.add_user(user.id, name=user.name)
