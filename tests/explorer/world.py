"""The world that the actors share: the table, the simulated Discord, and what other people may still do to both."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.aws.dynamodb import ConditionFailed, TransactionFailed
from handler.discord.http import Request, encode_body, encode_headers
from handler.discord.rest import Response
from handler.runtime.clock import parse_iso
from handler.runtime.secrets import Secret
from handler.sessions.model import Opened
from handler.store.clauses import OWN_LEASE
from infra.simulator.exchange import Request as SimulatedRequest
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.memory_table import MemoryTable
from tests.explorer.actor import (
    APPLICATION,
    CHANNEL,
    GUILD,
    NAMES,
    TABLE,
    Answer,
    Execution,
    Opener,
    Question,
    remembered,
)
from tests.kit.secrets import BOT_TOKEN

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAX_LONE_CALLS = 200  # an opener that asks more, with nobody about, has no way to end
LEASE_OVER = timedelta(seconds=16)
_THREAD_STARTS = "POST /channels/{channel}/messages/{message}/threads"


class Violation(AssertionError):
    """Something that must hold at every point did not."""


@dataclass(frozen=True)
class Bounds:
    """How often each thing may happen. Moderators' acts are also bounded together, by `acts`.

    `second_thread`: Discord allows another thread from a message whose thread was deleted. `no_nonces`: their window is
    closed from the beginning. `foreign`: a session of that name is open from the beginning, and its thread alone may be
    renamed (`rename_to`) and deleted (`delete_foreign`). `old`: a person's archived thread of that name is there from the
    beginning; `hides_old`: in no list, because the channel was converted, so that only the search has it. `stale_search`:
    the search's index stops. `half_lists`: from then on each archived page is half a page.
    """

    acts: int = 0
    delete_thread: int = 0
    delete_message: int = 0
    rename_to: str | None = None
    person_makes: str | None = None
    archive: int = 0
    lose_items: int = 0
    lies: int = 0
    nonce_closes: int = 0
    leases_end: int = 0
    cancels: int = 0
    second_thread: bool = False
    no_nonces: bool = False
    foreign: str | None = None
    delete_foreign: int = 0
    old: str | None = None
    hides_old: bool = False
    stale_search: int = 0
    half_lists: int = 0


@dataclass(frozen=True)
class Left:
    """What of the bounds is left."""

    acts: int
    delete_thread: int
    delete_foreign: int
    delete_message: int
    rename: int
    person: int
    archive: int
    lose_items: int
    lies: int
    nonce_closes: int
    leases_end: int
    cancels: int
    stale_search: int
    half_lists: int

    @classmethod
    def of(cls, bounds: Bounds) -> "Left":
        return cls(
            acts=bounds.acts,
            delete_thread=bounds.delete_thread,
            delete_foreign=bounds.delete_foreign,
            delete_message=bounds.delete_message,
            rename=int(bounds.rename_to is not None),
            person=int(bounds.person_makes is not None),
            archive=bounds.archive,
            lose_items=bounds.lose_items,
            lies=bounds.lies,
            nonce_closes=bounds.nonce_closes,
            leases_end=bounds.leases_end,
            cancels=bounds.cancels,
            stale_search=bounds.stale_search,
            half_lists=bounds.half_lists,
        )

    def less(self, *names: str) -> "Left":
        return Left(**{n: getattr(self, n) - (n in names) for n in self.__dataclass_fields__})


@dataclass(slots=True)
class World:
    """One state. `step` functions work on a fork; `ours` says for which session each of our threads was started."""

    table: MemoryTable
    discord: SimulatedDiscord
    now: datetime
    left: Left
    ours: dict[str, str] = field(default_factory=dict)
    late: tuple[tuple[Opener, Question], ...] = ()  # calls that were given up and may still land
    must_see: dict[str, frozenset[str]] = field(default_factory=dict)  # what an actor's look-up has to find
    persons: frozenset[str] = frozenset()  # messages of people: nobody but they may delete them
    lost: bool = False  # the table was lost once
    lied: bool = False  # an answer lied once

    def fork(self) -> "World":
        return World(
            self.table.fork(),
            self.discord.fork(),
            self.now,
            self.left,
            dict(self.ours),
            self.late,
            dict(self.must_see),
            self.persons,
            self.lost,
            self.lied,
        )

    def fingerprint(self) -> Hashable:
        return (
            self.table.fingerprint,
            self.discord.fingerprint(),
            self.now,
            self.left,
            tuple(sorted(self.ours.items())),
            tuple(sorted((opener.name, question.key) for opener, question in self.late)),
            tuple(sorted(pair for pair in self.must_see.items() if pair[1])),
            self.lost,
        )

    # What actors do.

    def apply(self, opener: Opener, question: Question) -> Answer:
        """Make the call: its effect is there, and this is its answer."""
        now = BEGIN if opener.slow else self.now
        if question.kind == "table":
            return Answer.of(self._call(opener, *question.what), now)
        if question.kind == "discord":
            return Answer.of(self._exchange(opener, question.what), now)
        return Answer.of(None, now)

    def _call(self, opener: Opener, operation: str, parameters: dict[str, Any]) -> Any:
        try:
            answer = self.table.apply(operation, parameters)
        except (ConditionFailed, TransactionFailed) as lost:
            return lost
        attributes = answer.get("Attributes", {})
        if attributes.get("status") == "creating" and OWN_LEASE not in parameters["ConditionExpression"]:
            # A claim, a take-over, a raised generation: from here on it must see what lives under the name.
            self.must_see[opener.name] = frozenset(self._named(opener.session_key))
        elif operation == "transact_write_items" and "source_message_id" in _sets(parameters):
            self._check_record(opener)
        return answer

    def _exchange(self, opener: Opener, request: Request) -> Response:
        if "/threads/" in request.path and request.method == "GET" and opener.name in self.must_see:
            self.must_see[opener.name] &= frozenset(self._named(opener.session_key))
        answer = self.discord.handle(
            SimulatedRequest(
                request.method,
                request.path,
                dict(request.query),
                encode_headers(request, Secret(BOT_TOKEN)),
                encode_body(request) or b"",
            ),
            self.now,
        )
        if request.method == "POST" and request.path.endswith("/threads") and answer.status == 201:
            thread_id = request.path.split("/")[4]
            self.ours[thread_id] = opener.session_key
            self._check_start(opener, thread_id)
        return Response(answer.status, {"date": answer.headers["date"]}, answer.body)  # no limits: time stands still

    def _named(self, key: str) -> Iterator[str]:
        """The living threads that bear the name of the session."""
        return (t.id for t in self.discord.threads.values() if NAMES.bears(t.name, key))

    # What must hold when something is done.

    def _check_record(self, opener: Opener) -> None:
        """Nobody records a source message beside a thread that his own look-up could have found: not after a loss either."""
        found = self.must_see.get(opener.name, frozenset()) & frozenset(self._named(opener.session_key))
        if found:
            raise Violation(f"{opener.name} records a source message, and its look-up could have found {sorted(found)}")

    def _check_start(self, opener: Opener, thread_id: str) -> None:
        """No thread is started for a session that has another living one on record."""
        recorded = session_item(self.table, opener.session_key).thread_id
        if recorded in (None, thread_id) or self.lost:
            return
        if self.discord.state.threads.get(recorded or "") is not None:
            raise Violation(f"{opener.name} started {thread_id} beside {recorded}, which is on record")

    def later(self) -> None:
        """Much later, with nobody about: leases are over, what was given up never lands, and nothing lies any more."""
        self.now += LEASE_OVER
        self.late = ()
        self.discord.state.reported_missing = frozenset()
        self.discord.resume_search_index()
        self.discord.switch(archived_pages=None)

    # What must hold at every point.

    def may_fail(self) -> bool:
        """Whether an opener may be told an error here: only when an answer lied."""
        return self.lied

    def check_linked(self, key: str, thread_id: str) -> None:
        """The answer links a living thread, and it is ours if we have one that bears the name or was never renamed."""
        living = self.discord.state.threads
        if living.get(thread_id) is None:
            raise Violation(f"the answer links {thread_id}, which does not exist")
        ours = [t for t, k in self.ours.items() if k == key and living.get(t) is not None]
        if ours and thread_id not in ours and not self.lost:
            raise Violation(f"the answer links {thread_id}, beside our living {ours}")

    def check(self) -> None:
        living = self.discord.state.threads
        by_key: dict[str, list[str]] = {}
        for thread_id, key in self.ours.items():
            if living.get(thread_id) is not None:
                by_key.setdefault(key, []).append(thread_id)
        for key, ours in by_key.items():
            if len(ours) > 1 and not self.lost:
                raise Violation(f"two living threads of ours for {key!r}: {ours}")
        if not all(message_id in self.discord.state.messages for message_id in self.persons):
            raise Violation("a person's message was deleted")
        on_record: dict[str, str] = {}
        for item in self.table.items():
            recorded = item.get("discord_thread_id") if item["sk"].startswith("SESSION#") else None
            if recorded is not None and on_record.setdefault(recorded, item["sk"]) != item["sk"]:
                raise Violation(f"thread {recorded} is on record for {on_record[recorded]} and {item['sk']}")


def _sets(parameters: dict[str, Any]) -> str:
    first = parameters["TransactItems"][0].get("Update", {})
    return str(first.get("UpdateExpression", "")).partition("REMOVE")[0]


@dataclass(frozen=True, slots=True)
class SessionItem:
    """A session's item, as an actor's read of it is remembered."""

    read: bytes
    lease_expires_at: str | None
    thread_id: str | None

    def lease_is_over(self, now: datetime) -> bool:
        return self.lease_expires_at is not None and parse_iso(self.lease_expires_at) <= now


def session_item(table: MemoryTable, key: str) -> SessionItem:
    answer = table.apply("get_item", {"TableName": TABLE, "Key": {"pk": f"CHANNEL#{CHANNEL}", "sk": f"SESSION#{key}"}})
    item = answer.get("Item")
    facts = item or {}
    return SessionItem(remembered(item), facts.get("lease_expires_at"), facts.get("discord_thread_id"))


def begin(bounds: Bounds) -> World:
    """An imported channel, nothing else."""
    discord = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN)
    discord.switch(second_thread_from_message=bounds.second_thread, keep_audit_log=False, search_lag_seconds=0)
    if bounds.no_nonces:
        discord.switch(nonce_seconds=-1)
    discord.add_guild(GUILD)
    discord.add_channel(GUILD, CHANNEL)
    record = {
        "pk": f"CHANNEL#{CHANNEL}",
        "sk": "CHANNEL",
        "guild_id": GUILD,
        "kind": 0,
        "imported_at": "2026-11-23T11:00:00.000Z",
    }
    if bounds.old is not None:
        discord.people.create_thread(CHANNEL, bounds.old, now=BEGIN, archived=True)
        if bounds.hides_old:
            discord.people.convert_channel(CHANNEL, now=BEGIN)
    world = World(MemoryTable(TABLE, [record]), discord, BEGIN, Left.of(bounds))
    if bounds.foreign is not None:
        finish_alone(world, Opener("foreign", bounds.foreign))
        world.must_see.clear()
        world.discord.close_nonce_window()
    return world


def finish_alone(world: World, opener: Opener) -> Opened:
    """Let this opener alone do everything there is to do, on this very world; a violation if it does not finish."""
    execution = Execution(opener, world.now)
    for _ in range(MAX_LONE_CALLS):
        if execution.task.done():
            break
        number, (question, _) = min(execution.pending.items(), key=lambda pair: pair[0])
        execution.answer(number, world.apply(opener, question))
    result = execution.result()
    execution.close()
    if not isinstance(result, Opened):
        raise Violation(f"{opener.name}, alone, did not finish: {result!r}")
    return result
