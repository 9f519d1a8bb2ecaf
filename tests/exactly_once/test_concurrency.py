"""Many at once: one name has one thread, and every answer links it."""

import asyncio

import pytest

from handler.sessions.model import Opened, Outcome
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="client", latency=0.05)

PROCESSES = 4
EACH = 50
EACH_ON_MOTO = 5  # a call of moto takes as long as twenty of the table in memory


async def opened_everywhere(guild: Guild, each: int = EACH) -> list[Opened]:
    """The answers to as many opens of one name in each of several environments, all at once."""
    processes = [guild.opener() for _ in range(PROCESSES)]
    return await asyncio.gather(*(guild.open(process=process, user=None) for process in processes for _ in range(each)))


@pytest.mark.parametrize("guild", [{"latency": latency} for latency in (0.0, 0.05, 0.4)], ids=str, indirect=True)
async def test_200_opens_of_one_new_name_over_four_environments_end_with_one_thread(guild: Guild) -> None:
    check_one_thread(guild, await opened_everywhere(guild), PROCESSES * EACH)


@pytest.mark.guild(table="moto")
async def test_20_opens_of_one_new_name_end_with_one_thread_with_boto3_and_httpx_too(guild: Guild) -> None:
    check_one_thread(guild, await opened_everywhere(guild, EACH_ON_MOTO), PROCESSES * EACH_ON_MOTO)


def check_one_thread(guild: Guild, opened: list[Opened], number: int) -> None:
    (thread,) = guild.living_threads()
    assert [answer.thread_id for answer in opened] == [thread.id] * number
    assert [message.id for message in guild.source_messages()] == [thread.id]
    assert [answer.outcome for answer in opened].count(Outcome.CREATED) == 1


@pytest.mark.guild(imported=False)
async def test_200_opens_in_a_channel_that_nobody_knows_yet_end_with_one_thread(guild: Guild) -> None:
    opened = await opened_everywhere(guild)

    (thread,) = guild.living_threads()
    assert {answer.thread_id for answer in opened} == {thread.id}
    assert [message.id for message in guild.source_messages()] == [thread.id]


async def test_200_opens_of_a_deleted_threads_name_end_with_one_thread(guild: Guild) -> None:
    guild.people.delete_thread((await guild.open()).thread_id)
    opened = await opened_everywhere(guild)

    (thread,) = guild.living_threads()
    assert {answer.thread_id for answer in opened} == {thread.id}
    assert [message.id for message in guild.source_messages()] == [thread.id]


async def test_200_opens_of_a_name_that_persons_threads_bear_adopt_the_same_one(guild: Guild) -> None:
    for _ in range(3):
        guild.people.create_thread(CHANNEL, f"Session {NAME}")
    opened = await opened_everywhere(guild)

    assert len({answer.thread_id for answer in opened}) == 1
    assert len(guild.living_threads()) == 3
    assert guild.source_messages() == []


async def test_50_different_names_at_once_get_50_threads(guild: Guild) -> None:
    processes = [guild.opener() for _ in range(PROCESSES)]
    names = [f"run {number}" for number in range(50)]
    opened = await asyncio.gather(
        *(guild.open(name, process=processes[nth % PROCESSES], user=None) for nth, name in enumerate(names))
    )

    assert len({answer.thread_id for answer in opened}) == len(guild.discord.threads) == len(names)
    assert sorted(thread.name for thread in guild.discord.threads.values()) == sorted(f"Session {n}" for n in names)
    assert len(guild.source_messages()) == len(names)
