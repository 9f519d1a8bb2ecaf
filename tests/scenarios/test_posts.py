"""A session in a forum or media channel is a post, which no message anchors."""

import asyncio
from typing import Any

import pytest

from handler.errors import InvalidRequest, NotAllowed, TimedOut
from handler.sessions.model import Outcome, TagRequired
from infra.simulator.faults import DROP, HANG, error, server_error
from infra.simulator.models import REQUIRE_TAG
from infra.simulator.permissions import default_permissions_without
from tests.kit.guild import BOT, MEMBER, Guild
from tests.kit.table_view import CHANNEL, GUILD, NAME

pytestmark = pytest.mark.guild(table="memory", kind=15)

CREATE = "POST /channels/{channel_id}/threads"
WAY = ("POST", "/channels/{channel_id}/threads")
TAGS: dict[str, Any] = {"tags": [("71", "Bug"), ("72", "Feature"), ("73", "Done")], "moderated_tags": ["73"]}


@pytest.mark.parametrize("guild", [{"kind": 15}, {"kind": 16}], ids=["forum", "media channel"], indirect=True)
async def test_a_first_open_creates_the_post_with_the_sessions_description_as_its_first_message(guild: Guild) -> None:
    opened = await guild.open(topic="@everyone look")

    (thread,) = guild.living_threads()
    assert (opened.outcome, opened.thread_id) == (Outcome.CREATED, thread.id)
    assert (thread.name, thread.auto_archive_duration, thread.owner_id) == ("Session 1a06a43", 4320, BOT)
    (message,) = [m for m in guild.discord.messages.values() if m.channel_id == thread.id]
    assert "Session 1a06a43" in message.content
    assert f"<@{MEMBER}>" in message.content
    assert "look" in message.content
    assert (message.mentions, message.mention_everyone) == ((), False)
    item = guild.table.item()
    assert (item["status"], item["generation"], item["watch_guild_id"]) == ("open", 1, GUILD)
    assert item["topic"] == "@everyone look"
    assert guild.table.pointer(thread.id)["session_key"] == NAME
    assert thread.has_member(MEMBER)


async def test_later_opens_reuse_reopen_and_replace_the_post(guild: Guild) -> None:
    first = await guild.open()
    assert (await guild.open()).outcome is Outcome.REUSED
    guild.people.auto_archive(first.thread_id)
    assert (await guild.open()).outcome is Outcome.REOPENED
    guild.people.delete_thread(first.thread_id)
    again = await guild.open()

    assert (again.outcome, again.after_deletion) == (Outcome.CREATED, True)
    assert again.thread_id != first.thread_id
    assert guild.table.item()["generation"] == 2


async def test_a_persons_post_of_that_name_is_adopted_and_a_lost_table_finds_ours(guild: Guild) -> None:
    theirs = guild.people.create_thread(CHANNEL, "Session theirs")
    assert (await guild.open("theirs")).thread_id == theirs

    ours = await guild.open()
    guild.table.lose_all()
    assert (await guild.open()).thread_id == ours.thread_id


async def test_a_topic_given_later_is_shown_in_the_first_message(guild: Guild) -> None:
    opened = await guild.open()
    assert (await guild.open(topic="login fails")).session.topic == "login fails"
    assert "login fails" in guild.discord.messages[opened.thread_id].content


@pytest.mark.guild(channel=TAGS)
async def test_tags_are_found_by_name_and_never_created(guild: Guild) -> None:
    opened = await guild.open(tags=(" bug", "FEATURE", "Bug"))
    assert guild.discord.threads[opened.thread_id].applied_tags == ("71", "72")

    refused = await guild.refused("another", tags=("Bug", "Login"))
    assert isinstance(refused, InvalidRequest)
    assert "**Login**" in refused.message
    assert "**Feature**" in refused.message
    assert guild.table.item("another")["status"] == "vacant"


@pytest.mark.guild(channel=TAGS)
async def test_a_moderated_tag_takes_manage_threads_and_a_program_may_use_it(guild: Guild) -> None:
    assert isinstance(await guild.refused(tags=("Done",)), NotAllowed)
    for name, who in (("mod", {"moderates": True}), ("program", {"user": None})):
        opened = await guild.open(name, tags=("done",), **who)
        assert guild.discord.threads[opened.thread_id].applied_tags == ("73",)


