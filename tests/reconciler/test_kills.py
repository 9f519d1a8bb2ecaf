"""A run that is killed after any of its remote calls: the next one ends in the same place."""

from typing import Any, Final

import pytest

from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL
from tests.reconciler.differences import differences

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


async def _everything_at_once(guild: Guild) -> None:
    """One of each: a rename to another session's name, an archived thread, a lock, deletions, strangers, dead claims."""
    threads = {name: (await guild.open(name)).thread_id for name in "abcdefgh"}
    await guild.reconcile()
    for name, calls in (("x", 6), ("y", 9), ("z", 11)):  # dead before the record, before the start, before the commit
        guild.calls.dies_after = len(guild.calls) + calls
        with pytest.raises(Died):
            await guild.open(name)
        guild.restart()
    guild.people.rename(threads["a"], "Session other")
    guild.people.archive(threads["b"])
    guild.people.lock(threads["c"], by="8")
    guild.people.delete_thread(threads["d"])
    guild.people.archive(threads["e"])
    guild.people.delete_thread(threads["e"])
    guild.people.create_thread(CHANNEL, "Session new")
    guild.people.create_thread(CHANNEL, "Session a")
    await guild.wait(minutes=1)


def _meaning(guild: Guild) -> list[dict[str, Any]]:
    return [{name: value for name, value in i.items() if name not in _MOMENTS} for i in guild.table.items()]


def _end(dies_after: int | None) -> tuple[bool, list[dict[str, Any]], Any]:
    with Guild(followed=True, may_unlock=True, rename_limit=None) as guild:
        killed = guild.run(_run_twice(guild, dies_after))
        return killed, _meaning(guild), sorted(guild.discord.threads)


async def _run_twice(guild: Guild, dies_after: int | None) -> bool:
    """Whether the first run was killed."""
    await _everything_at_once(guild)
    killed = False
    if dies_after is not None:
        guild.calls.dies_after = dies_after
        try:
            await guild.report()
        except Died:
            killed = True
        guild.restart()
    await guild.reconcile()
    assert differences(guild) == []
    assert await guild.reconcile() == {}
    return killed


def test_killed_after_any_call_the_next_run_ends_in_the_same_place() -> None:
    _, items, threads = _end(None)
    for calls in range(1, MAX_CALLS):
        killed, found, living = _end(calls)
        assert (found, living) == (items, threads), f"killed after call {calls}"
        if not killed:
            return
    raise AssertionError("the run never came to its end")
