"""The audit log (Discord docs, "Audit Log")."""

from datetime import timedelta
from typing import Any, Final

from infra.simulator import render
from infra.simulator.call import Call
from infra.simulator.exchange import Response, json_response
from infra.simulator.models import THREAD_CREATE, THREAD_UPDATE, AuditEntry
from infra.simulator.permissions import PERMISSION_BITS
from infra.simulator.refusals import Error, Refusal

# How long entries are kept (Discord docs, "Audit Log").
_RETENTION: Final = timedelta(days=45)


def audit_log(call: Call) -> Response:
    guild = call.find_guild(call.args[0])
    if not guild.permissions & PERMISSION_BITS["VIEW_AUDIT_LOG"]:
        raise Refusal(Error.MISSING_PERMISSIONS)
    page = _page(call, guild.id)
    # Only these two actions come with their threads, since clients may not have archived ones (same page).
    named = dict.fromkeys(entry.target_id for entry in page if entry.action in (THREAD_CREATE, THREAD_UPDATE))
    threads = [thread for thread in map(call.state.threads.get, named) if thread is not None]
    empty = ["integrations", "webhooks", "guild_scheduled_events", "application_commands", "auto_moderation_rules"]
    document: dict[str, Any] = {name: [] for name in empty}
    document["audit_log_entries"] = [render.entry(call.state, e.id, render.audit_entry(e)) for e in page]
    document["users"] = [render.user(call.state, user_id) for user_id in dict.fromkeys(e.user_id for e in page)]
    document["threads"] = [render.thread(thread) for thread in threads]
    return json_response(200, document)


def _page(call: Call, guild_id: str) -> list[AuditEntry]:
    """The requested entries: oldest first with `after`, else newest first (same page)."""
    limit = call.query_integer("limit", 50, 1, 100)
    before, after = call.query_snowflake("before"), call.query_snowflake("after")
    action, user, target = (call.query_snowflake(name) for name in ("action_type", "user_id", "target_id"))
    found = [
        entry
        for entry in call.state.audit.get(guild_id) or ()
        if entry.at > call.now - _RETENTION
        and (before is None or int(entry.id) < before)
        and (after is None or int(entry.id) > after)
        and (action is None or entry.action == action)
        and (user is None or entry.user_id == str(user))
        and (target is None or entry.target_id == str(target))
    ]
    if after is None or before is not None:
        found.reverse()
    return found[:limit]
