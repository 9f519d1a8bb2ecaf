"""The table is lost, wholly or in part: what is on Discord is found again, and made once."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL


@pytest.mark.guild(imported=False)
async def test_a_lost_table_heals_by_the_names_that_the_threads_bear(guild: Guild) -> None:
    names = ["one", "two", "three"]
    before = {name: (await guild.open(name)).thread_id for name in names}
    guild.table.lose_all()
    guild.restart()

    after = {name: await guild.open(name) for name in names}
    assert {name: opened.thread_id for name, opened in after.items()} == before
    assert after["one"].outcome is Outcome.ADOPTED
    assert len(guild.discord.threads) == 3


@pytest.mark.guild(imported=False)
async def test_archived_threads_are_found_after_the_loss_too(guild: Guild) -> None:
    first = await guild.open()
    guild.people.archive(first.thread_id)
    guild.table.lose_all()

    assert (await guild.open()).thread_id == first.thread_id


@pytest.mark.guild(imported=False)
async def test_a_long_time_after_the_loss_it_is_still_one_thread(guild: Guild) -> None:
    first = await guild.open()
    guild.people.auto_archive(first.thread_id)
    guild.table.lose_all()
    await guild.days_pass(100)
    guild.restart()

    assert (await guild.open()).thread_id == first.thread_id
    assert len(guild.discord.threads) == 1


@pytest.mark.parametrize("left", ["THREAD", "CHANNEL", "SESSION"])
async def test_a_partial_loss_heals_whatever_is_left(guild: Guild, left: str) -> None:
    first = await guild.open()
    guild.table.lose_all(but=[left])
    opened = await guild.open()

    assert opened.thread_id == first.thread_id
    assert len(guild.living_threads()) == 1
    item = guild.table.item()
    assert item["discord_thread_id"] == first.thread_id


async def test_a_lost_item_does_not_bring_a_deleted_thread_back(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)
    guild.table.lose_all(but=["CHANNEL"])
    opened = await guild.open()

    assert opened.thread_id != first.thread_id
    assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]


async def test_a_claim_lost_before_its_start_ends_with_one_thread(guild: Guild) -> None:
    await guild.open("another")
    guild.table.lose_all(but=["CHANNEL"])
    guild.table.put(
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
    opened = await guild.open()

    assert opened.outcome is Outcome.CREATED
    assert len(guild.living_threads()) == 1
