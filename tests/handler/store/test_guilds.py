"""Guild items: which guilds are due, and what the two indices return."""

from datetime import timedelta

from handler.runtime.clock import iso
from infra.virtual_time import START
from tests.kit.stored_sessions import KEY, LATER, StoredSessions
from tests.kit.table_view import CHANNEL, GUILD

OTHER = "2"


async def test_a_guild_in_use_is_registered_once(stored: StoredSessions) -> None:
    await stored.store.guilds.make_due(GUILD, now=START)
    known = stored.table.items()
    await stored.store.guilds.make_due(GUILD, now=LATER)

    assert stored.table.items() == known
    assert (known[0]["pk"], known[0]["sk"], known[0]["guild_id"]) == (f"GUILD#{GUILD}", "GUILD", GUILD)
    assert await stored.store.guilds.due(START) == [GUILD]


async def test_a_parked_guild_is_due_after_its_pause_or_when_it_is_used(stored: StoredSessions) -> None:
    for guild_id in (GUILD, OTHER):
        await stored.store.guilds.make_due(guild_id, now=START)
        guild = (await stored.store.guilds.watched(guild_id)).guild
        await stored.store.guilds.update(guild, {"parked": 3, "due_at": iso(START + timedelta(hours=4))})
    assert await stored.store.guilds.due(START) == []
    assert await stored.store.guilds.due(START + timedelta(hours=4)) == [GUILD, OTHER]
    await stored.store.guilds.make_due(OTHER, now=START)

    assert await stored.store.guilds.due(START) == [OTHER]
    assert (await stored.store.guilds.watched(OTHER)).guild.parked == 0
    assert (await stored.store.guilds.watched(GUILD)).guild.parked == 3


async def test_use_registers_a_guild_whose_item_was_lost_or_has_no_due_time(stored: StoredSessions) -> None:
    stored.table.put({"pk": f"GUILD#{GUILD}", "sk": "GUILD", "guild_id": GUILD, "audit_watermark": "7"})
    assert await stored.store.guilds.due(LATER) == []
    await stored.store.guilds.make_due(GUILD, now=START)

    assert await stored.store.guilds.due(START) == [GUILD]
    assert (await stored.store.guilds.watched(GUILD)).guild.audit_watermark == "7"


async def test_an_update_of_a_guild_without_an_item_writes_nothing(stored: StoredSessions) -> None:
    guild = (await stored.store.guilds.watched(GUILD)).guild
    await stored.store.guilds.update(guild, {"audit_watermark": "7"})
    assert stored.table.items() == []


async def test_a_guilds_own_item_its_active_sessions_and_its_namesakes_are_watched(stored: StoredSessions) -> None:
    await stored.store.guilds.make_due(GUILD, now=START)
    session = await stored.open(key=KEY)
    await stored.store.namesakes.add(CHANNEL, KEY, "5", guild_id=GUILD, active=True)
    await stored.store.namesakes.add(CHANNEL, KEY, "6", guild_id=OTHER, active=True)
    watched = await stored.store.guilds.watched(GUILD)

    assert (watched.guild.guild_id, watched.sessions) == (GUILD, (session,))
    assert [(n.parent_channel_id, n.session_key, n.thread_id) for n in watched.namesakes] == [(CHANNEL, KEY, "5")]


async def test_the_archived_sessions_that_wait_longest_are_due_first(stored: StoredSessions) -> None:
    for hours, key in ((3, "c"), (1, "a"), (2, "b")):
        session = await stored.open(f"70{hours}", key)
        at = iso(START + timedelta(hours=hours))
        await stored.store.sessions.update(session, {"archived": True, "archived_at": at})

    sessions, unreadable = await stored.store.guilds.due_sessions(GUILD, 2)
    assert ([s.session_key for s in sessions], unreadable) == (["a", "b"], ())
    assert (await stored.store.guilds.watched(GUILD)).sessions == ()
