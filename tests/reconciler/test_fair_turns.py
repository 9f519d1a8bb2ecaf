"""What is refused or cannot be finished keeps nobody else from his turn; and whatever a run fetches, it keeps its pace."""

from typing import Final

import pytest

from handler.discord.rest import PAGE_SIZE as AUDIT_PAGE
from handler.runtime.clock import iso
from handler.sessions.duplicates.merge import MergeResult, merge_duplicates
from handler.sessions.reconcile.housekeeping import CHANGES_PER_RUN
from handler.sessions.reconcile.pace import REQUESTS_PER_SECOND
from handler.store.deletions import DUE_FIRST
from infra.simulator.permissions import DEFAULT_PERMISSIONS, PERMISSION_BITS, permission_bits
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR
from tests.reconciler.house import ARCHIVES, DAY_MINUTES, DELETES, House, housed

OTHER: Final = "11"
PATCH: Final = "PATCH /channels/{channel_id}"
AUDIT: Final = "GET /guilds/{guild_id}/audit-logs"


@housed(ARCHIVES)
async def test_a_channel_that_refuses_is_asked_once_in_a_run_and_the_others_get_their_turn(house: House) -> None:
    house.discord.add_channel(GUILD, OTHER)
    for number in range(CHANGES_PER_RUN):
        await house.open(f"refused {number}")
    thread_id = (await house.open("waiting", OTHER)).thread_id
    refusing = permission_bits(DEFAULT_PERMISSIONS) & ~PERMISSION_BITS["MANAGE_THREADS"]
    house.discord.people.set_permissions(CHANNEL, refusing, now=house.now)
    await house.wait(minutes=2 * DAY_MINUTES)
    for _ in range(CHANGES_PER_RUN):
        house.calls.clear()
        await house.reconcile()
        assert house.asked(PATCH) <= 2
        await house.between_runs()
        await house.wait(minutes=0.01)
    assert house.discord.threads[thread_id].archived


@housed(ARCHIVES)
async def test_more_kept_threads_than_one_run_opens_all_come_back(house: House) -> None:
    for number in range(CHANGES_PER_RUN + 5):
        await house.open(f"kept {number}")
        house.change(house.item(f"kept {number}"), keep=True)
    await house.reconcile()
    await house.wait(minutes=61)
    for thread_id in house.discord.threads:
        house.discord.people.auto_archive(thread_id, now=house.now)
    await house.between_runs()
    assert await house.steps() == {"Reopen": CHANGES_PER_RUN}
    await house.between_runs()
    assert await house.steps() == {"Reopen": 5}
    assert not any(thread.archived for thread in house.discord.threads.values())


@housed(DELETES)
async def test_deletions_that_cannot_be_finished_do_not_block_the_row(house: House) -> None:
    house.discord.add_channel(GUILD, OTHER)
    threads = {f"x{number}": (await house.open(f"x{number}", OTHER)).thread_id for number in range(5)}
    for thread_id in threads.values():
        house.discord.people.auto_archive(thread_id, now=house.now)
    await house.reconcile()
    waiting = await house.idle("waiting")
    for name, thread_id in threads.items():
        taken = {"deleting_at": iso(house.now), "delete_marked_at": iso(house.now), "delete_marked_message": thread_id}
        house.change(house.item(name, OTHER), due_in=GUILD, due_at=DUE_FIRST, **taken)
    house.discord.people.delete_channel(OTHER, now=house.now)
    for _ in range(10):
        await house.wait(minutes=30)
        await house.reconcile()
    assert not house.lives(waiting)


@housed(ARCHIVES)
async def test_the_pages_of_the_audit_log_keep_the_pace(house: House) -> None:
    await house.open("a")
    await house.reconcile()
    noisy = house.person_makes("talk")
    for number in range(9 * AUDIT_PAGE):
        house.rename(noisy, f"talk {number}")
    began = house.now
    await house.reconcile()
    assert house.asked(AUDIT) == 10
    assert (house.now - began).total_seconds() >= 8 / REQUESTS_PER_SECOND


# Merging beside housekeeping and moderators.


@pytest.mark.parametrize("taken", [False, True])
@housed(DELETES)
async def test_duplicates_are_never_merged_into_a_thread_that_is_deleted_then(house: House, taken: bool) -> None:
    kept = await house.idle(archived=False)
    others = [house.person_makes("Session old") for _ in range(3)]
    assert await house.steps() == {"Mark": 1, "Settle": 1}
    await house.between_runs()
    if taken:

        async def dies_once_it_is_taken() -> None:
            if "deleting_at" in house.item("old"):
                house.gate = None
                raise Died

        house.gate = dies_once_it_is_taken
        with pytest.raises(Died):
            await house.steps()
        house.restart()
    channel = await house.store.channels.get(CHANNEL)
    assert channel is not None
    merged = await merge_duplicates(house.sessions.context, channel)
    for _ in range(3):
        await house.between_runs()
        await house.reconcile()
    if taken:
        assert merged == MergeResult(merged=0, left=3)
        assert sorted(house.living("old")) == sorted(others)
    else:
        assert merged == MergeResult(merged=3, left=0)
        assert house.living("old") == [kept]


@pytest.mark.parametrize("how", ["renamed", "deleted"])
@housed(ARCHIVES)
async def test_a_duplicate_that_is_none_any_more_when_its_turn_comes_is_left_alone(house: House, how: str) -> None:
    await house.open("old")
    *_, last = [house.person_makes("Session old") for _ in range(3)]
    await house.reconcile()

    async def once_another_is_merged() -> None:
        if any(thread.name.startswith("↪") for thread in house.discord.threads.values()):
            house.gate = None
            if how == "renamed":
                house.rename(last, "Important talk")
            else:
                house.discord.people.delete_thread(last, now=house.now, by=MODERATOR)

    house.gate, house.gates_everybody = once_another_is_merged, True
    channel = await house.store.channels.get(CHANNEL)
    assert channel is not None
    assert await merge_duplicates(house.sessions.context, channel) == MergeResult(merged=2, left=1)
    if how == "renamed":
        thread = house.discord.threads[last]
        assert (thread.name, thread.archived, thread.locked) == ("Important talk", False, False)
