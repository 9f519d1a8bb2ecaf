"""``/session info``, from the signed interaction to what is read."""

from typing import Any

import pytest

from handler.commands.texts import NO_SESSION_MEANT
from handler.errors import SessionNotFound
from handler.runtime.clock import iso
from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS
from infra.simulator.faults import DROP
from infra.virtual_time import START
from tests.kit.deployment import USER, Asked, Deployment, in_thread
from tests.kit.listed_sessions import put
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory")
AT = iso(START)
STAMP = f"<t:{int(START.timestamp())}:R>"
SEND_MESSAGES_IN_THREADS = 1 << 38


async def info(case: Deployment, name: str | None = "a", **more: Any) -> Asked:
    return await case.use("session info", options={} if name is None else {"name": name}, **more)


async def said(case: Deployment, **attributes: Any) -> str:
    """What is shown of a session with these attributes."""
    put(case, "a", 0, **attributes)
    return case.shown(await info(case))


async def test_a_session_that_was_opened_is_shown_whole_in_the_channel_and_in_its_thread(
    deployment: Deployment,
) -> None:
    await deployment.ask("1A06a43", topic="login *fails*")
    await deployment.work()
    thread_id = deployment.table.item()["discord_thread_id"]
    expected = (
        f"🟢 **1A06a43** · open\n<#{thread_id}>\n> login \\*fails\\*\nStarted by <@{USER}> {STAMP}\nLast active {STAMP}"
    )
    there = await info(deployment, "session 1a06a43")
    assert (there.kind, deployment.shown(there)) == (4, expected)
    here = await info(deployment, None, channel_id=thread_id, channel_type=11, parent_id=CHANNEL)
    assert deployment.shown(here) == expected
    assert here.callback == there.callback
    assert f"https://discord.com/channels/{GUILD}/{thread_id}" in str(here.callback)
    assert here.callback["data"]["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"status": "closed", "archived": True}, "Closed, because nobody had used it for a long time."),
        ({"status": "closed", "archived": True, "closed_by": "77"}, "Closed by <@77>. Opening it reopens it."),
        (
            {"status": "closed", "archived": True, "closed_by": "ci", "close_lock": True, "close_reason": "*done*"},
            "Closed and locked by *ci*. Opening it reopens it.\n> \\*done\\*",
        ),
        ({"archived": True, "archived_at": AT}, f"Archived {STAMP}, by Discord or by hand."),
        ({"archived": True}, "Archived, by Discord or by hand. Opening it brings it back."),
        ({"waiting_since": AT}, f"A question is waiting for an answer · asked {STAMP}"),
        (
            {"waiting_since": AT, "waiting_message_id": "7"},
            f"/7) is waiting for an answer · asked {STAMP}",
        ),
        ({"locked": True, "locked_by": "88"}, "Locked by <@88>. A moderator can unlock it."),
        ({"locked": True}, "🔒 locked"),
        ({"keep": True}, "Kept open: when Discord archives it, I open it again."),
        ({"created_by": None, "label": "build *bot*"}, "Started by *build \\*bot\\**"),
        ({"created_by": None}, "Started by a program"),
        ({"member_ids": ["5", "6"]}, "Members added: <@5>, <@6>"),
        ({"member_ids": [str(n) for n in range(1, 13)]}, "<@10> and 2 more"),
        ({"missing_since": AT}, f"seems deleted since {STAMP}"),
        ({"unreachable_since": AT}, f"I can't see its thread since {STAMP}. An admin can give me **View Channel**"),
        ({"delete_marked_at": AT, "delete_marked_message": "5"}, "it is deleted soon"),
        ({"deleting_at": AT}, "Its thread is being deleted"),
        ({"topic_to_show": "new"}, "> new"),
        ({"topic_to_show": "new"}, "The topic isn't shown above the thread yet."),
        ({"data": '{"build":7}'}, '```json\n{\n  "build": 7\n}\n```'),
        ({"data": "no JSON ```**x**"}, "```json\nno JSON ``\u200b`**x**\n```"),
    ],
)
async def test_info_says_why_a_session_is_in_its_state_and_what_went_wrong(
    deployment: Deployment, attributes: dict[str, Any], text: str
) -> None:
    assert text in await said(deployment, **attributes)


