"""What an open costs: calls, and how many of them follow one another."""

from datetime import timedelta

import pytest

from infra.virtual_time import START
from tests.kit.guild import IMPORTED_AT, Guild
from tests.kit.table_view import CHANNEL

LATENCY = 1.0
# The active list, an archived page and the search side by side; the anchor, the start, and the requester's membership.
DISCORD_CALLS_OF_A_CREATION = 6
# The session, the channel, the namesakes; the claim, the record with its pointer, the commit; that the guild is in use;
# that the member has had one more created.
DYNAMODB_CALLS_OF_A_CREATION = 8


async def test_a_warm_reuse_is_one_read_and_one_get(guild: Guild) -> None:
    await guild.open()
    for _ in range(3):
        guild.calls.forget()
        await guild.open()
        assert [(call.wire, call.what) for call in guild.calls] == [
            ("dynamodb", "GetItem"),
            ("discord", "GET /channels/{channel_id}"),
        ]


@pytest.mark.parametrize("archived", [0, 10, 50_000], ids="{} archived threads".format)
@pytest.mark.guild(latency=LATENCY)
async def test_a_creation_costs_the_same_however_long_the_past_is(guild: Guild, archived: int) -> None:
    newest = IMPORTED_AT - timedelta(minutes=1)
    guild.discord.people.add_archived_threads(
        CHANNEL, archived, newest=newest, name_of="Session old {}".format, step=timedelta(seconds=1)
    )
    await guild.open("new")

    (thread,) = guild.living_threads("new")
    assert (thread.created_at - START).total_seconds() == 3 * LATENCY, "look, anchor, start: three calls in sequence"
    assert len(guild.calls.of("discord")) == DISCORD_CALLS_OF_A_CREATION
    assert len(guild.calls.of("dynamodb")) == DYNAMODB_CALLS_OF_A_CREATION


@pytest.mark.guild(latency=LATENCY)
async def test_a_creation_after_many_were_archived_since_the_import_costs_once_and_then_the_same_again(
    guild: Guild,
) -> None:
    await guild.wait(3600)
    guild.discord.people.add_archived_threads(
        CHANNEL, 250, newest=guild.now - timedelta(minutes=2), name_of="talk {}".format, step=timedelta(seconds=1)
    )
    await guild.open("one")
    await guild.wait(60)
    guild.calls.forget()
    await guild.open("two")

    assert len(guild.calls.of("discord")) == DISCORD_CALLS_OF_A_CREATION
    assert len(guild.calls.of("dynamodb")) == DYNAMODB_CALLS_OF_A_CREATION


@pytest.mark.guild(latency=LATENCY)
async def test_reopening_an_archived_thread_is_one_get_and_one_patch_before_the_answer(guild: Guild) -> None:
    opened = await guild.open()
    guild.people.auto_archive(opened.thread_id)
    guild.calls.forget()
    await guild.open()

    assert guild.calls.of("discord") == [
        "GET /channels/{channel_id}",
        "PATCH /channels/{channel_id}",
        "PUT /channels/{channel_id}/thread-members/{user_id}",
    ]
    assert guild.calls.of("dynamodb") == ["GetItem", "GetItem"], "the record, which said active, and the settings"


async def test_the_next_creation_of_a_member_within_half_a_minute_costs_one_write_more(guild: Guild) -> None:
    for extra, name in enumerate(("one", "two")):
        guild.calls.forget()
        await guild.open(name)
        assert len(guild.calls.of("dynamodb")) == DYNAMODB_CALLS_OF_A_CREATION + extra
