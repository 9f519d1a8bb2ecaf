"""``/session-admin`` as a moderator uses it: the whole way from the signed interaction to what he reads."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handler.commands import texts
from handler.commands.registry import COMMANDS
from handler.errors import NotAllowed
from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS
from infra.simulator.models import Thread
from tests.kit.deployment import CHANNEL, GUILD, Asked, Deployment

MANAGE_THREADS = 1 << 34
READ_HISTORY = 1 << 16
ADMINISTRATOR = 1 << 3


async def finish(deployment: Deployment, asked: Asked) -> str:
    """What stands there once all jobs are done."""
    await deployment.work()
    return deployment.shown(asked)


def make(deployment: Deployment, number: int, name: str = "1a06a43", **how: Any) -> list[str]:
    now = deployment.clock.now()
    return [deployment.discord.people.create_thread(CHANNEL, f"Session {name}", now=now, **how) for _ in range(number)]


def channel_item(deployment: Deployment) -> dict[str, Any]:
    return next(i for i in deployment.dynamo.items() if (i["pk"], i["sk"]) == (f"CHANNEL#{CHANNEL}", "CHANNEL"))


def living(deployment: Deployment) -> list[Thread]:
    return [t for t in deployment.discord.threads.values() if t.name.startswith("Session ")]


def test_forty_identical_threads_become_one_and_thirty_nine_that_link_it() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            archived, active = make(deployment, 20, archived=True), make(deployment, 20)
            listed = await deployment.administer("duplicates")
            assert "39 threads would be merged" in await finish(deployment, listed)
            assert len(living(deployment)) == 40
            pressed = await deployment.press(listed)
            assert pressed.callback == {"type": 6}  # a button's deferral: the list stays until it is replaced
            assert "merged 39 threads" in await finish(deployment, pressed)
            shown = deployment.discord.original_response(pressed.token)
            assert shown is not None
            assert shown["components"] == []
            (kept,) = living(deployment)
            messages = deployment.discord.messages.values()
            linked = {m.channel_id for m in messages if f"<#{kept.id}>" in m.content}
            assert linked == {*archived, *active} - {kept.id}
            again = await deployment.administer("duplicates")
            assert "nothing to merge" in await finish(deployment, again)
            for item in deployment.dynamo.items():
                deployment.dynamo.client.delete_item(
                    TableName=deployment.dynamo.table, Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}
                )
            opened = await deployment.ask()
            assert f"<#{kept.id}>" in await finish(deployment, opened)

        deployment.run(scenario())


def test_a_list_of_a_channel_that_is_new_imports_its_past_first() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            now = deployment.clock.now()
            deployment.discord.people.add_archived_threads(
                CHANNEL, 250, newest=now, name_of=lambda n: f"Session {n % 125}", step=timedelta(seconds=1)
            )
            listed = await deployment.administer("duplicates")
            text = await finish(deployment, listed)
            assert "125 session names with several threads here; 125 threads would be merged" in text
            assert "imported_at" in channel_item(deployment)

        deployment.run(scenario())


@pytest.mark.parametrize("number", [0, 1, 100, 101, 250])
def test_an_import_ends_with_the_counts_of_what_there_is(number: int) -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            now = deployment.clock.now()
            deployment.discord.people.add_archived_threads(
                CHANNEL,
                number,
                newest=now - timedelta(hours=1),
                name_of=lambda n: f"Session {n}" if n % 2 else f"talk {n}",
                step=timedelta(seconds=1),
            )
            make(deployment, 1, "active")
            text = await finish(deployment, await deployment.administer("import"))
            what = "1 thread" if number == 0 else f"{number + 1} threads"
            assert f"{what}, {number // 2 + 1} of them named like sessions" in text

        deployment.run(scenario())


def test_a_second_import_starts_afresh_and_finds_what_a_restored_table_has_forgotten() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            (old,) = make(deployment, 1, "old", archived=True)
            await deployment.clock.sleep(3600)
            await finish(deployment, await deployment.administer("import"))
            mark = channel_item(deployment)["imported_at"]
            for item in deployment.dynamo.items():  # a backup from before the thread: but the mark is of today
                if item["sk"] != "CHANNEL":
                    deployment.dynamo.client.delete_item(
                        TableName=deployment.dynamo.table, Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}
                    )
            await deployment.clock.sleep(60)
            await finish(deployment, await deployment.administer("import"))
            assert channel_item(deployment)["imported_at"] > mark
            assert f"<#{old}>" in await finish(deployment, await deployment.ask("old"))

        deployment.run(scenario())


def test_an_import_that_was_killed_goes_on_where_it_was_and_a_repeat_of_it_does_not_begin_again() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            deployment.discord.people.add_archived_threads(
                CHANNEL, 250, newest=deployment.clock.now(), name_of="Session {}".format, step=timedelta(seconds=1)
            )
            asked = await deployment.administer("import", old=2.9)  # handed over at once
            (sent,) = deployment.queue.sent
            page = "/channels/{channel_id}/threads/archived/public"
            for _ in range(2):
                deployment.discord.limit_once("GET", page, 30.0, nth=2)
                await deployment.receive()
                await deployment.clock.sleep(31)
            assert "250 threads, 250 of them named like sessions" in await finish(deployment, asked)
            calls = sum(deployment.discord.calls.values())
            mark = channel_item(deployment)
            deployment.queue.waiting.clear()
            await _deliver_again(deployment, sent)
            assert channel_item(deployment) == mark
            assert sum(deployment.discord.calls.values()) - calls <= 1  # nothing but the answer's edit

        deployment.run(scenario())


async def _deliver_again(deployment: Deployment, sent: Any) -> None:
    """SQS delivers a message a second time."""
    from handler.commands.jobs import decode, encode

    await deployment.environment(_worker()).jobs.send(encode(decode(sent.text)))
    await deployment.work()


def _worker() -> Any:
    from handler.config import WorkerConfig

    return WorkerConfig


@pytest.mark.parametrize("subcommand", ["import", "duplicates"])
def test_who_may_not_manage_threads_is_refused_whatever_the_servers_settings_say(subcommand: str) -> None:
    with Deployment() as deployment:
        asked = deployment.run(deployment.administer(subcommand, member_permissions=MEMBER_PERMISSIONS))
        assert asked.callback["data"] == texts.failure(NotAllowed())
        assert not deployment.discord.calls


def test_an_administrator_may_without_that_permission_of_its_own() -> None:
    with Deployment() as deployment:
        asked = deployment.run(deployment.administer("duplicates", member_permissions=ADMINISTRATOR))
        assert "nothing to merge" in asked.content


def test_the_button_asks_again_who_presses_it_and_where() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            make(deployment, 3)
            listed = await deployment.administer("duplicates")
            before = deployment.discord.state.threads.items()
            member = await deployment.press(listed, member_permissions=MEMBER_PERMISSIONS)
            assert member.callback == {"type": 4, "data": texts.failure(NotAllowed())}
            assert "Merge 2 threads" in json.dumps(deployment.discord.original_response(listed.token))
            deployment.discord.add_channel(GUILD, "100000000000000011")
            elsewhere = await deployment.press(listed, channel_id="100000000000000011")
            assert elsewhere.content == texts.unknown_component()["content"]
            assert [t.name for _, t in before] == ["Session 1a06a43"] * 3

        deployment.run(scenario())


@pytest.mark.parametrize(
    ("subcommand", "bit", "name"),
    [
        ("import", READ_HISTORY, "Read Message History"),
        ("duplicates", READ_HISTORY, "Read Message History"),
        ("duplicates", MANAGE_THREADS, "Manage Threads"),
        ("duplicates", 1 << 38, "Send Messages in Threads"),
    ],
)
def test_what_the_bot_lacks_is_named_before_anything_is_asked_of_discord(subcommand: str, bit: int, name: str) -> None:
    with Deployment() as deployment:
        asked = deployment.run(deployment.administer(subcommand, app_permissions=BOT_PERMISSIONS & ~bit))
        assert name in asked.content
        assert not deployment.discord.calls
        assert not deployment.dynamo.items()


def test_a_long_wait_between_two_threads_is_waited_out_and_all_are_counted_in_the_end() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            make(deployment, 6)
            listed = await deployment.administer("duplicates")
            deployment.discord.limit_once("PATCH", "/channels/{channel_id}", 200.0, nth=3)
            pressed = await deployment.press(listed)
            said: list[str] = []

            async def note() -> None:
                said.append(deployment.shown(pressed))

            assert await deployment.work(between=note) == 2
            assert "Discord asks me to wait" in said[0]
            assert len(living(deployment)) == 1
            assert "merged 5 threads" in said[-1]

        deployment.run(scenario())


def test_in_a_thread_the_parent_channel_is_meant() -> None:
    with Deployment() as deployment:

        async def scenario() -> None:
            first, *_ = make(deployment, 2)
            thread: dict[str, Any] = {"channel_id": first, "channel_type": 11, "parent_id": CHANNEL}
            listed = await deployment.administer("duplicates", **thread)
            assert "1 thread would be merged" in await finish(deployment, listed)
            pressed = await deployment.press(listed, **thread)
            assert "merged 1 thread" in await finish(deployment, pressed)

        deployment.run(scenario())


def test_both_commands_and_the_button_are_in_the_table() -> None:
    assert {("session-admin", "import"), ("session-admin", "duplicates"), ("button", "merge-duplicates")} <= set(
        COMMANDS
    )
