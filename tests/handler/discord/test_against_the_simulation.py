"""The real client against the simulated Discord."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.discord.rest import Discord
from handler.errors import DiscordRefused, NotFound, OutcomeUnknown, RateLimited
from infra.simulator.faults import DROP, HANG
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import START, LoopClock
from tests.kit.scripted_discord import APPLICATION, TOKEN, client_of, failure
from tests.kit.secrets import INTERACTION_TOKEN

GUILD, CHANNEL, PERSON = "1", "10", "7"
MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
def simulated() -> SimulatedDiscord:
    simulated = SimulatedDiscord(application_id=APPLICATION, bot_token=TOKEN.reveal())
    simulated.add_guild(GUILD)
    simulated.add_channel(GUILD, CHANNEL)
    return simulated


def client(simulated: SimulatedDiscord) -> Discord:
    return client_of(SimulatedTransport(simulated, LoopClock().now).handle_async_request)


async def create_thread(discord: Discord, name: str = "Session 1a06a43") -> str:
    message = await discord.post_message(CHANNEL, {"content": name}, nonce=name[-25:])
    return (await discord.start_thread(CHANNEL, message.id, name=name, auto_archive_duration=4320)).id


async def test_a_thread_is_created_archived_reopened_and_its_message_deleted(simulated: SimulatedDiscord) -> None:
    discord = client(simulated)
    thread_id = await create_thread(discord)
    assert (await discord.message(CHANNEL, thread_id)).author.id == await discord.current_user_id()
    again = discord.start_thread(CHANNEL, thread_id, name="again", auto_archive_duration=60)
    assert (await failure(DiscordRefused, again)).code == 160004
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
    assert (await failure(NotFound, discord.delete_message(CHANNEL, thread_id))).code == 10008
    assert (await discord.channel(thread_id)).id == thread_id


@pytest.mark.parametrize(
    ("what", "when"), [(DROP, "before"), (HANG, "before"), (DROP, "after"), (HANG, "after"), (HANG, "late")]
)
async def test_a_message_whose_response_was_lost_is_not_posted_twice(
    simulated: SimulatedDiscord, what: Any, when: Any
) -> None:
    simulated.faults.inject("POST", MESSAGES, what, when=when)
    await client(simulated).post_message(CHANNEL, {"content": "anchor"}, nonce="n")
    await asyncio.sleep(60)  # a late request arrives after its repeat
    assert len(simulated.messages) == 1


async def test_a_post_without_any_response_has_an_unknown_outcome(simulated: SimulatedDiscord) -> None:
    simulated.faults.inject("POST", MESSAGES, DROP, when="after", times=9)
    await failure(OutcomeUnknown, client(simulated).post_message(CHANNEL, {"content": "anchor"}, nonce="n"))
    assert len(simulated.messages) == 1


async def test_posting_with_the_nonce_of_a_deleted_message_raises_not_found(simulated: SimulatedDiscord) -> None:
    discord = client(simulated)
    message = await discord.post_message(CHANNEL, {"content": "anchor"}, nonce="n")
    await discord.delete_message(CHANNEL, message.id)
    assert (await failure(NotFound, discord.post_message(CHANNEL, {"content": "anchor"}, nonce="n"))).code == 10008


async def test_many_tasks_share_a_rate_limit_without_a_429(simulated: SimulatedDiscord) -> None:
    simulated.limit_route("POST", MESSAGES, 5, 2.0)
    discord = client(simulated)
    await discord.post_message(CHANNEL, {"content": "first"}, nonce="first")
    posts = [discord.post_message(CHANNEL, {"content": "x"}, nonce=str(n)) for n in range(20)]
    await asyncio.gather(*posts)
    assert len(simulated.messages) == 21
    assert {status for _, _, status in simulated.calls} == {200}


async def test_a_limit_without_headers_raises_rate_limited(simulated: SimulatedDiscord) -> None:
    simulated.limit_route("PATCH", "/channels/{channel_id}", 2, 600.0, hidden=True)
    discord = client(simulated)
    thread_id = await create_thread(discord)
    for name in ("one", "two"):
        await discord.change_thread(thread_id, name=name)
    assert (await failure(RateLimited, discord.change_thread(thread_id, name="three"))).retry_after > 500


async def test_all_pages_of_archived_threads_can_be_read(simulated: SimulatedDiscord) -> None:
    simulated.people.add_archived_threads(CHANNEL, 250, newest=START)
    discord, seen = client(simulated), set[str]()
    before: datetime | None = None
    while True:
        page = await discord.archived_threads(CHANNEL, before=before)
        seen |= {thread.id for thread in page.threads}
        if not page.has_more:
            break
        before = page.threads[-1].archive_time
    assert len(seen) == 250


async def test_a_deferred_answer_is_edited(simulated: SimulatedDiscord) -> None:
    simulated.begin_interaction(INTERACTION_TOKEN, "5", APPLICATION, START.astimezone(UTC), channel_id=CHANNEL)
    discord = client(simulated)
    editing = asyncio.ensure_future(
        discord.edit_original(INTERACTION_TOKEN, {"content": "done"}, unknown_until=START + timedelta(seconds=9))
    )
    await asyncio.sleep(0.1)
    assert simulated.answer_interaction(INTERACTION_TOKEN, {"type": 5, "data": {"flags": 64}}, START)
    await editing
    answer = simulated.original_response(INTERACTION_TOKEN)
    assert answer is not None
    assert answer["content"] == "done"
