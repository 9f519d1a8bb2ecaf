"""*Open session here*: a person's message as the source message, whoever dies or sleeps in between."""

from functools import cache

import pytest

from handler.errors import InvalidRequest
from handler.sessions.model import Opened, Outcome
from handler.sessions.threads.generation import commit
from tests.exactly_once.acts import SAID
from tests.kit.guild import BOT, MODERATOR, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

LEASE_OVER_SECONDS = 16.0


def said(guild: Guild) -> str:
    return guild.people.post_message(CHANNEL, SAID, by=MODERATOR)


@cache
def calls() -> tuple[Call, ...]:
    """The remote calls of such an open when nothing goes wrong."""

    async def play(guild: Guild) -> tuple[Call, ...]:
        opened = await guild.open(message_id=said(guild))
        assert opened.outcome is Outcome.CREATED
        return tuple(guild.calls)

    with Guild() as guild:
        return guild.run(play(guild))


def check(guild: Guild, opened: Opened, message: str) -> None:
    """The session has one thread, and the person's message stays."""
    (thread,) = guild.living_threads(opened.session.session_name)
    assert opened.thread_id == thread.id
    assert message in guild.discord.messages
    item = guild.table.item(opened.session.session_key)
    assert (item["status"], item["discord_thread_id"]) == ("open", thread.id)
    assert guild.table.pointer(thread.id)["session_key"] == opened.session.session_key


@pytest.mark.parametrize("call", calls(), ids=str)
@pytest.mark.parametrize("then", ["the same request", "another one's open", "the reconciler"])
def test_after_a_death_the_session_has_one_thread(call: Call, then: str) -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        guild.calls.dies_after = call
        await guild.death(guild.open(message_id=message, owner="who dies"))
        if then == "the same request":
            opened = await guild.open(message_id=message, owner="who dies")
            assert opened.thread_id == message
        else:
            await guild.wait(LEASE_OVER_SECONDS)
            if then == "the reconciler":
                await guild.reconcile()
            opened = await guild.open()
        check(guild, opened, message)

    with Guild() as guild:
        guild.run(play(guild))


@pytest.mark.parametrize("other", ["another name", "another message", "no message"])
def test_who_sleeps_after_any_call_meets_another_one_and_one_thread_is_made(other: str) -> None:
    async def play(guild: Guild, sleeps_after: int) -> None:
        message, second = said(guild), said(guild)
        how = {"another name": ("b", message), "another message": (NAME, second), "no message": (NAME, None)}[other]
        passed, found = 0, []

        async def meet() -> None:
            nonlocal passed
            passed += 1
            if passed == sleeps_after:
                guild.after_call = None
                found.append(await guild.open(how[0], message_id=how[1]))

        guild.after_every_call, guild.after_call = True, meet
        found.append(await guild.open(message_id=message))
        assert len(found) == 2
        assert len({opened.thread_id for opened in found}) == len(guild.discord.threads) == 1
        check(guild, found[0], message)
        assert second in guild.discord.messages

    for number in range(1, len(calls()) + 1):
        with Guild() as guild:
            guild.run(play(guild, number))


def test_a_thread_that_a_person_starts_from_the_message_meanwhile_is_the_sessions() -> None:
    async def play(guild: Guild, after: int) -> None:
        message, passed = said(guild), 0

        async def start() -> None:
            nonlocal passed
            passed += 1
            if passed == after and message not in guild.discord.threads:
                guild.people.create_thread(CHANNEL, "a person's name", message_id=message)

        guild.after_every_call, guild.after_call = True, start
        opened = await guild.open(message_id=message)
        assert (opened.thread_id, len(guild.discord.threads)) == (message, 1)
        assert guild.table.item()["discord_thread_id"] == message

    for number in range(1, len(calls()) + 1):
        with Guild() as guild:
            guild.run(play(guild, number))


def test_the_session_lives_on_when_the_message_is_deleted_and_ends_when_its_thread_is() -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        await guild.open(message_id=message)
        guild.people.delete_message(CHANNEL, message)
        assert (await guild.open()).outcome is Outcome.REUSED
        await guild.reconcile()
        guild.people.delete_thread(message)
        opened = await guild.open()
        assert (opened.outcome, opened.after_deletion) == (Outcome.CREATED, True)
        assert opened.thread_id != message
        assert "source_is_persons" not in guild.table.item()

    with Guild() as guild:
        guild.run(play(guild))


def test_the_message_stays_when_the_thread_is_deleted_and_serves_no_second_time() -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        await guild.open(message_id=message)
        guild.people.delete_thread(message)
        await guild.reconcile()
        assert guild.table.item()["status"] == "vacant"
        assert isinstance(await guild.refused(message_id=message), InvalidRequest)
        opened = await guild.open()
        assert opened.thread_id != message
        check(guild, opened, message)

    with Guild() as guild:
        guild.run(play(guild))


def test_a_message_of_ours_is_deleted_at_the_end_of_its_generation() -> None:
    async def play(guild: Guild) -> None:
        message = guild.people.post_message(CHANNEL, "a word of ours", by=BOT)
        opened = await guild.open(message_id=message)
        assert opened.thread_id == message
        guild.people.delete_thread(message)
        await guild.open()
        assert message not in guild.discord.messages

    with Guild() as guild:
        guild.run(play(guild))


def test_a_refused_start_leaves_the_message_and_the_session_vacant() -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        error = await guild.refused(message_id=message)
        assert error.kind == "too_many_threads"
        assert message in guild.discord.messages
        assert guild.table.item()["status"] == "vacant"

    with Guild(active_thread_limit=0) as guild:
        guild.run(play(guild))


@pytest.mark.parametrize("is_used", [False, True])
def test_a_start_that_lands_after_the_end_of_its_generation_leaves_a_second_thread_only_if_it_is_used(
    is_used: bool,
) -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        guild.calls.dies_after = Call("dynamodb", "TransactWriteItems")
        await guild.death(guild.open(message_id=message))
        recorded = await guild.store.sessions.get(CHANNEL, NAME)
        assert recorded is not None
        assert recorded.source_is_persons
        await guild.wait(LEASE_OVER_SECONDS)
        await guild.reconcile()
        kept = (await guild.open()).thread_id
        late = await guild.context.discord.start_thread(
            CHANNEL, message, name=f"Session {NAME}", auto_archive_duration=60
        )

        async def write() -> None:
            guild.after_call = None
            guild.people.post_message(message)

        guild.after_every_call, guild.after_call = True, write if is_used else None
        assert not (await commit(guild.context, recorded, late)).won
        guild.after_call = None
        assert {thread.id for thread in guild.living_threads()} == ({kept, message} if is_used else {kept})
        assert (guild.table.namesakes() == [message]) == is_used
        assert message in guild.discord.messages
        assert not any(thread.locked for thread in guild.discord.threads.values())
        assert (await guild.open()).thread_id == kept

    with Guild() as guild:
        guild.run(play(guild))


def test_a_topic_given_later_is_not_written_into_a_persons_message() -> None:
    async def play(guild: Guild) -> None:
        message = said(guild)
        await guild.open(message_id=message)
        guild.calls.forget()
        opened = await guild.open(topic="login bug")
        assert opened.session.topic is None
        assert not [call for call in guild.calls.of("discord") if call.startswith("PATCH")]
        assert guild.discord.messages[message].content == SAID

    with Guild() as guild:
        guild.run(play(guild))
