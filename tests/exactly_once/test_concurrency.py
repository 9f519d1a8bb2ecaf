"""Many at once: one name has one thread, and every answer links it."""

import asyncio

import pytest

from handler.sessions.model import Opened, Outcome
from tests.kit.stage import Stage, staged
from tests.kit.table_view import NAME

PROCESSES = 4
EACH = 50


async def opened_everywhere(stage: Stage) -> list[Opened]:
    """The answers to as many opens of one name in each of several environments, all at once."""
    processes = [stage.process() for _ in range(PROCESSES)]
    return await asyncio.gather(*(stage.open(process=process, user=None) for process in processes for _ in range(EACH)))


@pytest.mark.parametrize("memory", [False, True], ids=["moto", "memory"])
@pytest.mark.parametrize("latency", [0.0, 0.05, 0.4], ids="{} s to Discord".format)
def test_200_opens_of_one_new_name_over_four_environments_end_with_one_thread(latency: float, memory: bool) -> None:
    @staged(latency=latency, memory=memory)
    async def play(stage: Stage) -> None:
        opened = await opened_everywhere(stage)

        (thread,) = stage.living_threads()
        assert [answer.thread_id for answer in opened] == [thread.id] * PROCESSES * EACH
        assert [message.id for message in stage.source_messages()] == [thread.id]
        assert [answer.outcome for answer in opened].count(Outcome.CREATED) == 1

    play()


@staged(memory=True, latency=0.05, imported=False)
async def test_200_opens_in_a_channel_that_nobody_knows_yet_end_with_one_thread(stage: Stage) -> None:
    opened = await opened_everywhere(stage)

    (thread,) = stage.living_threads()
    assert {answer.thread_id for answer in opened} == {thread.id}
    assert [message.id for message in stage.source_messages()] == [thread.id]


@staged(memory=True, latency=0.05)
async def test_200_opens_of_a_deleted_threads_name_end_with_one_thread(stage: Stage) -> None:
    stage.discord.people.delete_thread((await stage.open()).thread_id, now=stage.now)
    opened = await opened_everywhere(stage)

    (thread,) = stage.living_threads()
    assert {answer.thread_id for answer in opened} == {thread.id}
    assert [message.id for message in stage.source_messages()] == [thread.id]


@staged(memory=True, latency=0.05)
async def test_200_opens_of_a_name_that_persons_threads_bear_adopt_the_same_one(stage: Stage) -> None:
    for _ in range(3):
        stage.person_makes(f"Session {NAME}")
    opened = await opened_everywhere(stage)

    assert len({answer.thread_id for answer in opened}) == 1
    assert len(stage.living_threads()) == 3
    assert stage.source_messages() == []


@staged(memory=True, latency=0.05)
async def test_50_different_names_at_once_get_50_threads(stage: Stage) -> None:
    processes = [stage.process() for _ in range(PROCESSES)]
    names = [f"run {number}" for number in range(50)]
    opened = await asyncio.gather(
        *(stage.open(name, process=processes[nth % PROCESSES], user=None) for nth, name in enumerate(names))
    )

    assert len({answer.thread_id for answer in opened}) == len(stage.discord.threads) == len(names)
    assert sorted(thread.name for thread in stage.discord.threads.values()) == sorted(f"Session {n}" for n in names)
    assert len(stage.source_messages()) == len(names)
