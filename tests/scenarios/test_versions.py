"""Two versions side by side: while a new one is deployed, and after it is rolled back.

Readers come before writers (docs/upgrading.md): what a newer version writes must leave this one working. It keeps what it
does not know, skips and counts what it cannot read, and gives people an answer.
"""

import json
from typing import Any

import pytest

from handler.commands import texts
from handler.sessions.model import Outcome
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL, GUILD

NEWER = {"x_new": "kept", "x_list": ["a", "b"], "x_number": 7}
MODERATES = 1 << 34  # Manage Threads


def note_news(deployment: Deployment) -> list[tuple[str, str]]:
    """A newer version has added attributes to every item, and items of kinds of its own; the keys of all of them."""
    for item in deployment.table.items():
        deployment.table.put(item, **NEWER)
    for pk, sk in ((f"CHANNEL#{CHANNEL}", "WHATEVER#1"), (f"GUILD#{GUILD}", "WHATEVER#2"), ("WHATEVER#3", "WHATEVER")):
        deployment.table.put({"pk": pk, "sk": sk}, **NEWER, watch_guild_id=GUILD)
    return [(item["pk"], item["sk"]) for item in deployment.table.items()]


async def test_what_a_newer_version_added_to_items_stays_when_this_one_writes_them(deployment: Deployment) -> None:
    first = await deployment.open(topic="a topic")
    keys = note_news(deployment)
    assert (await deployment.open()).thread_id == first.thread_id
    asked = await deployment.use("session close", options={"name": "1a06a43"}, member_permissions=MODERATES)
    await deployment.work()
    assert deployment.shown(asked)
    await deployment.reconcile()
    assert (await deployment.open()).outcome is Outcome.REOPENED
    await deployment.wait(minutes=31)
    await deployment.reconcile()
    for pk, sk in keys:
        item = deployment.table.find(pk, sk)
        assert {name: item.get(name) for name in NEWER} == NEWER, sk


async def test_a_session_in_a_state_that_only_a_newer_version_knows_is_left_alone_and_people_are_answered(
    deployment: Deployment, capsys: Any
) -> None:
    await deployment.open("1a06a43")
    await deployment.open("other")
    newer = {**deployment.table.item("1a06a43"), "status": "snoozed"}
    deployment.table.put(newer)

    asked = await deployment.ask("1a06a43")
    await deployment.work()
    assert "I can't read what I have on record" in deployment.shown(asked)
    answer = await deployment.ensure()
    assert answer["error"]["kind"] == "store_unreadable"
    listed = await deployment.use("session list")
    assert "other" in json.dumps(listed.callback)
    counts = await deployment.report()
    assert counts["unreadable"] == 1
    assert deployment.table.item("1a06a43") == newer
    assert (await deployment.open("other")).outcome is Outcome.REUSED
    assert "fault of ours" not in capsys.readouterr().out


@pytest.mark.parametrize("version", [2, 9])
async def test_a_guild_that_a_newer_version_sent_is_run_again_by_the_next_tick(
    deployment: Deployment, version: int
) -> None:
    await deployment.open()
    await deployment.tick()
    message = deployment.guilds.waiting[0]
    message.text = json.dumps({**message.body, "version": version, "guild": message.body["guild_id"]})
    for _ in range(3):
        await deployment.wait(seconds=151)
        assert len((await deployment.receive_guilds())["batchItemFailures"]) == 1
    assert len(deployment.guilds.dead) == 1
    await deployment.tick()
    assert not (await deployment.receive_guilds())["batchItemFailures"]


async def test_a_newer_versions_job_does_not_leave_its_user_thinking(deployment: Deployment) -> None:
    asked = await deployment.ask("1a06a43", old=2.9)
    message = deployment.queue.waiting[0]
    token = message.body["interaction"]["token"]
    message.text = json.dumps({**message.body, "version": 2, "interaction": {"token": token}})
    await deployment.work()
    assert deployment.shown(asked) == texts.updated_meanwhile()["content"]
    assert not deployment.queue.dead
    again = await deployment.ask("1a06a43")
    assert "1a06a43" in deployment.shown(again)
