"""``/session open``, from the signed interaction to the text that a member reads."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from handler.commands import texts
from handler.errors import ChannelGone, TooManyThreads, UnsupportedChannel
from infra.interactions import MEMBER_PERMISSIONS, interaction
from infra.simulator.faults import error
from infra.virtual_time import START
from tests.kit.deployment import USER, Asked, Deployment
from tests.kit.guild import APPLICATION
from tests.kit.table_view import CHANNEL, GUILD

MODERATOR = MEMBER_PERMISSIONS | 1 << 34
ADMINISTRATOR = 1 << 3


def thread_of(deployment: Deployment) -> str:
    (thread,) = deployment.discord.threads.values()
    return thread.id


async def open_again_after(
    deployment: Deployment, act: Callable[[str], Any] | None, **more: Any
) -> tuple[str, dict[str, Any]]:
    """Open a session, act on its thread, open it again: the thread's id, and the second answer's message."""
    await deployment.ask()
    if act is not None:
        act(thread_of(deployment))
    asked = await deployment.ask(**more)
    assert asked.kind == 4
    message = asked.callback["data"]
    assert message["flags"] == 64
    assert message["allowed_mentions"] == {"parse": []}
    return thread_of(deployment), message


def is_linked(message: dict[str, Any], thread: str) -> bool:
    (row,) = message["components"]
    (button,) = row["components"]
    assert (button["type"], button["style"]) == (2, 5)
    return f"<#{thread}>" in message["content"] and button["url"] == f"https://discord.com/channels/{GUILD}/{thread}"


@pytest.mark.guild(table="moto")
async def test_a_new_session_gets_a_new_thread(deployment: Deployment) -> None:
    message = (await deployment.ask()).callback["data"]
    assert is_linked(message, thread_of(deployment))
    assert "Started a thread for **" in message["content"]


async def test_an_open_session_is_linked(deployment: Deployment) -> None:
    thread, message = await open_again_after(deployment, None, name="session  1A06A43 ")
    assert is_linked(message, thread)
    assert "is already open" in message["content"]


async def test_an_archived_session_is_reopened(deployment: Deployment) -> None:
    thread, message = await open_again_after(deployment, deployment.people.archive)
    assert is_linked(message, thread)
    assert "was archived; I've reopened it" in message["content"]
    assert not deployment.discord.threads[thread].archived


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("permissions", [MODERATOR, ADMINISTRATOR])
async def test_a_moderator_gets_a_locked_thread_unlocked(
    deployment: Deployment, archived: bool, permissions: int
) -> None:
    def lock(thread: str) -> None:
        deployment.people.lock(thread)
        if archived:
            deployment.people.archive(thread)

    thread, message = await open_again_after(deployment, lock, member_permissions=permissions)
    assert is_linked(message, thread)
    assert "was locked; I've unlocked it" in message["content"]
    assert not deployment.discord.threads[thread].locked


async def test_a_locked_thread_stays_locked_for_other_members(deployment: Deployment) -> None:
    thread, message = await open_again_after(deployment, deployment.people.lock)
    assert is_linked(message, thread)
    assert "** is locked: <#" in message["content"]
    assert "A moderator can unlock it" in message["content"]
    assert deployment.discord.threads[thread].locked


async def test_an_existing_thread_is_adopted(deployment: Deployment) -> None:
    thread = deployment.people.create_thread(CHANNEL, "Session 1a06a43")
    message = (await deployment.ask()).callback["data"]
    assert is_linked(message, thread)
    assert "already had a thread, so I'm using it" in message["content"]


async def test_a_renamed_thread_is_found_by_its_new_name(deployment: Deployment) -> None:
    def rename(thread: str) -> None:
        deployment.people.rename(thread, "Session login-bug")

    thread, message = await open_again_after(deployment, rename, name="login-bug")
    assert is_linked(message, thread)
    assert message["content"].startswith("**1a06a43** has the thread that is now called **login-bug**: <#")


async def test_a_deleted_thread_is_replaced(deployment: Deployment) -> None:
    await deployment.ask()
    deployment.people.delete_thread(thread_of(deployment))
    asked = await deployment.ask()
    assert is_linked(asked.callback["data"], thread_of(deployment))
    assert "old thread was deleted, so I started a new one" in asked.content


async def test_members_who_ask_at_once_get_the_same_thread(deployment: Deployment) -> None:
    deployment.latency = 0.1  # nobody is done before all have begun
    contents = [asked.content for asked in await asyncio.gather(*(deployment.ask() for _ in range(3)))]
    assert all(f"<#{thread_of(deployment)}>" in content for content in contents)
    assert [c.startswith("Started a thread for **1a06a43**: ") for c in contents].count(True) == 1
    assert [c.startswith("Someone opened **1a06a43** just before you: ") for c in contents].count(True) == 2


async def test_a_command_in_a_thread_means_the_parent_channel(deployment: Deployment) -> None:
    await deployment.ask()
    second = await deployment.ask(channel_id=thread_of(deployment), channel_type=11, parent_id=CHANNEL)
    assert is_linked(second.callback["data"], thread_of(deployment))


async def test_sessions_work_in_announcement_channels(deployment: Deployment) -> None:
    deployment.discord.add_channel(GUILD, "100000000000000011", 5)
    asked = await deployment.ask(channel_id="100000000000000011", channel_type=5)
    assert is_linked(asked.callback["data"], thread_of(deployment))


Refused = Callable[[Deployment], Awaitable[Asked]]


def in_a_category(deployment: Deployment) -> Awaitable[Asked]:
    deployment.discord.add_channel(GUILD, "100000000000000012", 4)
    return deployment.ask(channel_id="100000000000000012", channel_type=4)


def in_a_deleted_channel(deployment: Deployment) -> Awaitable[Asked]:
    deployment.people.delete_channel(CHANNEL)
    return deployment.ask()


def in_a_full_guild(deployment: Deployment) -> Awaitable[Asked]:
    full = error(400, 160006, "Maximum number of active threads reached")
    deployment.discord.faults.inject("POST", "/channels/{channel_id}/messages/{message_id}/threads", full)
    return deployment.ask()


@pytest.mark.parametrize(
    ("refused", "content"),
    [
        (in_a_category, UnsupportedChannel().message),
        (in_a_deleted_channel, ChannelGone().message),
        (in_a_full_guild, TooManyThreads().message),
        (lambda d: d.ask("   "), "A session needs a name"),
        (lambda d: d.ask("x" * 93), "That session name is too long"),
        (lambda d: d.ask(topic="x" * 301), texts.topic_too_long()["content"]),
        (lambda d: d.ask(app_permissions=1 << 10 | 1 << 16), "Send Messages, Create Public Threads"),
        (lambda d: d.ask(app_permissions=0), "View Channel, Send Messages"),
    ],
)
async def test_a_refusal_says_why_and_leaves_nothing_behind(
    deployment: Deployment, refused: Refused, content: str
) -> None:
    asked = await refused(deployment)
    assert asked.kind == 4
    assert content in asked.content
    assert not deployment.discord.threads
    assert not deployment.discord.messages
    assert not [item for item in deployment.wire.items() if item.get("status") in ("creating", "open")]


async def test_missing_permissions_are_found_before_any_request_to_discord(deployment: Deployment) -> None:
    await deployment.ask(app_permissions=0)
    assert not deployment.discord.calls


async def test_a_command_outside_a_guild_is_refused(deployment: Deployment) -> None:
    payload = interaction("x", channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START)
    del payload["guild_id"], payload["guild"], payload["member"]
    payload["channel"]["type"] = 1
    asked = await deployment.deliver({**payload, "user": {"id": USER}})
    assert asked.callback["data"] == texts.guild_required()


@pytest.mark.parametrize(
    "options",
    [
        [],
        None,
        [{"name": "name"}],
        [{"name": "name", "value": 5}],
        [{"name": "name", "value": "x"}, {"name": "topic", "value": 5}],
    ],
)
async def test_malformed_options_are_refused(deployment: Deployment, options: Any) -> None:
    payload = interaction("x", channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START)
    payload["data"]["options"][0]["options"] = options
    assert (await deployment.deliver(payload)).callback["data"] == texts.unreadable_command()


NASTY = "`*_~|> [x](https://x.example) <@123> @everyone <#5> \\"


async def test_users_text_mentions_nobody_and_breaks_no_markdown(deployment: Deployment) -> None:
    asked = await deployment.ask(NASTY, topic=f"{NASTY}\n# heading")
    assert asked.callback["data"]["allowed_mentions"] == {"parse": []}
    (source,) = [m for m in deployment.discord.messages.values() if m.author_id != USER][:1]
    for content in (asked.content, source.content):
        assert "<@123>" not in content
        assert "\n#" not in content
        assert "[x](" not in content
    assert source.mentions == ()
    assert not source.mention_everyone


async def test_the_source_message_names_session_member_and_topic(deployment: Deployment) -> None:
    await deployment.ask(topic="login fails")
    source = deployment.discord.messages[thread_of(deployment)]
    started = f"<t:{int(START.timestamp())}:R>"
    first = f"🧵 **Session 1a06a43** · opened by <@{USER}>"
    assert source.content == f"{first}\n🟢 Open · started {started}\n> login fails"


FORUM = "100000000000000015"


async def in_a_post(deployment: Deployment, name: str = "1a06a43", **more: Any) -> Asked:
    """The command is used in a post of the forum, which has the tags Bug and, for moderators, Done."""
    if FORUM not in deployment.discord.state.channels:
        tags = [("71", "Bug"), ("73", "Done")]
        deployment.discord.add_channel(GUILD, FORUM, 15, tags=tags, moderated_tags=["73"])
        deployment.people.create_thread(FORUM, "welcome")
    (welcome,) = (t.id for t in deployment.discord.threads.values() if t.name == "welcome")
    return await deployment.ask(name, channel_id=welcome, channel_type=11, parent_id=FORUM, **more)


async def test_in_a_forum_the_webhook_hands_over_before_the_post_is_created_and_the_worker_links_it(
    deployment: Deployment,
) -> None:
    asked = await in_a_post(deployment, options={"tag": "bug"})
    assert asked.kind == 5
    assert deployment.living_threads(channel=FORUM) == []
    assert await deployment.work() == 1

    (post,) = deployment.living_threads(channel=FORUM)
    assert f"<#{post.id}>" in deployment.shown(asked)
    assert "Started a thread" in deployment.shown(asked)
    assert post.applied_tags == ("71",)
    assert (await in_a_post(deployment)).content == f"**1a06a43** is already open: <#{post.id}>"


@pytest.mark.parametrize(("tag", "text"), [("Login", "It has **Bug**, **Done**"), ("Done", "Only moderators")])
async def test_a_tag_that_cannot_be_had_is_refused_by_the_webhook_itself(
    deployment: Deployment, tag: str, text: str
) -> None:
    await in_a_post(deployment)
    await deployment.work()
    asked = await in_a_post(deployment, "another", options={"tag": tag})
    assert asked.kind == 4
    assert text in asked.content


async def test_a_post_needs_no_right_to_create_threads_but_to_write_in_the_forum(deployment: Deployment) -> None:
    may_post = 1 << 10 | 1 << 11 | 1 << 16
    asked = await in_a_post(deployment, member_permissions=may_post, app_permissions=may_post)
    await deployment.work()
    assert "Started a thread" in deployment.shown(asked)
    asked = await in_a_post(deployment, "another", member_permissions=1 << 10, app_permissions=may_post)
    assert "To start a session, use the command there" in asked.content


async def opened_privately(deployment: Deployment, user: str, **options: Any) -> Asked:
    asked = await deployment.ask(user_id=user, options={"private": True, **options})
    await deployment.work()
    return asked


async def test_a_private_session_is_opened_by_the_worker_for_the_requester_and_the_mentioned_ones(
    deployment: Deployment,
) -> None:
    asked = await deployment.ask(
        user_id="3", options={"private": True, "members": "<@4> and <@!5>, also <@4> <@&77> <@x>"}
    )
    assert asked.kind == 5
    assert not deployment.discord.threads
    await deployment.work()

    (thread,) = deployment.discord.threads.values()
    assert f"<#{thread.id}>" in deployment.shown(asked)
    assert (thread.kind, [user for user, _ in thread.members]) == (12, [APPLICATION, "3", "4", "5"])
    assert deployment.table.private("3")["role_ids"] == ["77"]


async def test_an_outsider_reads_the_same_bytes_as_if_the_private_session_did_not_exist(deployment: Deployment) -> None:
    alone = await opened_privately(deployment, "6")
    threads = dict(deployment.discord.threads)
    deployment.people.delete_thread(*threads)
    deployment.table.lose_all(but=("CHANNEL", "GUILD"))
    await opened_privately(deployment, "3", members="<@4>")
    beside = await opened_privately(deployment, "6")

    def bytes_of(asked: Asked) -> str:
        shown = str(deployment.discord.original_response(asked.token))
        for thread_id in (*threads, *deployment.discord.threads):
            shown = shown.replace(thread_id, "ID")
        return re.sub(r"'(id|timestamp|edited_timestamp)': '[^']*'", "", shown)

    assert beside.callback == alone.callback
    assert bytes_of(beside) == bytes_of(alone)
    assert len(deployment.discord.threads) == 2
    assert bytes_of(await opened_privately(deployment, "4")) != bytes_of(alone)
