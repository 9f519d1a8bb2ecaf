"""What is refused or cannot be finished keeps nobody else from his turn; and whatever a run fetches, it keeps its pace."""

from typing import Final

import pytest

from handler.runtime.clock import iso
from handler.sessions.duplicates.merge import MergeResult, merge_duplicates
from handler.store.deletions import DUE_FIRST
from infra.simulator.permissions import default_permissions_without
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.housekeeping import ARCHIVES, BETWEEN_RUNS, DAY_MINUTES, DELETES, housekeep, idle, living_ids

AUDIT_PAGE: Final = 100
CHANGES_PER_RUN: Final = 20
REQUESTS_PER_SECOND: Final = 5.0
OTHER: Final = "11"
PATCH: Final = "PATCH /channels/{channel_id}"
AUDIT: Final = "GET /guilds/{guild_id}/audit-logs"


@pytest.mark.guild(settings=ARCHIVES)
async def test_a_channel_that_refuses_is_asked_once_in_a_run_and_the_others_get_their_turn(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, OTHER)
    for number in range(CHANGES_PER_RUN):
        await guild.open(f"refused {number}")
    thread_id = (await guild.open("waiting", OTHER)).thread_id
    refusing = default_permissions_without("MANAGE_THREADS")
    guild.people.set_permissions(CHANNEL, refusing)
    await guild.wait(minutes=2 * DAY_MINUTES)
    for _ in range(CHANGES_PER_RUN):
        guild.calls.forget()
        await guild.reconcile()
        assert guild.calls.count(PATCH) <= 2
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.wait(minutes=0.01)
    assert guild.discord.threads[thread_id].archived


@pytest.mark.guild(settings=ARCHIVES)
async def test_more_kept_threads_than_one_run_opens_all_come_back(guild: Guild) -> None:
    for number in range(CHANGES_PER_RUN + 5):
        await guild.open(f"kept {number}")
        guild.table.put(guild.table.item(f"kept {number}"), keep=True)
    await guild.reconcile()
    await guild.wait(minutes=61)
    for thread_id in guild.discord.threads:
        guild.people.auto_archive(thread_id)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Reopen": CHANGES_PER_RUN}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Reopen": 5}
    assert not any(thread.archived for thread in guild.discord.threads.values())


@pytest.mark.guild(settings=DELETES)
async def test_deletions_that_cannot_be_finished_do_not_block_the_row(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, OTHER)
    threads = {f"x{number}": (await guild.open(f"x{number}", OTHER)).thread_id for number in range(5)}
    for thread_id in threads.values():
        guild.people.auto_archive(thread_id)
    await guild.reconcile()
    waiting = await idle(guild, "waiting")
    for name, thread_id in threads.items():
        taken = {"deleting_at": iso(guild.now), "delete_marked_at": iso(guild.now), "delete_marked_message": thread_id}
        guild.table.put(guild.table.item(name, OTHER), due_in=GUILD, due_at=DUE_FIRST, **taken)
    guild.people.delete_channel(OTHER)
    for _ in range(10):
        await guild.wait(minutes=30)
        await guild.reconcile()
    assert waiting not in guild.discord.threads


@pytest.mark.guild(settings=ARCHIVES)
async def test_the_pages_of_the_audit_log_keep_the_pace(guild: Guild) -> None:
    await guild.open("a")
    await guild.reconcile()
    noisy = guild.people.create_thread(CHANNEL, "talk")
    for number in range(9 * AUDIT_PAGE):
        guild.people.rename(noisy, f"talk {number}")
    began = guild.now
    await guild.reconcile()
    assert guild.calls.count(AUDIT) == 10
    assert (guild.now - began).total_seconds() >= 8 / REQUESTS_PER_SECOND


# Merging beside housekeeping and moderators.


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.guild(settings=DELETES)
async def test_duplicates_are_never_merged_into_a_thread_that_is_deleted_then(guild: Guild, taken: bool) -> None:
    kept = await idle(guild, archived=False)
    others = [guild.people.create_thread(CHANNEL, "Session old") for _ in range(3)]
    assert await housekeep(guild) == {"Mark": 1, "Settle": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    if taken:

        async def dies_once_it_is_taken() -> None:
            if "deleting_at" in guild.table.item("old"):
                guild.after_call = None
                raise Died

        guild.after_call = dies_once_it_is_taken
        with pytest.raises(Died):
            await housekeep(guild)
        guild.restart()
    channel = await guild.store.channels.get(CHANNEL)
    assert channel is not None
    merged = await merge_duplicates(guild.context, channel)
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()
    if taken:
        assert merged == MergeResult(merged=0, skipped=3)
        assert sorted(living_ids(guild, "old")) == sorted(others)
    else:
        assert merged == MergeResult(merged=3, skipped=0)
        assert living_ids(guild, "old") == [kept]


@pytest.mark.parametrize("how", ["renamed", "deleted"])
@pytest.mark.guild(settings=ARCHIVES)
async def test_a_duplicate_that_is_none_any_more_when_its_turn_comes_is_left_alone(guild: Guild, how: str) -> None:
    await guild.open("old")
    *_, last = [guild.people.create_thread(CHANNEL, "Session old") for _ in range(3)]
    await guild.reconcile()

    async def once_another_is_merged() -> None:
        if any(thread.name.startswith("↪") for thread in guild.discord.threads.values()):
            guild.after_call = None
            if how == "renamed":
                guild.people.rename(last, "Important talk")
            else:
                guild.people.delete_thread(last)

    guild.after_call, guild.after_every_call = once_another_is_merged, True
    channel = await guild.store.channels.get(CHANNEL)
    assert channel is not None
    assert await merge_duplicates(guild.context, channel) == MergeResult(merged=2, skipped=1)
    if how == "renamed":
        thread = guild.discord.threads[last]
        assert (thread.name, thread.archived, thread.locked) == ("Important talk", False, False)