async def test_a_permission_that_reopening_takes_is_named(deployment: Deployment) -> None:
    put(deployment, "a", 0, archived=True)
    without = BOT_PERMISSIONS & ~SEND_MESSAGES_IN_THREADS
    assert "I need **Send Messages in Threads** here" in deployment.shown(
        await info(deployment, app_permissions=without)
    )
    assert "I need" not in deployment.shown(await info(deployment))


async def test_former_threads_are_shown_with_when_and_why(deployment: Deployment) -> None:
    await deployment.ask("a")
    await deployment.work()
    first = deployment.table.item("a")["discord_thread_id"]
    deployment.people.delete_thread(first)
    gone = deployment.shown(await info(deployment))
    assert "🟢 **a** · open" in gone  # nobody has noticed yet
    await deployment.reconcile()
    vacant = deployment.shown(await info(deployment))
    assert vacant == (
        f"⚪ **a** · no thread\nOpening it starts a new thread.\n**Former threads**\n`{first}` was deleted {STAMP}"
    )
    await deployment.ask("a")
    await deployment.work()
    assert f"**Former threads**\n`{first}` was deleted {STAMP}" in deployment.shown(await info(deployment))


@pytest.mark.parametrize(("why", "text"), [("unused", "had used it for a long time"), ("a later word", "is over")])
async def test_each_end_of_a_thread_has_its_words(deployment: Deployment, why: str, text: str) -> None:
    former = f'[{{"thread_id":"5","ended_at":"{AT}","why":"{why}"}}]'
    assert text in await said(deployment, former=former)


async def test_a_session_whose_thread_is_being_started_says_so(deployment: Deployment) -> None:
    assert "Its thread is being started." in await said(deployment, status="creating", discord_thread_id=None)


@pytest.mark.parametrize("name", ["other", "Session b"])
async def test_a_name_that_nobody_opened_is_not_found(deployment: Deployment, name: str) -> None:
    put(deployment, "a", 0)
    put(deployment, "b", 0, status="vacant", discord_thread_id=None)
    asked = await info(deployment, name)
    assert asked.content == SessionNotFound().message


@pytest.mark.parametrize("name", ["", "Session", "\u200b"])
async def test_a_name_that_is_none_is_refused(deployment: Deployment, name: str) -> None:
    assert "A session needs a name" in (await info(deployment, name)).content


@pytest.mark.parametrize("where", [{}, in_thread("55")])
async def test_without_a_name_it_is_the_session_of_the_thread_or_none(
    deployment: Deployment, where: dict[str, Any]
) -> None:
    asked = await info(deployment, None, **where)
    assert asked.content == (SessionNotFound().message if where else NO_SESSION_MEANT)


async def test_a_renamed_thread_is_found_by_its_new_name(deployment: Deployment) -> None:
    await deployment.ask("a")
    await deployment.work()
    deployment.people.rename(deployment.table.item("a")["discord_thread_id"], "Session b")
    await deployment.reconcile()
    assert "🟢 **a** · open" in deployment.shown(await info(deployment, "b"))


async def test_past_the_deadline_the_worker_shows_it_and_a_repeat_shows_the_same(deployment: Deployment) -> None:
    put(deployment, "a", 0)
    now = await info(deployment, member_permissions=MEMBER_PERMISSIONS)
    late = await info(deployment, old=2.9)
    assert late.kind == 5
    await deployment.work()
    assert deployment.shown(late) == deployment.shown(now) == deployment.shown(await info(deployment))


TAGS: dict[str, Any] = {"tags": [("71", "Bug"), ("72", "Feature")]}


@pytest.mark.guild(kind=15, channel=TAGS)
@pytest.mark.parametrize("reachable", [True, False])
async def test_the_tags_of_a_post_are_shown_if_discord_tells_them(deployment: Deployment, reachable: bool) -> None:
    await deployment.ask("a", options={"tag": "bug"}, channel_type=15)
    await deployment.work()
    if not reachable:
        deployment.discord.faults.inject("GET", "/channels/{channel_id}", DROP, times=9)
    assert ("\nTags: Bug" in deployment.shown(await info(deployment))) == reachable
