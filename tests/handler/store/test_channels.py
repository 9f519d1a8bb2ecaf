"""Channel items, namesakes and pointers; keys of any session name."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from handler.runtime.clock import iso
from handler.store.items import ChannelItem, Pointer
from infra.virtual_time import START
from tests.kit.stored_sessions import KEY, LATER, StoredSessions
from tests.kit.table_view import CHANNEL, GUILD


@pytest.mark.parametrize("key", ["a#b", "#", "b#123", "straße 🧵", "日本語", "x" * 92])
async def test_a_session_of_any_name_is_stored_and_found(stored: StoredSessions, key: str) -> None:
    session = await stored.open(key=key)

    assert await stored.store.sessions.get(CHANNEL, key) == session
    assert await stored.store.sessions.get_many([(CHANNEL, key), (CHANNEL, "another")]) == {(CHANNEL, key): session}


async def test_namesakes_of_keys_with_a_common_prefix_are_not_confused(stored: StoredSessions) -> None:
    for key, thread_id in (("a", "1"), ("a#2", "3"), ("a#", "4"), ("ab", "5"), ("a", "6")):
        await stored.store.namesakes.add(CHANNEL, key, thread_id, guild_id=GUILD, active=True)

    async def namesakes(key: str) -> list[str]:
        return [namesake.thread_id for namesake in await stored.store.namesakes.of_session(CHANNEL, key)]

    assert await namesakes("a") == ["1", "6"]
    assert await namesakes("a#2") == ["3"]
    assert await namesakes("a#") == ["4"]
    assert await namesakes("b") == []


async def test_an_active_namesake_is_watched_and_can_be_removed(stored: StoredSessions) -> None:
    await stored.store.namesakes.add(CHANNEL, KEY, "1", guild_id=GUILD, active=True)
    await stored.store.namesakes.add(CHANNEL, KEY, "2", guild_id=GUILD, active=False)
    assert [item.get("watch_guild_id") for item in stored.table.items()] == [GUILD, None]
    assert await stored.store.namesakes.are_watched(CHANNEL, [(KEY, "1"), (KEY, "3")]) == {(KEY, "1"): True}
    await stored.store.namesakes.remove(CHANNEL, KEY, "1")

    assert [namesake.thread_id for namesake in await stored.store.namesakes.of_session(CHANNEL, KEY)] == ["2"]


async def test_more_pointers_than_fit_in_one_batch_are_all_read(stored: StoredSessions) -> None:
    for number in range(1, 106):
        stored.table.put({"pk": f"THREAD#{number}", "sk": "THREAD", "merged_into": "1"})
    pointers = await stored.store.pointers.get_many(str(number) for number in range(1, 111))

    assert sorted(map(int, pointers)) == list(range(1, 106))
    assert pointers["7"] == Pointer(thread_id="7", merged_into="1")
    assert stored.wire.sent["BatchGetItem"] == 2


async def test_reads_of_a_session_are_consistent(stored: StoredSessions) -> None:
    await stored.store.sessions.get(CHANNEL, KEY)
    await stored.store.sessions.get_many([(CHANNEL, KEY)])
    await stored.store.namesakes.of_session(CHANNEL, KEY)
    await stored.store.channels.get(CHANNEL)

    for operation, parameters in stored.wire.requests:
        asked = parameters["RequestItems"][stored.wire.table] if operation == "BatchGetItem" else parameters
        assert asked["ConsistentRead"], operation


def channel(**more: Any) -> ChannelItem:
    return ChannelItem(channel_id=CHANNEL, guild_id=GUILD, kind=0, **more)


async def test_a_channel_is_registered_once(stored: StoredSessions) -> None:
    await stored.store.channels.register(channel())
    await stored.store.channels.register(msgspec.structs.replace(channel(), kind=5))

    assert await stored.store.channels.get(CHANNEL) == channel()


async def test_an_import_advances_only_from_where_it_was_read_and_ends_once(stored: StoredSessions) -> None:
    begin = channel()
    await stored.store.channels.register(begin)
    first = channel(import_started_at=iso(START), import_before=iso(START), import_pages=1, import_threads=100)
    assert await stored.store.channels.advance_import(begin, first)
    assert not await stored.store.channels.advance_import(begin, first)
    assert await stored.store.channels.get(CHANNEL) == first
    ended = msgspec.structs.replace(first, imported_at=iso(START), import_pages=2)

    assert await stored.store.channels.advance_import(first, ended)
    assert not await stored.store.channels.advance_import(first, ended)
    item = next(item for item in stored.table.items() if item["sk"] == "CHANNEL")
    assert (item["imported_at"], item["import_pages"]) == (iso(START), 2)
    assert not {"import_started_at", "import_before"} & item.keys()


async def test_the_watermark_only_advances_and_only_from_the_value_that_was_read(stored: StoredSessions) -> None:
    read = channel(imported_at=iso(START))
    await stored.store.channels.register(channel())
    await stored.store.channels.advance_import(channel(), read)

    async def watermark_after(known: ChannelItem, to: str) -> str | None:
        await stored.store.channels.advance_watermark(known, to)
        found = await stored.store.channels.get(CHANNEL)
        assert found is not None
        return found.imported_at

    assert await watermark_after(read, iso(START - timedelta(seconds=1))) == iso(START)
    assert await watermark_after(read, iso(LATER)) == iso(LATER)
    assert await watermark_after(read, iso(LATER + timedelta(seconds=1))) == iso(LATER)
