"""Where the table does not say what Discord says; for a guild that the bot may see all of."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from handler.discord.snowflakes import time_of
from handler.runtime.clock import iso, parse_iso
from infra.simulator.models import Thread
from infra.simulator.permissions import default_permissions_without
from tests.kit.guild import Guild
from tests.kit.table_view import NAMES

MIN_ACTIVITY_STEP: Final = timedelta(hours=1)
WITHOUT_AUDIT_LOG: Final = default_permissions_without("VIEW_AUDIT_LOG")


def mapped_threads(guild: Guild) -> dict[str, str]:
    """The threads on record that live, and for which session."""
    found = {i["discord_thread_id"]: i["sk"] for i in guild.table.of_kind("SESSION#") if "discord_thread_id" in i}
    return {thread: sk for thread, sk in found.items() if thread in guild.discord.threads}


def differences(guild: Guild) -> list[str]:
    items = {(item["pk"], item["sk"]): item for item in guild.table.items()}
    sessions = [item for (_, sk), item in items.items() if sk.startswith("SESSION#")]
    told = [f"{item['sk']}: {fault}" for item in sessions for fault in _faults_of(guild, item, items)]
    placed = {item.get("discord_thread_id") for item in sessions}
    placed |= {sk.rpartition("#")[2] for _, sk in items if sk.startswith("NAMESAKE#")}
    placed |= {pk.removeprefix("THREAD#") for (pk, _), item in items.items() if "merged_into" in item}
    for thread in guild.discord.threads.values():
        if NAMES.session_key_of(thread.name) is not None and not thread.archived and thread.id not in placed:
            told.append(f"nobody knows the active thread {thread.id}, {thread.name!r}")
    return told


def _faults_of(guild: Guild, item: dict[str, Any], items: Mapping[tuple[str, str], dict[str, Any]]) -> list[str]:
    thread = guild.discord.threads.get(item.get("discord_thread_id", ""))
    status = item["status"]
    if status == "vacant":
        return [f"vacant with {name}" for name in ("discord_thread_id", "source_message_id") if name in item]
    if status == "creating":
        return [] if item["lease_expires_at"] > iso(guild.now) else ["a claim that nobody holds"]
    if thread is None:
        return ["its thread is gone"]
    pointer = items.get((f"THREAD#{thread.id}", "THREAD"), {})
    told = {
        "thread_name": item.get("thread_name") == thread.name,
        "archived": item.get("archived") == thread.archived,
        "locked": item.get("locked") == thread.locked,
        "activity": _is_near(item, thread),
        "status": status == "open" or thread.archived,
        "watched": ("watch_guild_id" in item) is not thread.archived,
        "due": ("due_in" in item) is thread.archived,
        "problems": not {"missing_since", "unreachable_since", "ask_again_at"} & item.keys(),
        "pointer": f"SESSION#{pointer.get('session_key')}" == item["sk"],
    }
    return [f"{name}: {item} beside {thread}" for name, holds in told.items() if not holds]


def _is_near(item: dict[str, Any], thread: Thread) -> bool:
    last = time_of(thread.last_message_id or thread.id)
    return abs(last - parse_iso(item["last_activity_at"])) <= MIN_ACTIVITY_STEP
