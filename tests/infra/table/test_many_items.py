"""With 20 000 items on record, what people do takes no longer: nothing goes through the whole table."""

import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from infra.table.memory_table import MemoryTable
from infra.table.schema import orders
from infra.table.sorted_places import SortedPlaces
from tests.kit.guild import Guild

SESSIONS: Final = 10_000  # with a pointer each: 20 000 items
# Of an open, a reuse and a run of the reconciler together: ten times what they take, for a processor may be slow.
MAX_CPU_SECONDS: Final = 0.5


class NeverWalked(dict[Any, Any]):
    """Finds a row by its key, and in no other way."""

    def _refuse(self) -> NoReturn:
        raise AssertionError("somebody goes through the whole table")

    __iter__ = keys = values = items = _refuse


async def test_an_open_a_reuse_and_a_run_take_no_longer_with_20_000_items(guild: Guild) -> None:
    memory = guild.memory
    memory._rows = MemoryTable(memory.name, await sessions(guild))._rows
    memory._sorted = {index: SortedPlaces(order, memory.items()) for index, order in orders().items()}
    memory._rows = NeverWalked(memory._rows)
    began = time.process_time()

    opened = await guild.open("new")
    assert (await guild.open("new")).thread_id == opened.thread_id
    await guild.reconcile()

    assert time.process_time() - began < MAX_CPU_SECONDS


async def sessions(guild: Guild) -> Iterator[dict[str, Any]]:
    """Items and pointers of sessions, all like one whose thread was archived, under other names."""
    guild.people.archive((await guild.open("old")).thread_id)
    await guild.reconcile()
    session, pointer = guild.table.item("old"), guild.table.pointer(guild.table.item("old")["discord_thread_id"])
    return (item for number in range(SESSIONS) for item in _copies(session, pointer, number))


def _copies(session: dict[str, Any], pointer: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    thread, key = str(10**17 + number), f"old-{number}"
    yield {**session, "sk": f"SESSION#{key}", "session_key": key, "discord_thread_id": thread}
    yield {**pointer, "pk": f"THREAD#{thread}", "session_key": key}
