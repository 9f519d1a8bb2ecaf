"""Sessions on record, in order of their last activity, for tests of what lists them."""

from datetime import timedelta
from typing import Any

from handler.runtime.clock import iso
from handler.store.listing import listing
from infra.virtual_time import START
from tests.kit.guild import Guild
from tests.kit.samples import snowflake
from tests.kit.table_view import CHANNEL, GUILD, NAMES, Item


def session_item(name: str, minutes_ago: float, **more: Any) -> Item:
    """The item of a session whose thread, which is active, was started and last used so long ago."""
    at = START - timedelta(minutes=minutes_ago)
    thread_id, key, seen = snowflake(at), NAMES.key(name), {"last_activity_at": iso(at)}
    item = {
        "pk": f"CHANNEL#{CHANNEL}",
        "sk": f"SESSION#{key}",
        "session_key": key,
        "session_name": name,
        "parent_channel_id": CHANNEL,
        "guild_id": GUILD,
        "status": "open",
        "generation": 1,
        "discord_thread_id": thread_id,
        "archived": False,
        "locked": False,
        "created_by": "77",
        **seen,
        **listing(CHANNEL, thread_id, seen),
        **more,
    }
    return {name: value for name, value in item.items() if value is not None}


def put(guild: Guild, name: str, minutes_ago: float, **more: Any) -> str:
    """Write such a session down; its thread's id."""
    item = session_item(name, minutes_ago, **more)
    guild.table.put(item)
    return str(item.get("discord_thread_id"))


def put_private(guild: Guild, name: str, minutes_ago: float, *, creator: str, **more: Any) -> str:
    """Write a private session of that user down; its thread's id."""
    keys = {"sk": f"PRIVATE#{NAMES.key(name)}#{creator}", "listed_in": f"{CHANNEL}#private"}
    whose = {"private": True, "creator_id": creator, "created_by": creator}
    return put(guild, name, minutes_ago, **{**keys, **whose, **more})


def put_many(guild: Guild, count: int, **more: Any) -> list[str]:
    """So many sessions, the first of them the one that was active last; their names."""
    names = [f"s{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        put(guild, name, number + 1, **more)
    return names
