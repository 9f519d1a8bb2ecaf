"""Housekeeping as its tests want it: the settings that they try, a session that is idle, and what a run did of it."""

from typing import Final

from tests.kit.guild import Guild

DAY_MINUTES: Final = 24 * 60.0
BETWEEN_RUNS: Final = 5.0  # minutes, as the schedule has it
DELETES: Final = {"DELETE_AFTER_DAYS": "30", "DELETE_MODE": "delete"}
CLOSES: Final = {"DELETE_AFTER_DAYS": "30", "DELETE_MODE": "archive"}
ARCHIVES: Final = {"IDLE_ARCHIVE_HOURS": "24"}
OF_THE_RECONCILER: Final = frozenset({"UpdateSession", "MoveToEnd", "AdvanceWatermark", "failed"})


async def housekeep(guild: Guild) -> dict[str, int]:
    """One run, and what it carried out of housekeeping."""
    counts = await guild.reconcile()
    return {name: number for name, number in counts.items() if name not in OF_THE_RECONCILER and number}


async def idle(guild: Guild, name: str = "old", *, days: float = 31, archived: bool = True) -> str:
    """A session that was opened and then left alone for so long; its thread, which Discord's timer archived."""
    thread_id = (await guild.open(name)).thread_id
    await guild.wait(minutes=60)
    if archived:
        guild.people.auto_archive(thread_id)
    await guild.reconcile()
    await guild.wait(days=days)
    return thread_id


def living_ids(guild: Guild, name: str) -> list[str]:
    """The ids of the threads that bear the session's name."""
    return [thread.id for thread in guild.living_threads(name)]
