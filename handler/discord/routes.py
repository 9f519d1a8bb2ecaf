"""The routes that this project uses: each is a function that builds a request. Pure.

Discord docs, "Channel", "Message", "Guild", "User", "Audit Log" and "Receiving and Responding"; version 10 of the API.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from handler.discord.http import Request


def get_channel(channel_id: str) -> Request:
    return Request("GET", f"/channels/{_id(channel_id)}", "GET /channels/{channel}", repeatable=True)


def change_thread(thread_id: str, changes: Mapping[str, Any], reason: str | None) -> Request:
    """Repeatable: setting the same state twice has no further effect."""
    path, route = f"/channels/{_id(thread_id)}", "PATCH /channels/{channel}"
    return Request("PATCH", path, route, json=dict(changes), reason=reason, repeatable=True)


def delete_thread(thread_id: str, reason: str | None) -> Request:
    """A repeat is refused with 10003: the thread is already gone."""
    path, route = f"/channels/{_id(thread_id)}", "DELETE /channels/{channel}"
    return Request("DELETE", path, route, reason=reason, repeatable=True)


def active_threads(guild_id: str) -> Request:
    path, route = f"/guilds/{_id(guild_id)}/threads/active", "GET /guilds/{guild}/threads/active"
    return Request("GET", path, route, repeatable=True)


def archived_threads(channel_id: str, before: datetime | None, limit: int) -> Request:
    """Public archived threads, newest archive time first; `before` is exclusive."""
    path = f"/channels/{_id(channel_id)}/threads/archived/public"
    query = [("limit", str(limit))]
    if before is not None:
        query.insert(0, ("before", _microseconds(before)))
    route = "GET /channels/{channel}/threads/archived/public"
    return Request("GET", path, route, query=tuple(query), repeatable=True)


def private_threads(channel_id: str, limit: int) -> Request:
    """Archived private threads, newest archive time first. Takes Manage Threads."""
    path, route = (
        f"/channels/{_id(channel_id)}/threads/archived/private",
        "/channels/{channel}/threads/archived/private",
    )
    return Request("GET", path, f"GET {route}", query=(("limit", str(limit)),), repeatable=True)


def joined_private_threads(channel_id: str, before: str | None, limit: int) -> Request:
    """Archived private threads that the bot has joined, the highest id first, below `before`."""
    path = f"/channels/{_id(channel_id)}/users/@me/threads/archived/private"
    route = "GET /channels/{channel}/users/@me/threads/archived/private"
    query = (*((("before", _id(before)),) if before else ()), ("limit", str(limit)))
    return Request("GET", path, route, query=query, repeatable=True)


def search_threads(channel_id: str, name: str, limit: int) -> Request:
    """Public and private threads, active or archived, whose name has these words. OpenAPI description, "thread_search"."""
    path, route = f"/channels/{_id(channel_id)}/threads/search", "GET /channels/{channel}/threads/search"
    return Request("GET", path, route, query=(("name", name), ("limit", str(limit))), repeatable=True, hint=True)


def audit_log(guild_id: str, after: str | None, limit: int) -> Request:
    """The entries after that id, oldest first; with None, the newest ones."""
    query = (("limit", str(limit)), *((("after", _id(after)),) if after else ()))
    return Request(
        "GET", f"/guilds/{_id(guild_id)}/audit-logs", "GET /guilds/{guild}/audit-logs", query, repeatable=True
    )


def post_message(channel_id: str, body: Mapping[str, Any], nonce: str) -> Request:
    """A repeat with the same nonce returns the first message, for "a few minutes" (`enforce_nonce`)."""
    path, route = f"/channels/{_id(channel_id)}/messages", "POST /channels/{channel}/messages"
    return Request("POST", path, route, json={**body, "nonce": nonce, "enforce_nonce": True}, repeatable=True)


def get_message(channel_id: str, message_id: str) -> Request:
    path = f"/channels/{_id(channel_id)}/messages/{_id(message_id)}"
    return Request("GET", path, "GET /channels/{channel}/messages/{message}", repeatable=True)


def list_messages(channel_id: str, after: str, limit: int) -> Request:
    """The messages right after that id."""
    path, query = f"/channels/{_id(channel_id)}/messages", (("after", _id(after)), ("limit", str(limit)))
    return Request("GET", path, "GET /channels/{channel}/messages", query, repeatable=True)


def edit_message(channel_id: str, message_id: str, body: Mapping[str, Any]) -> Request:
    path = f"/channels/{_id(channel_id)}/messages/{_id(message_id)}"
    return Request("PATCH", path, "PATCH /channels/{channel}/messages/{message}", json=dict(body), repeatable=True)


def delete_message(channel_id: str, message_id: str, reason: str | None) -> Request:
    """A repeat is refused with 10008: the message is already gone."""
    path = f"/channels/{_id(channel_id)}/messages/{_id(message_id)}"
    return Request("DELETE", path, "DELETE /channels/{channel}/messages/{message}", reason=reason, repeatable=True)


def start_thread(
    channel_id: str, message_id: str, name: str, auto_archive_duration: int, reason: str | None = None
) -> Request:
    """A repeat is refused with 160004: a message has one thread. `auto_archive_duration` is in minutes."""
    path = f"/channels/{_id(channel_id)}/messages/{_id(message_id)}/threads"
    body = {"name": name, "auto_archive_duration": auto_archive_duration}
    route = "POST /channels/{channel}/messages/{message}/threads"
    return Request("POST", path, route, json=body, reason=reason, repeatable=True)


def create_thread(channel_id: str, body: Mapping[str, Any], reason: str | None) -> Request:
    """A post or a private thread. Not repeatable: each one that is applied makes a thread, and nothing tells them apart."""
    path, route = f"/channels/{_id(channel_id)}/threads", "POST /channels/{channel}/threads"
    return Request("POST", path, route, json=dict(body), reason=reason)


def add_thread_member(thread_id: str, user_id: str) -> Request:
    return _thread_member("PUT", thread_id, user_id)


def get_thread_member(thread_id: str, user_id: str) -> Request:
    return _thread_member("GET", thread_id, user_id)


def remove_thread_member(thread_id: str, user_id: str) -> Request:
    return _thread_member("DELETE", thread_id, user_id)


def _thread_member(method: str, thread_id: str, user_id: str) -> Request:
    path = f"/channels/{_id(thread_id)}/thread-members/{_id(user_id)}"
    return Request(method, path, f"{method} /channels/{{channel}}/thread-members/{{user}}", repeatable=True)


def get_member(guild_id: str, user_id: str) -> Request:
    path = f"/guilds/{_id(guild_id)}/members/{_id(user_id)}"
    return Request("GET", path, "GET /guilds/{guild}/members/{user}", repeatable=True)


def get_current_user() -> Request:
    return Request("GET", "/users/@me", "GET /users/@me", repeatable=True)


def edit_original(application_id: str, token: str, body: Mapping[str, Any]) -> Request:
    path = f"/webhooks/{_id(application_id)}/{quote(token, safe='')}/messages/@original"
    route = "PATCH /webhooks/{application}/{token}/messages/@original"
    return Request("PATCH", path, route, json=dict(body), authorized=False, repeatable=True)


def _id(snowflake: str) -> str:
    """An id as a segment of a path. Raises ValueError for anything else: it could lead to another route."""
    if not (snowflake.isascii() and snowflake.isdigit()):
        raise ValueError("an id is not a snowflake")
    return snowflake


def _microseconds(moment: datetime) -> str:
    """Archive times have microseconds: a less precise `before` would skip or repeat threads."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
