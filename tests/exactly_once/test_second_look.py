"""A thread that came about although its start was refused is found before its generation ends."""

import pytest

from infra.local.discord.faults import DROP, HANG, Failure, error
from infra.local.discord.wire import Response
from tests.kit.stage import Stage, staged
from tests.kit.table_view import NAME

THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
REFUSALS = [
    error(403, 50013, "Missing Permissions"),
    error(400, 160006, "Maximum number of active threads reached"),
    error(400, 200001, "Title was blocked by automatic moderation"),
    error(404, 10008, "Unknown Message"),
]


@pytest.mark.parametrize("what", [DROP, HANG], ids=["answer lost", "lands when nobody waits"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda answer: str(answer.json()["code"]))
@staged(memory=True)
async def test_a_start_that_had_its_effect_and_whose_repeat_is_refused_leads_to_its_thread(
    stage: Stage, refusal: Response, what: Failure
) -> None:
    stage.discord.faults.inject("POST", THREADS, what, when="after" if what is DROP else "late")
    stage.discord.faults.inject("POST", THREADS, refusal)  # a request meets one fault: this is for the repeat
    opened = await stage.open()

    assert [thread.id for thread in stage.living_threads()] == [opened.thread_id]
    assert (await stage.open()).thread_id == opened.thread_id
    item = stage.item(NAME)
    assert item is not None
    assert (item["status"], item["discord_thread_id"]) == ("open", opened.thread_id)
