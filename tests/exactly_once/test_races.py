"""Races that need two opponents at the right moments, or one and his own late call."""

import asyncio

import pytest

from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, HANG, Failure, error
from tests.kit.aws_faults import Fault
from tests.kit.guild import Guild
from tests.kit.table_view import NAME

LEASE_SECONDS = 10.0
THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
REFUSALS = [
    error(403, 50013, "Missing Permissions"),
    error(400, 160006, "Maximum number of active threads reached"),
    error(400, 200001, "Title was blocked by automatic moderation"),
    error(404, 10008, "Unknown Message"),
]


@pytest.mark.parametrize("what", [DROP, HANG], ids=["answer lost", "lands when nobody waits"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda answer: str(answer.json()["code"]))
@pytest.mark.guild(table="client")
async def test_a_start_that_had_its_effect_and_whose_repeat_is_refused_leads_to_its_thread(
    guild: Guild, refusal: Response, what: Failure
) -> None:
    guild.discord.faults.inject("POST", THREADS, what, when="after" if what is DROP else "late")
    guild.discord.faults.inject("POST", THREADS, refusal)  # a request meets one fault: this is for the repeat
    opened = await guild.open()

    assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]
    assert (await guild.open()).thread_id == opened.thread_id
    item = guild.table.item(NAME)
    assert (item["status"], item["discord_thread_id"]) == ("open", opened.thread_id)


@pytest.mark.guild(table="client")
async def test_a_record_that_lands_late_does_not_take_the_place_of_another_ones_message(guild: Guild) -> None:
    guild.wire.faults.append(Fault("TransactWriteItems", 1, "hang"))
    slow = asyncio.ensure_future(guild.open(process=guild.opener()))
    await guild.wait(LEASE_SECONDS + 1)
    guild.discord.close_nonce_window()
    quick = guild.opener()
    guild.discord.faults.inject("POST", THREADS, HANG, when="late", seconds=60, times=3)
    assert (await guild.refused(process=quick)).kind == "discord_unavailable"
    assert len(guild.source_messages()) == 2

    guild.wire.hanging.release()
    opened = await slow
    await guild.wait(120)
    assert (await guild.open(process=quick)).thread_id == opened.thread_id
    assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]
    assert [message.id for message in guild.source_messages()] == [opened.thread_id], "the loser's own message goes"
