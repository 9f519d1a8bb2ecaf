"""What is on record of a server: two readings of the table. The first finds its channels, the second all their items.

A merged thread's pointer names only the thread that is kept: it belongs to the server if that thread does.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from handler.store.table import Table
from infra.deployment.walk import Walk, kind_of

_POINTER = "THREAD#"


async def find(walk: Walk, guild_id: str) -> Counter[str]:
    """How many items of each kind there are. The walk's progress has their keys afterwards."""
    progress = walk.progress
    async for page in walk.pages(0):
        known = set(progress.of("channels"))
        new = {_channel(item) for item in page if guild_id in (item.get("guild_id"), item.get("watch_guild_id"))}
        progress.add("channels", *sorted(new - known - {""}))
    channels = frozenset(progress.of("channels"))
    async for page in walk.pages(1):
        for item in page:
            _sort(walk, item, guild_id, channels)
    return _count(progress.found)


async def remove(walk: Walk, table: Table) -> None:
    """Remove what was found. What leads to other items goes after them, so that a run that was stopped can be repeated."""
    items = sorted(walk.progress.of("items"), key=lambda key: key.endswith(("\nCHANNEL", "\nGUILD")))
    order = [*merged(walk.progress.found), *walk.progress.of("pointers"), *items]
    for key in order:
        pk, _, sk = key.partition("\n")
        await table.delete({"pk": pk, "sk": sk})


def merged(found: Mapping[str, list[str]]) -> list[str]:
    """The keys of the pointers of threads that were merged into one of the server's, the last merged into first."""
    threads = {key.partition("\n")[0].removeprefix(_POINTER) for key in found.get("pointers", ())}
    pairs = [pair.split("\n") for pair in found.get("merged", ())]
    keys: list[str] = []
    while True:
        more = [thread for thread, kept in pairs if kept in threads and thread not in threads]
        if not more:
            return keys[::-1]
        threads.update(more)
        keys += [f"{_POINTER}{thread}\nTHREAD" for thread in more]


def _sort(walk: Walk, item: Mapping[str, Any], guild_id: str, channels: frozenset[str]) -> None:
    progress, key = walk.progress, f"{item['pk']}\n{item['sk']}"
    if item["pk"].startswith(_POINTER):
        if item.get("parent_channel_id") in channels:
            progress.add("pointers", key)
        elif "merged_into" in item:
            progress.add("merged", f"{item['pk'].removeprefix(_POINTER)}\n{item['merged_into']}")
    elif item["pk"] == f"GUILD#{guild_id}" or _channel(item) in channels:
        progress.add("items", key)


def _channel(item: Mapping[str, Any]) -> str:
    return str(item["pk"]).removeprefix("CHANNEL#") if item["pk"].startswith("CHANNEL#") else ""


def _count(found: Mapping[str, list[str]]) -> Counter[str]:
    keys = [*found.get("items", ()), *found.get("pointers", ()), *merged(found)]
    return Counter(kind_of({"sk": key.partition("\n")[2]}) for key in keys)
