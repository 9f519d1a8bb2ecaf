"""Reads of a table whose eventually consistent reads lag, whose queries answer one item a page, and whose batches one key."""

from datetime import timedelta

import pytest

from handler.errors import StoreUnavailable
from handler.runtime.clock import iso
from handler.store.items import ChannelItem
from infra.virtual_time import START
from tests.kit.guild import Guild
from tests.kit.stored_sessions import StoredSessions
from tests.kit.table_view import CHANNEL, GUILD

KEYS = ("a", "b", "c")
THREADS = ("701", "702", "703")
GUILDS = (GUILD, "2", "3")

pytestmark = pytest.mark.guild(table="client", reads={"pages_of": 1, "batches_of": 1})


async def test_a_session_and_a_channel_are_read_as_they_were_written_just_now(stored: StoredSessions) -> None:
    channel = ChannelItem(channel_id=CHANNEL, guild_id=GUILD, kind=0)
    await stored.store.channels.register(channel)
    session = await stored.open()
    assert await stored.store.sessions.get(CHANNEL, session.session_key) == session
    assert await stored.store.channels.get(CHANNEL) == channel


async def test_many_sessions_and_pointers_are_all_read_as_they_were_written_just_now(stored: StoredSessions) -> None:
    opened = [await stored.open(thread_id, key) for thread_id, key in zip(THREADS, KEYS, strict=True)]
    sessions = await stored.store.sessions.get_many((CHANNEL, key) for key in (*KEYS, "none"))
    assert sessions == {session.pair: session for session in opened}
    pointers = await stored.store.pointers.get_many(THREADS)
    assert {thread_id: pointer.session_key for thread_id, pointer in pointers.items()} == dict(
        zip(THREADS, KEYS, strict=True)
    )


async def test_all_namesakes_are_read_as_they_were_written_just_now(stored: StoredSessions) -> None:
    namesakes = stored.store.namesakes
    for thread_id in THREADS:
        await namesakes.add(CHANNEL, "a", thread_id, guild_id=GUILD, active=True)
    assert [n.thread_id for n in await namesakes.of_session(CHANNEL, "a")] == [*THREADS]
    assert await namesakes.of_channel(CHANNEL) == {"a": [*THREADS]}
    pairs = [("a", thread_id) for thread_id in (*THREADS, "704")]
    assert await namesakes.are_watched(CHANNEL, pairs) == {("a", thread_id): True for thread_id in THREADS}


async def test_a_batch_that_is_never_processed_is_an_outage_and_not_an_absent_item(
    guild: Guild, stored: StoredSessions
) -> None:
    await stored.open()
    guild.memory.batches_of = 0
    with pytest.raises(StoreUnavailable):
        await stored.store.sessions.get_many([(CHANNEL, "1a06a43")])


async def test_all_due_guilds_are_read(stored: StoredSessions) -> None:
    for guild_id in GUILDS:
        await stored.store.guilds.make_due(guild_id, now=START)
    assert await stored.store.guilds.due(START) == [*GUILDS]


async def test_all_that_is_watched_in_a_guild_is_read(stored: StoredSessions) -> None:
    await stored.store.guilds.make_due(GUILD, now=START)
    sessions = [await stored.open(thread_id, key) for thread_id, key in zip(THREADS, KEYS, strict=True)]
    for thread_id in ("704", "705"):
        await stored.store.namesakes.add(CHANNEL, "a", thread_id, guild_id=GUILD, active=True)
    watched = await stored.store.guilds.watched(GUILD)
    assert [*watched.sessions] == sessions
    assert [namesake.thread_id for namesake in watched.namesakes] == ["704", "705"]
    assert watched.guild.guild_id == GUILD


async def test_as_many_archived_sessions_are_due_as_are_asked_for(stored: StoredSessions) -> None:
    for hours, (thread_id, key) in enumerate(zip(THREADS, KEYS, strict=True)):
        session, at = await stored.open(thread_id, key), iso(START + timedelta(hours=hours))
        await stored.store.sessions.update(session, {"archived": True, "archived_at": at})
    for limit in (1, 2, 3, 4):
        due, _ = await stored.store.guilds.due_sessions(GUILD, limit)
        assert [session.session_key for session in due] == [*KEYS[:limit]]
