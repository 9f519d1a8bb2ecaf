"""Guild items: which guilds are due, and what the two indices return."""

from datetime import timedelta

from handler.runtime.clock import iso
from tests.kit.shelf import CHANNEL, GUILD, KEY, LATER, Shelf, shelved
from tests.kit.virtual_time import START

OTHER = "2"


@shelved
async def test_a_guild_in_use_is_registered_once(shelf: Shelf) -> None:
    await shelf.store.guilds.make_due(GUILD, now=START)
    known = shelf.wire.items()
    await shelf.store.guilds.make_due(GUILD, now=LATER)

    assert shelf.wire.items() == known
    assert (known[0]["pk"], known[0]["sk"], known[0]["guild_id"]) == (f"GUILD#{GUILD}", "GUILD", GUILD)
    assert await shelf.store.guilds.due(START) == [GUILD]


@shelved
async def test_a_parked_guild_is_due_after_its_pause_or_when_it_is_used(shelf: Shelf) -> None:
    for guild_id in (GUILD, OTHER):
        await shelf.store.guilds.make_due(guild_id, now=START)
        guild = (await shelf.store.guilds.watched(guild_id)).guild
        await shelf.store.guilds.update(guild, {"parked": 3, "due_at": iso(START + timedelta(hours=4))})
    assert await shelf.store.guilds.due(START) == []
    assert await shelf.store.guilds.due(START + timedelta(hours=4)) == [GUILD, OTHER]
    await shelf.store.guilds.make_due(OTHER, now=START)

    assert await shelf.store.guilds.due(START) == [OTHER]
    assert (await shelf.store.guilds.watched(OTHER)).guild.parked == 0
    assert (await shelf.store.guilds.watched(GUILD)).guild.parked == 3


@shelved
async def test_use_registers_a_guild_whose_item_was_lost_or_has_no_due_time(shelf: Shelf) -> None:
    shelf.put_item({"pk": f"GUILD#{GUILD}", "sk": "GUILD", "guild_id": GUILD, "audit_watermark": "7"})
    assert await shelf.store.guilds.due(LATER) == []
    await shelf.store.guilds.make_due(GUILD, now=START)

    assert await shelf.store.guilds.due(START) == [GUILD]
    assert (await shelf.store.guilds.watched(GUILD)).guild.audit_watermark == "7"


@shelved
async def test_an_update_of_a_guild_without_an_item_writes_nothing(shelf: Shelf) -> None:
    guild = (await shelf.store.guilds.watched(GUILD)).guild
    await shelf.store.guilds.update(guild, {"audit_watermark": "7"})
    assert shelf.wire.items() == []


@shelved
async def test_a_guilds_own_item_its_active_sessions_and_its_namesakes_are_watched(shelf: Shelf) -> None:
    await shelf.store.guilds.make_due(GUILD, now=START)
    session = await shelf.open(key=KEY)
    await shelf.store.namesakes.add(CHANNEL, KEY, "5", guild_id=GUILD, active=True)
    await shelf.store.namesakes.add(CHANNEL, KEY, "6", guild_id=OTHER, active=True)
    watched = await shelf.store.guilds.watched(GUILD)

    assert (watched.guild.guild_id, watched.sessions) == (GUILD, (session,))
    assert [(n.parent_channel_id, n.session_key, n.thread_id) for n in watched.namesakes] == [(CHANNEL, KEY, "5")]


@shelved
async def test_the_archived_sessions_that_wait_longest_are_due_first(shelf: Shelf) -> None:
    for hours, key in ((3, "c"), (1, "a"), (2, "b")):
        session = await shelf.open(f"70{hours}", key)
        at = iso(START + timedelta(hours=hours))
        await shelf.store.sessions.update(session, {"archived": True, "archived_at": at})

    assert [s.session_key for s in await shelf.store.guilds.due_sessions(GUILD, 2)] == ["a", "b"]
    assert (await shelf.store.guilds.watched(GUILD)).sessions == ()
