"""A run that is killed after any of its remote calls: the next one ends in the same place."""

from typing import Any, Final

import pytest

from tests.kit import virtual_time
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import Ground, prepared

MAX_CALLS: Final = 120  # of the run below; it ends after fewer, which the test makes sure of

# What differs from run to run without meaning anything: when something was looked at.
_MOMENTS: Final = frozenset(
    {
        "audit_watermark",
        "due_at",
        "expires_at",
        "imported_at",
        "last_activity_at",
        "lease_expires_at",
        "reconciled_at",
        "seen_active_at",
    }
)


async def _everything_at_once() -> Ground:
    """One of each: a rename to another session's name, an archived thread, a lock, deletions, strangers, dead claims."""
    ground = Ground()
    await prepared(ground)
    threads = {name: (await ground.open(name)).thread_id for name in "abcdefgh"}
    await ground.reconcile()
    for name, calls in (("x", 6), ("y", 9), ("z", 11)):  # dead before the record, before the start, before the commit
        ground.dies_after = len(ground.calls) + calls
        with pytest.raises(Died):
            await ground.open(name)
        ground.restart()
    ground.rename(threads["a"], "Session other")
    ground.archive(threads["b"])
    ground.discord.people.lock(threads["c"], now=ground.now, by="8")
    ground.delete(threads["d"])
    ground.archive(threads["e"])
    ground.delete(threads["e"])
    ground.person_makes("Session new")
    ground.person_makes("Session a")
    await ground.wait(minutes=1)
    return ground


def _meaning(ground: Ground) -> list[dict[str, Any]]:
    return [{name: value for name, value in i.items() if name not in _MOMENTS} for i in ground.table.items()]


async def _end(dies_after: int | None) -> tuple[bool, list[dict[str, Any]], Any]:
    ground = await _everything_at_once()
    killed = False
    if dies_after is not None:
        ground.dies_after = dies_after
        try:
            await ground.report()
        except Died:
            killed = True
        ground.restart()
    await ground.reconcile()
    assert ground.differences() == []
    assert await ground.reconcile() == {}
    await ground.http.aclose()
    return killed, _meaning(ground), sorted(ground.discord.threads)


def test_killed_after_any_call_the_next_run_ends_in_the_same_place() -> None:
    _, items, threads = virtual_time.run(_end(None))
    for calls in range(1, MAX_CALLS):
        killed, found, living = virtual_time.run(_end(calls))
        assert (found, living) == (items, threads), f"killed after call {calls}"
        if not killed:
            return
    raise AssertionError("the run never came to its end")