@pytest.mark.guild(channel={**TAGS, "flags": REQUIRE_TAG})
async def test_where_a_tag_is_required_the_error_offers_those_that_the_member_may_use(guild: Guild) -> None:
    refused = await guild.refused()
    assert isinstance(refused, TagRequired)
    assert refused.kind == "invalid_request"
    assert refused.tags == {"71": "Bug", "72": "Feature"}
    assert "**Bug**" in refused.message

    assert (await guild.open(tags=("Bug",))).outcome is Outcome.CREATED
    assert (await guild.open()).outcome is Outcome.REUSED


@pytest.mark.guild(channel={"tags": [(str(80 + n), f"tag {n}") for n in range(6)]})
async def test_a_post_has_five_tags_at_most(guild: Guild) -> None:
    assert isinstance(await guild.refused(tags=tuple(f"tag {n}" for n in range(6))), InvalidRequest)


async def test_a_tag_that_is_required_since_a_moment_ago_is_asked_for(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, error(400, 40067, "A tag is required"))
    assert isinstance(await guild.refused(), TagRequired)


@pytest.mark.parametrize("what", [DROP, server_error()], ids=["connection dropped", "500"])
async def test_a_post_whose_answer_was_lost_is_found_and_no_second_one_is_created(guild: Guild, what: Any) -> None:
    guild.discord.faults.inject(*WAY, what, when="after")
    opened = await guild.open(topic="login fails")

    (thread,) = guild.living_threads()
    assert (opened.outcome, opened.thread_id) == (Outcome.CREATED, thread.id)
    assert guild.calls.count(CREATE) == 1
    assert (guild.table.item()["generation"], guild.table.item()["topic"]) == (1, "login fails")


async def test_after_an_attempt_of_unknown_outcome_nobody_creates_before_looking_twice(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, server_error())
    began = guild.now
    opened = await guild.open()

    assert opened.outcome is Outcome.CREATED
    assert (guild.now - began).total_seconds() >= 5
    first, second = [at for at, name in enumerate(guild.calls.names) if name == CREATE]
    assert guild.calls.names[first:second].count("GET /guilds/{guild_id}/threads/active") == 2


async def test_an_opener_gives_up_after_two_answers_were_lost_and_the_attempts_stay_on_record(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, server_error(), times=9)
    assert (await guild.refused()).kind == "discord_unavailable"
    assert guild.calls.count(CREATE) == 2
    item = guild.table.item()
    assert (item["status"], item["create_attempts"]) == ("creating", 2)

    guild.discord.faults.clear()
    taken_over = await guild.open()
    assert taken_over.outcome is Outcome.CREATED
    assert guild.table.item()["create_attempted_at"] == item["create_attempted_at"]


async def test_a_refusal_leaves_no_attempt_on_record_and_the_next_open_need_not_look_twice(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, error(403, 50013, "Missing Permissions"))
    assert (await guild.refused()).kind == "missing_permissions"
    assert guild.table.item()["status"] == "vacant"
    began = guild.now
    await guild.open()
    assert (guild.now - began).total_seconds() < 1


@pytest.mark.guild(latency=0.1)
async def test_an_attempt_is_not_begun_if_the_deadline_is_near_and_never_cut_short(guild: Guild) -> None:
    assert isinstance(await guild.refused(seconds=2.4), TimedOut)
    assert guild.calls.count(CREATE) == 0
    assert "create_attempted_at" not in guild.table.item()


async def test_a_cancelled_opener_ends_after_its_attempt(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, HANG, when="late", seconds=3.0)
    opening = asyncio.ensure_future(guild.open())
    await guild.wait(1.0)
    opening.cancel()
    await asyncio.wait({opening})

    assert guild.calls.count(CREATE) == 1
    assert guild.table.item()["create_attempts"] == 1


async def test_a_post_that_lands_after_another_one_was_committed_is_deleted_by_the_reconciler(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, HANG, when="late", seconds=20.0)
    kept = await guild.open()
    await guild.wait(30.0)
    assert len(guild.living_threads()) == 2
    await guild.reconcile()

    assert [thread.id for thread in guild.living_threads()] == [kept.thread_id]
    assert guild.table.namesakes() == []
    assert (await guild.open()).thread_id == kept.thread_id


