"""``/session-admin``, from the signed interaction to the text that a moderator reads."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handler.commands import texts
from handler.commands.jobs import decode, encode
from handler.config import WorkerConfig
from handler.errors import NotAllowed
from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS, parts_of
from infra.simulator.components import TEXT
from infra.simulator.faults import DROP
from infra.simulator.models import Thread
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.table_view import CHANNEL, GUILD

MANAGE_THREADS = 1 << 34
READ_HISTORY = 1 << 16
ADMINISTRATOR = 1 << 3


async def finish(deployment: Deployment, asked: Asked) -> str:
    """Work until the queue is empty; the text that is then shown."""
    await deployment.work()
    return deployment.shown(asked)


def make_threads(deployment: Deployment, number: int, name: str = "1a06a43", **how: Any) -> list[str]:
    return [deployment.people.create_thread(CHANNEL, f"Session {name}", **how) for _ in range(number)]


def add_archived_threads(
    deployment: Deployment, number: int, name_of: Callable[[int], str], *, hours_ago: float = 0
) -> None:
    newest = deployment.now - timedelta(hours=hours_ago)
    deployment.discord.people.add_archived_threads(
        CHANNEL, number, newest=newest, name_of=name_of, step=timedelta(seconds=1)
    )


def session_threads(deployment: Deployment) -> list[Thread]:
    return [t for t in deployment.discord.threads.values() if t.name.startswith("Session ")]


async def test_forty_threads_of_one_name_are_merged_into_one(deployment: Deployment) -> None:
    archived, active = make_threads(deployment, 20, archived=True), make_threads(deployment, 20)
    listed = await deployment.administer("duplicates")
    assert "Found 39 duplicate threads for 1 session." in await finish(deployment, listed)
    assert len(session_threads(deployment)) == 40
    pressed = await deployment.press(listed)
    assert pressed.callback == {"type": 6}  # a button's deferral: the list stays until it is replaced
    assert "Closed 39 duplicate threads." in await finish(deployment, pressed)
    shown = deployment.discord.original_response(pressed.token)
    assert shown is not None
    assert [part["type"] for part in parts_of(shown)] == [TEXT]
    (kept,) = session_threads(deployment)
    messages = deployment.discord.messages.values()
    linked = {m.channel_id for m in messages if f"<#{kept.id}>" in m.content}
    assert linked == {*archived, *active} - {kept.id}
    again = await deployment.administer("duplicates")
    assert "No duplicates: each session in this channel has one thread." in await finish(deployment, again)
    deployment.table.lose_all()
    opened = await deployment.ask()
    assert f"<#{kept.id}>" in await finish(deployment, opened)


@pytest.mark.guild(table="client")  # moto copies the table for each transaction
async def test_listing_duplicates_of_a_new_channel_imports_it_first(deployment: Deployment) -> None:
    add_archived_threads(deployment, 250, lambda n: f"Session {n % 125}")
    listed = await deployment.administer("duplicates")
    text = await finish(deployment, listed)
    assert "Found 125 duplicate threads for 125 sessions." in text
    assert "imported_at" in deployment.table.channel()


@pytest.mark.guild(table="client")  # moto copies the table for each transaction
@pytest.mark.parametrize("length", [20, 88])
async def test_more_duplicates_than_are_read_are_listed_within_discords_limits(
    deployment: Deployment, length: int
) -> None:
    add_archived_threads(deployment, 620, lambda n: f"Session {n // 2:*<{length}}")
    listed = await deployment.administer("duplicates")
    text = await finish(deployment, listed)
    assert "I haven't checked 10 more threads yet; the button does." in text
    assert text.endswith("Nothing is deleted.")
    assert text.count(" · keeps 1 (on record)") == 4
    assert "Page 1 of 75." in text


@pytest.mark.guild(table="client")  # moto copies the table for each transaction
@pytest.mark.parametrize("number", [0, 1, 100, 101, 250])
async def test_an_import_ends_with_the_number_of_threads(deployment: Deployment, number: int) -> None:
    add_archived_threads(deployment, number, lambda n: f"Session {n}" if n % 2 else f"talk {n}", hours_ago=1)
    make_threads(deployment, 1, "active")
    text = await finish(deployment, await deployment.administer("import"))
    what = "1 thread" if number == 0 else f"{number + 1} threads"
    sessions = "1 session" if number < 2 else f"{number // 2 + 1} sessions"
    assert f"{what}, {sessions}." in text


async def test_a_second_import_finds_a_thread_that_a_restored_table_lacks(deployment: Deployment) -> None:
    (old,) = make_threads(deployment, 1, "old", archived=True)
    await deployment.clock.sleep(3600)
    await finish(deployment, await deployment.administer("import"))
    mark = deployment.table.channel()["imported_at"]
    deployment.table.lose_all(but=["CHANNEL"])  # a backup from before the thread: but the mark is of today
    await deployment.clock.sleep(60)
    await finish(deployment, await deployment.administer("import"))
    assert deployment.table.channel()["imported_at"] > mark
    assert f"<#{old}>" in await finish(deployment, await deployment.ask("old"))


@pytest.mark.guild(table="client")  # moto copies the table for each transaction
async def test_an_interrupted_import_resumes_and_its_repeat_does_not_start_again(deployment: Deployment) -> None:
    add_archived_threads(deployment, 250, "Session {}".format)
    asked = await deployment.administer("import", old=2.9)  # handed over at once
    (sent,) = deployment.queue.sent
    page = "/channels/{channel_id}/threads/archived/public"
    for _ in range(2):
        deployment.discord.limit_once("GET", page, 30.0, nth=2)
        await deployment.receive()
        await deployment.clock.sleep(31)
    assert "250 threads, 250 sessions." in await finish(deployment, asked)
    calls = sum(deployment.discord.calls.values())
    mark = deployment.table.channel()
    deployment.queue.waiting.clear()
    await deployment.environment(WorkerConfig).jobs.send(
        encode(decode(sent.text)), group=GUILD
    )  # SQS delivers it again
    await deployment.work()
    assert deployment.table.channel() == mark != {}
    assert sum(deployment.discord.calls.values()) - calls <= 1  # nothing but the answer's edit


@pytest.mark.parametrize("subcommand", ["import", "duplicates"])
async def test_a_member_without_manage_threads_is_refused(deployment: Deployment, subcommand: str) -> None:
    asked = await deployment.administer(subcommand, member_permissions=MEMBER_PERMISSIONS)
    assert asked.callback["data"] == texts.failure(NotAllowed())
    assert not deployment.discord.calls


async def test_an_administrator_needs_no_manage_threads(deployment: Deployment) -> None:
    asked = await deployment.administer("duplicates", member_permissions=ADMINISTRATOR)
    assert "No duplicates: each session in this channel has one thread." in asked.content


async def test_the_button_checks_the_member_and_the_channel_again(deployment: Deployment) -> None:
    make_threads(deployment, 3)
    listed = await deployment.administer("duplicates")
    before = deployment.discord.state.threads.items()
    member = await deployment.press(listed, member_permissions=MEMBER_PERMISSIONS)
    assert member.callback == {"type": 4, "data": texts.failure(NotAllowed())}
    assert "Close duplicates" in json.dumps(deployment.discord.original_response(listed.token))
    deployment.discord.add_channel(GUILD, "100000000000000011")
    elsewhere = await deployment.press(listed, channel_id="100000000000000011")
    assert elsewhere.content == texts.unknown_component()["content"]
    assert [t.name for _, t in before] == ["Session 1a06a43"] * 3


@pytest.mark.parametrize(
    ("subcommand", "bit", "name"),
    [
        ("import", READ_HISTORY, "Read Message History"),
        ("duplicates", READ_HISTORY, "Read Message History"),
        ("duplicates", MANAGE_THREADS, "Manage Threads"),
        ("duplicates", 1 << 38, "Send Messages in Threads"),
    ],
)
async def test_the_bots_missing_permissions_are_named_before_any_request(
    deployment: Deployment, subcommand: str, bit: int, name: str
) -> None:
    asked = await deployment.administer(subcommand, app_permissions=BOT_PERMISSIONS & ~bit)
    assert name in asked.content
    assert not deployment.discord.calls
    assert not deployment.wire.items()


async def test_a_merge_resumes_after_a_rate_limit_and_counts_all_threads(deployment: Deployment) -> None:
    make_threads(deployment, 6)
    listed = await deployment.administer("duplicates")
    deployment.discord.limit_once("PATCH", "/channels/{channel_id}", 200.0, nth=3)
    pressed = await deployment.press(listed)
    said: list[str] = []

    async def note() -> None:
        said.append(deployment.shown(pressed))

    assert await deployment.work(between=note) == 2
    assert "Discord is rate-limiting me" in said[0]
    assert len(session_threads(deployment)) == 1
    assert "Closed 5 duplicate threads" in said[-1]


async def test_a_command_in_a_thread_means_the_parent_channel(deployment: Deployment) -> None:
    first, *_ = make_threads(deployment, 2)
    thread = in_thread(first)
    listed = await deployment.administer("duplicates", **thread)
    assert "Found 1 duplicate thread for 1 session" in await finish(deployment, listed)
    pressed = await deployment.press(listed, **thread)
    assert "Closed 1 duplicate thread" in await finish(deployment, pressed)


@pytest.mark.parametrize("died", [False, True])
async def test_a_duplicate_in_which_the_button_is_pressed_is_merged_last_after_the_answer(
    deployment: Deployment, died: bool
) -> None:
    here, *_ = make_threads(deployment, 3)
    deployment.people.post_message(make_threads(deployment, 1)[0], "the fullest")
    place = in_thread(here)
    listed = await deployment.administer("duplicates", **place)
    await finish(deployment, listed)
    pressed = await deployment.press(listed, **place)
    if died:  # between the answer and the last thread
        deployment.discord.faults.inject("PATCH", f"/channels/{here}", DROP, times=3)
        assert len((await deployment.receive())["batchItemFailures"]) == 1
        assert not deployment.discord.threads[here].archived

    assert "This thread closes last" in await finish(deployment, pressed)
    assert deployment.discord.threads[here].archived
    assert deployment.discord.threads[here].locked
    assert len(session_threads(deployment)) == 1
    assert not deployment.queue.dead
