"""What an open costs: calls, and how many of them follow one another."""

from datetime import timedelta

import pytest

from tests.kit.stage import IMPORTED_AT, Stage, staged
from tests.kit.table_view import CHANNEL
from tests.kit.virtual_time import START

LATENCY = 1.0
# The active list and an archived page, the anchor, the start, and the requester's membership.
DISCORD_CALLS_OF_A_CREATION = 5
# The session, the channel, the namesakes; the claim, the record with its pointer, the commit; that the guild is in use.
DYNAMODB_CALLS_OF_A_CREATION = 7


@staged()
async def test_a_warm_reuse_is_one_read_and_one_get(stage: Stage) -> None:
    await stage.open()
    for _ in range(3):
        stage.forget()
        await stage.open()
        assert [(call.wire, call.what) for call in stage.calls] == [
            ("dynamodb", "GetItem"),
            ("discord", "GET /channels/{channel_id}"),
        ]


@pytest.mark.parametrize("archived", [0, 10, 50_000], ids="{} archived threads".format)
@staged(latency=LATENCY)
async def test_a_creation_costs_the_same_however_long_the_past_is(stage: Stage, archived: int) -> None:
    newest = IMPORTED_AT - timedelta(minutes=1)
    stage.discord.people.add_archived_threads(
        CHANNEL, archived, newest=newest, name_of="Session old {}".format, step=timedelta(seconds=1)
    )
    await stage.open("new")

    (thread,) = stage.living_threads("new")
    assert (thread.created_at - START).total_seconds() == 3 * LATENCY, "look, anchor, start: three calls in sequence"
    assert stage.count("discord") == DISCORD_CALLS_OF_A_CREATION
    assert stage.count("dynamodb") == DYNAMODB_CALLS_OF_A_CREATION


@staged(latency=LATENCY)
async def test_a_creation_after_many_were_archived_since_the_import_costs_once_and_then_the_same_again(
    stage: Stage,
) -> None:
    await stage.wait(3600)
    stage.discord.people.add_archived_threads(
        CHANNEL, 250, newest=stage.now - timedelta(minutes=2), name_of="talk {}".format, step=timedelta(seconds=1)
    )
    await stage.open("one")
    stage.forget()
    await stage.open("two")

    assert stage.count("discord") == DISCORD_CALLS_OF_A_CREATION
    assert stage.count("dynamodb") == DYNAMODB_CALLS_OF_A_CREATION


@staged(latency=LATENCY)
async def test_reopening_an_archived_thread_is_one_get_and_one_patch_before_the_answer(stage: Stage) -> None:
    opened = await stage.open()
    stage.discord.people.auto_archive(opened.thread_id, now=stage.now)
    stage.forget()
    await stage.open()

    assert [call.what for call in stage.calls if call.wire == "discord"] == [
        "GET /channels/{channel_id}",
        "PATCH /channels/{channel_id}",
        "PUT /channels/{channel_id}/thread-members/{user_id}",
    ]
    assert [call.what for call in stage.calls if call.wire == "dynamodb"] == ["GetItem"], "the record said active"
