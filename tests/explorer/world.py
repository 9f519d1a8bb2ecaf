"""The world that the actors share: the table, the simulated Discord, and what other people may still do to both."""

import functools
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from handler.aws.dynamodb import ConditionFailed, TransactionFailed
from handler.discord.http import Request, encode_body, encode_headers
from handler.discord.models import (
    ANCHORED_PARENTS,
    AuditChange,
    AuditEntry,
    Channel,
    Message,
    ThreadMetadata,
    User,
)
from handler.discord.rest import Response
from handler.errors import OnethreadError
from handler.runtime.clock import parse_iso
from handler.runtime.secrets import Secret
from handler.sessions.model import Opened
from handler.store.clauses import OWN_LEASE
from infra.simulator.exchange import Request as SimulatedRequest
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.memory_table import MemoryTable
from tests.explorer.bounds import Bounds, Left, Violation
from tests.explorer.execution import (
    APPLICATION,
    BEGIN,
    CHANNEL,
    GUILD,
    LEASE_OVER,
    NAMES,
    TABLE,
    Answer,
    Execution,
    Opener,
    Question,
    remembered,
)
from tests.kit.secrets import BOT_TOKEN

MODELS = (Channel, ThreadMetadata, Message, User, AuditEntry, AuditChange)
READ = frozenset({"threads", "has_more", "audit_log_entries"}.union(*(model.__struct_fields__ for model in MODELS)))
MAX_LONE_CALLS = 200  # an opener that asks more, with nobody about, has no way to end


MUCH_LATER = BEGIN + 4 * LEASE_OVER
NOTHING_LEFT = Left.of(Bounds())

bears = functools.cache(NAMES.bears)


@dataclass(slots=True)
class World:
    """One state. `step` functions work on a fork; `ours` says for which session each of our threads was started."""

    table: MemoryTable
    discord: SimulatedDiscord
    now: datetime
    left: Left
    ours: dict[str, str] = field(default_factory=dict)
    late: tuple[tuple[Opener, Question], ...] = ()  # calls that were given up and may still land
    # What an actor's look-up has to find: the key, and the threads that have borne the name since its claim.
    must_see: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    persons: frozenset[str] = frozenset()  # messages of people: nobody but they may delete them
    lost: bool = False  # the table was lost once
    lied: bool = False  # an answer lied once, or was lost
    refused: bool = False  # Discord refused something once

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
            self.refused,
        )

    def settle(self) -> None:
        """Forget what a look-up need not find any more."""
        for name, (key, threads) in self.must_see.items():
            if threads:
                self.must_see[name] = key, threads & self._named(key)

    def fingerprint(self) -> Hashable:
        """Equal for worlds that behave alike; only the ids still to come may differ."""
        return (
            self.table.fingerprint,
            self.discord.fingerprint(),
            self.now,
            self.left,
            frozenset(self.ours.items()),
            tuple(sorted((opener.name, question.key) for opener, question in self.late)),
            frozenset((name, threads) for name, (_, threads) in self.must_see.items() if threads),
            self.lost,
        )

    def has_live_lease(self) -> bool:
        """Whether time makes a difference: where no lease is live, what comes later is only later."""
        leases = (item.get("lease_expires_at") for item in self.table.items() if item["sk"].startswith("SESSION#"))
        return any(parse_iso(lease) > self.now for lease in leases if lease is not None)

    @property
    def lies(self) -> bool:
        """Whether a read is answered wrongly once: it changes the world."""
        return bool(self.discord.state.reported_missing)

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
            self.must_see[opener.name] = opener.session_key, self._named(opener.session_key)
        elif operation == "transact_write_items" and "source_message_id" in _sets(parameters):
            self._check_record(opener)
        return answer

    def _exchange(self, opener: Opener, request: Request) -> Response:
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
        # No limits: time stands still.
        return Response(answer.status, {"date": answer.headers["date"]}, as_read(answer.status, answer.body))

    def _named(self, key: str) -> frozenset[str]:
        """The living threads that bear the name of the session."""
        return frozenset(t.id for t in self.discord.state.threads.values() if bears(t.name, key))

    # What must hold when something is done.

    def _check_record(self, opener: Opener) -> None:
        """Nobody records a source message beside a thread that his own look-up could have found: not after a loss either."""
        _, threads = self.must_see.get(opener.name, ("", frozenset()))
        found = threads & self._named(opener.session_key)
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
        """Much later, with nobody about: leases are over, what was given up never lands, and nothing lies any more.

        Nothing else may happen either, so worlds that differ in that alone have one that is later.
        """
        assert self.now < MUCH_LATER - LEASE_OVER
        self.now = MUCH_LATER
        self.left = NOTHING_LEFT
        self.late = ()
        self.must_see.clear()
        self.discord.state.reported_missing = frozenset()
        self.discord.resume_search_index()
        self.discord.switch(archived_pages=None)

    # What must hold at every point.

    def check_failure(self, name: str, error: OnethreadError) -> None:
        """Nobody is told an error, unless an answer lied, was lost, or refused something."""
        if not (self.refused or (self.lied and error.retryable)):
            raise Violation(f"{name} failed: {error!r}")

    def check_linked(self, key: str, thread_id: str) -> None:
        """The answer links a living thread, and it is ours if we have one that bears the name or was never renamed."""
        if self.discord.state.threads.get(thread_id) is None:
            raise Violation(f"the answer links {thread_id}, which does not exist")
        self.check_beside(key, thread_id)

    def check_beside(self, key: str, thread_id: str) -> None:
        """A living thread that is linked is ours if we have one. One that was shown may be deleted by now."""
        living = self.discord.state.threads
        ours = [t for t, k in self.ours.items() if k == key and living.get(t) is not None]
        if living.get(thread_id) is not None and ours and thread_id not in ours and not self.lost:
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


def as_read(status: int, body: bytes) -> bytes:
    """Discord's answer without what the models do not read, which would only make more states."""
    if status >= 300 or not body:
        return body
    answer = _pruned(msgspec.json.decode(body))
    if isinstance(answer, dict) and answer.get("type") in ANCHORED_PARENTS:
        answer.pop("last_message_id", None)  # read of a thread alone
    return msgspec.json.encode(answer)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(inner) for name, inner in value.items() if name in READ}
    return [_pruned(inner) for inner in value] if isinstance(value, list) else value


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
    """A channel, and what the bounds say is there from the beginning."""
    discord = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN)
    discord.switch(second_thread_from_message=bounds.second_thread, keep_audit_log=False, search_lag_seconds=0)
    if bounds.no_nonces:
        discord.switch(nonce_seconds=-1)
    discord.add_guild(GUILD)
    discord.add_channel(GUILD, CHANNEL)
    record: dict[str, Any] = {
        "pk": f"CHANNEL#{CHANNEL}",
        "sk": "CHANNEL",
        "guild_id": GUILD,
        "kind": 0,
    }
    if not bounds.not_imported:
        record["imported_at"] = "2026-11-23T11:00:00.000Z"
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
