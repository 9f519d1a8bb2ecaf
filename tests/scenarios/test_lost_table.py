"""The table is lost, wholly or in part: what is on Discord is found again, and made once."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.stage import Stage, staged
from tests.kit.table_view import CHANNEL


@staged(imported=False)
async def test_a_lost_table_heals_by_the_names_that_the_threads_bear(stage: Stage) -> None:
    names = ["one", "two", "three"]
    before = {name: (await stage.open(name)).thread_id for name in names}
    stage.lose_table()
    stage.restart()

    after = {name: await stage.open(name) for name in names}
    assert {name: opened.thread_id for name, opened in after.items()} == before
    assert after["one"].outcome is Outcome.ADOPTED
    assert len(stage.discord.threads) == 3


@staged(imported=False)
async def test_archived_threads_are_found_after_the_loss_too(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.archive(first.thread_id, now=stage.now)
    stage.lose_table()

    assert (await stage.open()).thread_id == first.thread_id


@staged(imported=False)
async def test_a_long_time_after_the_loss_it_is_still_one_thread(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.auto_archive(first.thread_id, now=stage.now)
    stage.lose_table()
    await stage.days_pass(100)
    stage.restart()

    assert (await stage.open()).thread_id == first.thread_id
    assert len(stage.discord.threads) == 1


@pytest.mark.parametrize("left", ["THREAD", "CHANNEL", "SESSION"])
@staged()
async def test_a_partial_loss_heals_whatever_is_left(stage: Stage, left: str) -> None:
    first = await stage.open()
    stage.lose_table(but=[left])
    opened = await stage.open()

    assert opened.thread_id == first.thread_id
    assert len(stage.living_threads()) == 1
    item = stage.item()
    assert item is not None
    assert item["discord_thread_id"] == first.thread_id


@staged()
async def test_a_lost_item_does_not_bring_a_deleted_thread_back(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)
    stage.lose_table(but=["CHANNEL"])
    opened = await stage.open()

    assert opened.thread_id != first.thread_id
    assert [thread.id for thread in stage.living_threads()] == [opened.thread_id]


@staged()
async def test_a_claim_lost_before_its_start_ends_with_one_thread(stage: Stage) -> None:
    await stage.open("another")
    stage.lose_table(but=["CHANNEL"])
    stage.put_item(
        {
            "pk": f"CHANNEL#{CHANNEL}",
            "sk": "SESSION#1a06a43",
            "parent_channel_id": CHANNEL,
            "session_key": "1a06a43",
            "session_name": "1a06a43",
            "guild_id": "1",
            "status": "creating",
            "generation": 1,
            "lease_owner": "somebody who died",
            "lease_expires_at": "2026-11-23T11:59:00.000Z",
        }
    )
    opened = await stage.open()

    assert opened.outcome is Outcome.CREATED
    assert len(stage.living_threads()) == 1
