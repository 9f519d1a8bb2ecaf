"""A session is opened for the first time."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from handler.sessions.model import Opened, Outcome
from handler.store.items import Status
from tests.kit.guild import BOT, MEMBER, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, GUILD, NAME

THREADS = "POST /channels/{channel_id}/messages/{message_id}/threads"
MEMBERS = "PUT /channels/{channel_id}/thread-members/{user_id}"


@pytest.mark.guild(table="moto")
async def test_a_first_open_starts_the_thread_from_a_source_message_and_records_it(guild: Guild) -> None:
    opened = await guild.open()

    (thread,) = guild.living_threads()
    (message,) = guild.source_messages()
    item = guild.table.item()
    assert opened.outcome is Outcome.CREATED
    assert opened.thread_id == thread.id == message.id == item["discord_thread_id"] == item["source_message_id"]
    assert opened.url == f"https://discord.com/channels/{GUILD}/{thread.id}"
    assert (thread.name, thread.auto_archive_duration) == ("Session 1a06a43", 4320)
    assert (item["status"], item["generation"], item["watch_guild_id"]) == ("open", 1, GUILD)
    assert guild.table.pointer(thread.id) == {
        "pk": f"THREAD#{thread.id}",
        "sk": "THREAD",
        "parent_channel_id": CHANNEL,
        "session_key": NAME,
    }


async def test_the_source_message_says_what_it_is_who_opened_it_and_the_topic_and_pings_nobody(guild: Guild) -> None:
    await guild.open(topic="@everyone look at **this**")

    (message,) = guild.source_messages()
    assert "Session 1a06a43" in message.content
    assert f"<@{MEMBER}>" in message.content
    assert "look at" in message.content
    assert message.mentions == ()
    assert not message.mention_everyone


async def test_the_first_spelling_stays_and_every_other_one_leads_to_the_same_thread(guild: Guild) -> None:
    first = await guild.open("Login Bug")
    for spelling in ("login bug", " SESSION login  bug", "Ｌogin Bug"):
        assert (await guild.open(spelling)).thread_id == first.thread_id

    assert [thread.name for thread in guild.discord.threads.values()] == ["Session Login Bug"]


async def test_the_requester_becomes_a_member_of_the_new_thread(guild: Guild) -> None:
    await guild.open()

    (thread,) = guild.living_threads()
    assert thread.has_member(MEMBER)


async def test_a_requester_who_cannot_be_added_gets_the_link_all_the_same(guild: Guild) -> None:
    guild.discord.people.remove_member(GUILD, MEMBER)

    assert (await guild.open()).outcome is Outcome.CREATED
    assert MEMBERS in guild.calls.names


async def test_a_program_adds_nobody_and_asks_once_for_the_channels_kind(guild: Guild) -> None:
    guild.table.lose_all()
    guild.calls.forget()
    opened = await guild.open(user=None, states_channel=False)

    (thread,) = guild.living_threads()
    assert opened.outcome is Outcome.CREATED
    assert [member for member, _ in thread.members] == [BOT]
    assert guild.calls.count("GET /channels/{channel_id}") == 1
    await guild.open("another", user=None, states_channel=False)
    assert guild.calls.count("GET /channels/{channel_id}") == 1


async def test_an_exact_repeat_of_the_request_is_told_created_again(guild: Guild) -> None:
    first = await guild.open(owner="request-1")
    again = await guild.open(owner="request-1")
    other = await guild.open(owner="request-2")

    assert [first.outcome, again.outcome, other.outcome] == [Outcome.CREATED, Outcome.CREATED, Outcome.REUSED]
    assert first.thread_id == again.thread_id == other.thread_id


@pytest.mark.guild(kind=5)
async def test_an_announcement_channel_gets_a_thread_of_its_own_type(guild: Guild) -> None:
    opened = await guild.open()

    (thread,) = guild.living_threads()
    assert (thread.id, thread.kind) == (opened.thread_id, 10)
    assert (await guild.open()).outcome is Outcome.REUSED


@pytest.mark.parametrize("known", [True, False], ids=["channel known", "first contact"])
async def test_a_threads_id_given_as_the_parent_means_its_parent(guild: Guild, known: bool) -> None:
    inside = guild.people.create_thread(CHANNEL, "a talk")
    if not known:
        guild.table.lose_all()

    opened = await guild.open(user=None, states_channel=False, channel=inside)
    assert opened.session.parent_channel_id == CHANNEL
    assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]
    assert (await guild.open()).thread_id == opened.thread_id


@pytest.mark.guild(latency=0.5)
async def test_who_meets_a_live_claim_waits_and_is_linked(guild: Guild) -> None:
    one, other = guild.opener(), guild.opener()
    first, second = await asyncio.gather(guild.open(process=one), _later(0.6, guild.open(process=other)))

    assert (first.outcome, second.outcome) == (Outcome.CREATED, Outcome.REUSED)
    assert second.waited
    assert not first.waited
    assert first.thread_id == second.thread_id
    assert len(guild.source_messages()) == 1


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.guild(table="memory", latency=4.0)
async def test_who_is_slow_keeps_the_claim_and_the_other_one_starts_nothing(guild: Guild, pages: int) -> None:
    newest = guild.now - timedelta(minutes=1)
    guild.discord.people.add_archived_threads(CHANNEL, 100 * pages - 50, newest=newest, step=timedelta(seconds=1))
    one, other = guild.opener(), guild.opener()
    first, second = await asyncio.gather(guild.open(process=one), guild.open(process=other))

    assert {first.outcome, second.outcome} == {Outcome.CREATED, Outcome.REUSED}
    assert first.thread_id == second.thread_id
    assert guild.calls.count(THREADS) == 1


@pytest.mark.guild(table="memory")
async def test_after_a_death_the_thread_that_was_started_is_fetched_and_keeps_its_source_message(guild: Guild) -> None:
    guild.calls.dies_after = Call("discord", THREADS)
    await guild.death(guild.open())
    await guild.wait(minutes=1)
    opened = await guild.open()

    assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]
    assert [message.id for message in guild.source_messages()] == [opened.thread_id]


@pytest.mark.guild(latency=0.5)
async def test_the_worker_resumes_the_claim_of_its_webhook_at_once(guild: Guild) -> None:
    error = await guild.refused(owner="interaction-7", seconds=0.7)
    item = guild.table.item()
    assert (error.kind, error.retryable) == ("timed_out", True)
    assert item["status"] == Status.CREATING.value

    began = guild.now
    guild.restart()
    opened = await guild.open(owner="interaction-7", seconds=50.0)
    assert opened.outcome is Outcome.CREATED
    assert not opened.waited
    assert (guild.now - began).total_seconds() < 3.0
    assert len(guild.living_threads()) == len(guild.source_messages()) == 1


async def test_two_names_in_one_channel_and_one_name_in_two_channels_are_different_sessions(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, "11")
    ids = {
        (await guild.open()).thread_id,
        (await guild.open("another")).thread_id,
        (await guild.open(channel="11")).thread_id,
    }

    assert len(ids) == 3
    assert guild.calls.count(THREADS) == 3


async def _later(seconds: float, work: Coroutine[Any, Any, Opened]) -> Opened:
    await asyncio.sleep(seconds)
    return await work
