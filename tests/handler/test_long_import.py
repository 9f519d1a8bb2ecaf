"""Lambda's guard against endless loops, and an import that takes more turns than it allows."""

import os
from datetime import timedelta
from typing import Any

import pytest

from infra.cloudformation import read
from infra.local.recursion import MAX_TURNS, VARIABLE, enter
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL

THREADS = 20_000
WORKER = "WorkerFunction"


class Guarded(Deployment):
    """A deployment whose worker is invoked as Lambda does it: `stopped` counts the invocations that the guard kept away."""

    def __init__(self, *, may_recur: bool, latency: float) -> None:
        super().__init__(imported=False, search_ready=False, latency=latency)
        self.may_recur, self.turns, self.stopped = may_recur, 0, 0

    async def receive(self, seconds: float = 60.0) -> dict[str, Any]:
        event = self.queue.receive()
        turns, os.environ[VARIABLE] = enter(event, WORKER)
        if turns > MAX_TURNS and not self.may_recur:
            self.stopped += 1
            failed = {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
            self.queue.settle(event, failed)
            return failed
        self.turns = max(self.turns, turns)
        for message in self.queue.waiting:  # `Deployment.receive` takes it
            message.visible_at, message.receives = self.clock.now(), message.receives - 1
        return await super().receive(seconds)


@pytest.fixture(autouse=True)
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore passes the tracing header on where these two are set."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", WORKER)
    monkeypatch.setenv(VARIABLE, "")


async def import_all(case: Guarded, threads: int) -> None:
    case.discord.people.add_archived_threads(
        CHANNEL,
        threads,
        newest=case.clock.now() - timedelta(hours=2),
        name_of=lambda number: f"Session {number}" if number % 1000 == 0 else f"talk {number}",
    )
    await case.administer("import")
    await case.work(most=60)


def imported(case: Guarded) -> bool:
    return "imported_at" in case.table.channel()


def test_twenty_thousand_archived_threads_are_imported_to_the_end_with_the_guard_in_force() -> None:
    allowed = read()["Resources"][WORKER]["Properties"].get("RecursiveLoop") == "Allow"
    with Guarded(may_recur=allowed, latency=0.5) as case:
        case.run(import_all(case, THREADS))
        assert case.turns > MAX_TURNS
        assert case.stopped == 0
        assert imported(case)
        assert len(case.table.threads()) == THREADS // 1000
        assert not case.queue.dead


def test_without_the_permission_to_recur_a_shorter_import_of_as_many_turns_never_ends() -> None:
    with Guarded(may_recur=False, latency=1.5) as case:
        case.run(import_all(case, THREADS // 2))
        assert case.turns == MAX_TURNS == 16
        assert case.stopped == 3
        assert not imported(case)
        assert len(case.queue.dead) == 1
