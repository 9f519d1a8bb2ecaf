"""What is on record of servers, as programs of an operator ask for it: by the table's indices."""

from typing import Any, Final

from handler.store.guilds import DUE_INDEX, KNOWN_GUILDS, WATCH_INDEX
from handler.store.table import Table

_CHANNEL: Final = "CHANNEL#"


async def known_guilds(table: Table) -> list[dict[str, Any]]:
    """The items of all guilds on record, those that are due first."""
    return await table.query_index(DUE_INDEX, ("due_in", KNOWN_GUILDS))


async def channels_in_use(table: Table, guild_id: str) -> list[str]:
    """The ids of the guild's channels in which a session has a thread or is about to get one, or that do not answer."""
    watched = await table.query_index(WATCH_INDEX, ("watch_guild_id", guild_id))
    archived = await table.query_index(DUE_INDEX, ("due_in", guild_id))
    found = {item["pk"].removeprefix(_CHANNEL) for item in (*watched, *archived) if item["pk"].startswith(_CHANNEL)}
    return sorted(found, key=lambda channel_id: (len(channel_id), channel_id))
