"""A run that is killed after any of its remote calls: the next one ends in the same place."""

from typing import Any, Final

import pytest

from tests.kit.guild import Guild
from tests.kit.moments import Moment
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL
from tests.reconciler.differences import differences

MAX_CALLS: Final = 120  # of the run below; it ends after fewer, which the test makes sure of

# What differs from run to run without meaning anything: when something was looked at.
_MOMENTS: Final = frozenset(
    {
        "audit_watermark",
        "due_at",
        "former",
        "expires_at",
        "imported_at",
        "last_activity_at",
        "lease_expires_at",
        "run_counts",
        "reconciled_at",
        "seen_active_at",
    }
)


async def _everything_at_once(guild: Guild) -> Moment:
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
    return Moment(guild)


def _meaning(guild: Guild) -> list[dict[str, Any]]:
    return [{name: value for name, value in i.items() if name not in _MOMENTS} for i in guild.table.items()]


def _end(moment: Moment, dies_after: int | None) -> tuple[bool, list[dict[str, Any]], Any]:
    with Guild(imported=False) as guild:
        killed = guild.run(_run_twice(guild, moment, dies_after))
        return killed, _meaning(guild), sorted(guild.discord.threads)


async def _run_twice(guild: Guild, moment: Moment, dies_after: int | None) -> bool:
    """Whether the first run was killed."""
    await moment.go_on(guild)
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
    with Guild(followed=True, may_unlock=True, rename_limit=None) as guild:
        moment = guild.run(_everything_at_once(guild))
    _, items, threads = _end(moment, None)
    for calls in range(1, MAX_CALLS):
        killed, found, living = _end(moment, calls)
        assert (found, living) == (items, threads), f"killed after call {calls}"
        if not killed:
            return
    raise AssertionError("the run never came to its end")


async def test_killed_while_it_writes_a_rename_down_the_next_run_still_notes_the_new_name(guild: Guild) -> None:
    """The thread is archived, and was before: nobody but the record tells that it was called otherwise."""
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.people.edit_thread(thread_id, archived=False, name="Session b")
    guild.people.archive(thread_id)

    async def dies_of_the_first_write() -> None:
        if guild.table.namesakes("b") or guild.table.item("a")["thread_name"] == "Session b":
            guild.after_call = None
            raise Died

    guild.after_call = dies_of_the_first_write
    with pytest.raises(Died):
        await guild.reconcile()
    guild.restart()
    await guild.reconcile()
    assert guild.table.namesakes("b") == [thread_id]
    assert differences(guild) == []