async def test_a_late_post_in_which_somebody_wrote_stays_as_a_namesake(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, HANG, when="late", seconds=20.0)
    kept = await guild.open()
    await guild.wait(30.0)
    (late,) = (thread.id for thread in guild.living_threads() if thread.id != kept.thread_id)
    guild.people.post_message(late)
    await guild.reconcile()

    assert len(guild.living_threads()) == 2
    assert guild.table.namesakes() == [late]
    assert not guild.discord.threads[late].locked


async def test_who_finds_on_commit_that_another_thread_was_first_deletes_its_own_one(guild: Guild) -> None:
    request = asyncio.ensure_future(guild.open(process=_held_up(guild)))
    await guild.wait(1.0)
    theirs = guild.people.create_thread(CHANNEL, f"Session {NAME}")
    await guild.reconcile()

    assert (await request).thread_id == theirs
    assert [thread.id for thread in guild.living_threads()] == [theirs]
    assert guild.calls.count("DELETE /channels/{channel_id}") == 1


async def test_an_own_post_in_which_somebody_wrote_at_once_stays_and_is_unlocked(guild: Guild) -> None:
    process = _held_up(guild)
    write = guild.people.post_message

    async def changed() -> None:
        for thread in guild.living_threads():
            if thread.owner_id == BOT and thread.locked and not thread.message_count:
                write(thread.id)

    guild.after_call, guild.after_every_call = changed, True
    request = asyncio.ensure_future(guild.open(process=process))
    await guild.wait(1.0)
    theirs = guild.people.create_thread(CHANNEL, f"Session {NAME}")
    await guild.reconcile()

    assert (await request).thread_id == theirs
    (ours,) = (thread for thread in guild.living_threads() if thread.id != theirs)
    assert (ours.locked, ours.message_count) == (False, 1)
    assert guild.table.namesakes() == [ours.id]
    assert guild.table.pointer(ours.id) == {}


async def test_without_manage_threads_an_extra_post_stays_as_a_namesake(guild: Guild) -> None:
    guild.people.set_permissions(CHANNEL, default_permissions_without("MANAGE_THREADS"))
    request = asyncio.ensure_future(guild.open(process=_held_up(guild)))
    await guild.wait(1.0)
    theirs = guild.people.create_thread(CHANNEL, f"Session {NAME}")
    await guild.reconcile()

    assert (await request).thread_id == theirs
    (ours,) = (thread for thread in guild.living_threads() if thread.id != theirs)
    assert guild.table.namesakes() == [ours.id]


def _held_up(guild: Guild) -> Any:
    """A process whose request for a post takes some seconds to reach Discord."""
    process = guild.opener()
    send = process.discord.create_thread

    async def later(*args: Any, **how: Any) -> Any:
        await guild.wait(5.0)
        return await send(*args, **how)

    process.discord.create_thread = later  # type: ignore[method-assign]
    return process


async def test_two_openers_under_one_lease_make_one_attempt(guild: Guild) -> None:
    """SQS delivers a job twice: both are the same request."""
    processes = guild.opener(), guild.opener()
    opened = await asyncio.gather(*(guild.open(owner="job", process=process) for process in processes))

    (thread,) = guild.living_threads()
    assert [answer.thread_id for answer in opened] == [thread.id, thread.id]
    assert guild.calls.count(CREATE) == 1


async def test_20_openers_at_once_create_one_post(guild: Guild) -> None:
    processes = [guild.opener() for _ in range(4)]
    opened = await asyncio.gather(*(guild.open(process=processes[n % 4], user=None) for n in range(20)))

    (thread,) = guild.living_threads()
    assert {answer.thread_id for answer in opened} == {thread.id}
    assert guild.calls.count(CREATE) == 1


@pytest.mark.guild(kind=0)
async def test_in_a_text_channel_that_is_taken_for_a_forum_no_private_thread_is_created(guild: Guild) -> None:
    guild.table.put(guild.table.channel(), kind=15)
    opened = await guild.open()

    assert guild.discord.threads[opened.thread_id].kind == 11
    assert (guild.calls.count(CREATE), guild.table.channel()["kind"]) == (0, 0)
