"""Something on the server deletes what the bot posts, such as another bot."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, NAME

MAX_MESSAGES_LOST = 3
POST = "POST /channels/{channel_id}/messages"


def clean(guild: Guild, times: int) -> None:
    """Delete each source message before its thread can be started, `times` in all."""
    left = [None] * times

    async def delete_the_new_ones() -> None:
        for message in guild.source_messages():
            if left and message.id not in guild.discord.threads:
                left.pop()
                guild.people.delete_message(CHANNEL, message.id)

    guild.after_call, guild.after_every_call = delete_the_new_ones, True


async def test_a_source_message_that_is_deleted_before_its_thread_is_started_is_posted_again(guild: Guild) -> None:
    clean(guild, times=MAX_MESSAGES_LOST - 1)

    assert (await guild.open()).outcome is Outcome.CREATED
    assert len(guild.living_threads()) == len(guild.source_messages()) == 1


async def test_an_opener_whose_messages_are_always_deleted_stops_posting_and_says_why(guild: Guild) -> None:
    clean(guild, times=1000)

    error = await guild.refused()
    assert (error.kind, error.retryable) == ("refused_by_automod", False)
    assert "deleted at once" in error.message
    assert guild.calls.count(POST) == MAX_MESSAGES_LOST
    guild.calls.forget()
    begun = guild.now
    await guild.refused()
    assert guild.now == begun  # the claim was released: the next opener does not wait for its lease


async def test_the_user_reads_why_at_once_and_no_job_tries_again(deployment: Deployment) -> None:
    clean(deployment, times=1000)
    asked = await deployment.ask()

    assert asked.kind == 4
    assert "Ask a moderator to let my messages stay" in deployment.shown(asked)
    assert not deployment.queue.waiting
    item = deployment.table.item()
    assert (item["status"], deployment.source_messages(), deployment.living_threads()) == ("vacant", [], [])


@pytest.mark.guild(latency=0.4)
async def test_the_worker_tells_it_too_and_lets_the_job_go(deployment: Deployment) -> None:
    clean(deployment, times=1000)
    asked = await deployment.ask()
    assert asked.kind == 5

    assert await deployment.work() == 1
    assert "Ask a moderator to let my messages stay" in deployment.shown(asked)
    assert deployment.calls.count(POST) <= 2 * MAX_MESSAGES_LOST


async def test_generations_that_others_end_are_not_taken_for_deleted_messages(guild: Guild) -> None:
    """The explorer found one that a moderator ended, one that a reconciler with an old list did, and the opener's own."""
    left = [None] * MAX_MESSAGES_LOST

    async def end_the_generation() -> None:
        if left and len(guild.source_messages()) == 1 and "source_message_id" not in guild.table.item():
            guild.after_call = None
            session = await guild.store.sessions.get(CHANNEL, NAME)
            assert session is not None
            if (await guild.store.claims.raise_generation(session, owner="another", now=guild.now)).won:
                left.pop()
            guild.after_call = end_the_generation

    guild.after_call, guild.after_every_call = end_the_generation, True
    assert (await guild.open()).outcome is Outcome.CREATED
    assert not left
    assert guild.table.item()["generation"] == 1 + MAX_MESSAGES_LOST
    assert len(guild.living_threads()) == len(guild.source_messages()) == 1
