"""The client and the simulated Discord, which know nothing of each other, understand each other."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from handler.discord.rest import Discord, RateLimits, TokenSource, build_client, httpx_send
from handler.errors import DiscordRefused, NotFound, OutcomeUnknown, RateLimited
from handler.runtime.secrets import Secret
from infra.simulator.faults import DROP, HANG
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from tests.kit.secrets import BOT_TOKEN, INTERACTION_TOKEN
from tests.kit.virtual_time import START, LoopClock, run

GUILD, CHANNEL, APPLICATION, PERSON = "1", "10", "900", "7"
TOKEN = Secret(BOT_TOKEN)
MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
def world() -> SimulatedDiscord:
    world = SimulatedDiscord(application_id=APPLICATION, bot_token=TOKEN.reveal())
    world.add_guild(GUILD)
    world.add_channel(GUILD, CHANNEL)
    return world


def client(world: SimulatedDiscord) -> Discord:
    clock = LoopClock()
    http = build_client("https://discord.test/api/v10", transport=SimulatedTransport(world, clock.now))
    send = httpx_send(http, TokenSource(TOKEN, clock=clock))
    return Discord(send=send, application_id=APPLICATION, clock=clock, limits=RateLimits(), jitter=lambda: 1.0)


async def created(discord: Discord, name: str = "Session 1a06a43") -> str:
    message = await discord.post_message(CHANNEL, {"content": name}, nonce=name[-25:])
    return (await discord.start_thread(CHANNEL, message.id, name=name, auto_archive_duration=4320)).id


def story(coroutine: Coroutine[Any, Any, None]) -> None:
    run(coroutine)


def test_the_life_of_a_thread(world: SimulatedDiscord) -> None:
    async def told() -> None:
        discord = client(world)
        thread_id = await created(discord)
        assert (await discord.message(CHANNEL, thread_id)).author.id == await discord.current_user_id()
        with pytest.raises(DiscordRefused) as again:
            await discord.start_thread(CHANNEL, thread_id, name="again", auto_archive_duration=60)
        assert again.value.code == 160004
        await discord.add_thread_member(thread_id, PERSON)
        active = await discord.active_threads(GUILD)
        assert [thread.id for thread in active.threads] == [thread_id]
        assert active.date == START.replace(microsecond=0)
        assert (await discord.change_thread(thread_id, archived=True, locked=True, reason="done")).archived
        page = await discord.archived_threads(CHANNEL, before=None)
        assert [thread.id for thread in page.threads] == [thread_id]
        assert not (await discord.archived_threads(CHANNEL, before=page.threads[0].archive_time)).threads
        reopened = await discord.change_thread(thread_id, archived=False, locked=False)
        assert (reopened.archived, reopened.locked, reopened.parent_id) == (False, False, CHANNEL)
        await discord.delete_message(CHANNEL, thread_id, reason="its thread is gone")
        with pytest.raises(NotFound) as gone:
            await discord.delete_message(CHANNEL, thread_id)
        assert gone.value.code == 10008
        assert (await discord.channel(thread_id)).id == thread_id

    story(told())


@pytest.mark.parametrize("what", [DROP, HANG])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_message_whose_answer_was_lost_is_not_posted_twice(world: SimulatedDiscord, what: Any, when: Any) -> None:
    world.faults.inject("POST", MESSAGES, what, when=when)

    async def told() -> None:
        await client(world).post_message(CHANNEL, {"content": "anchor"}, nonce="n")

    story(told())
    assert len(world.messages) == 1


def test_a_message_that_lands_late_is_the_one_that_the_repeat_posted(world: SimulatedDiscord) -> None:
    world.faults.inject("POST", MESSAGES, HANG, when="late")

    async def told() -> None:
        await client(world).post_message(CHANNEL, {"content": "anchor"}, nonce="n")
        await asyncio.sleep(60)

    story(told())
    assert len(world.messages) == 1


def test_a_message_that_stays_unanswered_has_an_unknown_outcome(world: SimulatedDiscord) -> None:
    world.faults.inject("POST", MESSAGES, DROP, when="after", times=9)

    async def told() -> None:
        with pytest.raises(OutcomeUnknown):
            await client(world).post_message(CHANNEL, {"content": "anchor"}, nonce="n")

    story(told())
    assert len(world.messages) == 1


def test_a_deleted_message_of_that_nonce_is_told(world: SimulatedDiscord) -> None:
    async def told() -> None:
        discord = client(world)
        message = await discord.post_message(CHANNEL, {"content": "anchor"}, nonce="n")
        await discord.delete_message(CHANNEL, message.id)
        with pytest.raises(NotFound) as raised:
            await discord.post_message(CHANNEL, {"content": "anchor"}, nonce="n")
        assert raised.value.code == 10008

    story(told())


def test_a_limit_that_many_share_is_kept_without_one_refusal(world: SimulatedDiscord) -> None:
    world.limit_route("POST", MESSAGES, 5, 2.0)

    async def told() -> None:
        discord = client(world)
        await discord.post_message(CHANNEL, {"content": "first"}, nonce="first")
        posts = [discord.post_message(CHANNEL, {"content": "x"}, nonce=str(n)) for n in range(20)]
        await asyncio.gather(*posts)

    story(told())
    assert len(world.messages) == 21
    assert {status for _, _, status in world.calls} == {200}


def test_a_limit_that_the_headers_hide_is_waited_for_or_told(world: SimulatedDiscord) -> None:
    world.limit_route("PATCH", "/channels/{channel_id}", 2, 600.0, hidden=True)

    async def told() -> None:
        discord = client(world)
        thread_id = await created(discord)
        for name in ("one", "two"):
            await discord.change_thread(thread_id, name=name)
        with pytest.raises(RateLimited) as raised:
            await discord.change_thread(thread_id, name="three")
        assert raised.value.retry_after > 500

    story(told())


def test_pages_of_archived_threads_follow_one_another_without_loss(world: SimulatedDiscord) -> None:
    world.people.add_archived_threads(CHANNEL, 250, newest=START)

    async def told() -> None:
        discord, seen = client(world), set[str]()
        before: datetime | None = None
        while True:
            page = await discord.archived_threads(CHANNEL, before=before)
            seen |= {thread.id for thread in page.threads}
            if not page.has_more:
                break
            before = page.threads[-1].archive_time
        assert len(seen) == 250

    story(told())


def test_a_deferred_answer_is_edited(world: SimulatedDiscord) -> None:
    world.begin_interaction(INTERACTION_TOKEN, "5", APPLICATION, START.astimezone(UTC), channel_id=CHANNEL)

    async def told() -> None:
        discord = client(world)
        editing = asyncio.ensure_future(discord.edit_original(INTERACTION_TOKEN, {"content": "done"}))
        await asyncio.sleep(0.1)
        assert world.answer_interaction(INTERACTION_TOKEN, {"type": 5, "data": {"flags": 64}}, START)
        await editing

    story(told())
    answer = world.original_response(INTERACTION_TOKEN)
    assert answer is not None
    assert answer["content"] == "done"
