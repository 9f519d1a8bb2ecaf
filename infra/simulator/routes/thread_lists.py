"""Lists of threads: active, archived, joined, searched (Discord docs, "Channel", "Guild"; search: OpenAPI description)."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, assert_never

from infra.simulator import render
from infra.simulator.call import Call
from infra.simulator.effects import is_forum, thread_kind
from infra.simulator.exchange import Response, json_response
from infra.simulator.models import ANNOUNCEMENT, PRIVATE_THREAD, TEXT, Channel, Thread
from infra.simulator.permissions import allows, require, sees_thread
from infra.simulator.refusals import Error, Refusal
from infra.simulator.state import HalfPages

# How many threads a page of archived ones has (Discord docs, "List Public Archived Threads").
MIN_PAGE: Final = 2
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
# The same of the search (OpenAPI description, "thread_search").
MAX_SEARCH_PAGE: Final = 25
MAX_SEARCH_OFFSET: Final = 9975
# The channel that a page of another channel's threads is of: none has this id.
NOWHERE: Final = "404"
# Error code of a search without its index (Discord docs, "Search Guild Messages").
INDEX_NOT_READY: Final = 110000


def active_threads(call: Call) -> Response:
    guild = call.find_guild(call.args[0])
    ids = sorted(call.state.active.get(guild.id) or (), key=int, reverse=True)
    threads = [call.state.threads[thread_id] for thread_id in ids]
    # Discord leaves out `has_more` here, although the OpenAPI description requires it.
    return json_response(200, _listed(call, [thread for thread in threads if sees_thread(call.state, thread)]))


def public_archived(call: Call) -> Response:
    """Only the type of thread that the channel has now: in a converted channel the older threads are in no list."""
    channel = _parent(call)
    return _archived(call, channel, thread_kind(channel))


def private_archived(call: Call) -> Response:
    channel = _parent(call)
    require(channel, "MANAGE_THREADS")
    return _archived(call, channel, PRIVATE_THREAD)


def joined_private_archived(call: Call) -> Response:
    channel = _parent(call)
    limit = call.query_integer("limit", DEFAULT_PAGE, MIN_PAGE, MAX_PAGE)
    before = call.query_snowflake("before")
    ids = sorted((number for _, number in call.state.archived.get((channel.id, PRIVATE_THREAD)) or ()), reverse=True)
    threads = [call.state.threads[str(number)] for number in ids if before is None or number < before]
    joined = [thread for thread in threads if thread.has_member(call.bot)]
    return json_response(200, {**_listed(call, joined[:limit]), "has_more": len(joined) > limit})


def search(call: Call) -> Response:
    channel = _parent(call)
    switches = call.state.switches
    if not switches.search_ready:
        message = "Index not yet available. Try again later"
        document = {"message": message, "code": INDEX_NOT_READY, "documents_indexed": 0, "retry_after": 2}
        return json_response(202, document)
    limit = call.query_integer("limit", MAX_SEARCH_PAGE, 1, MAX_SEARCH_PAGE)
    offset = call.query_integer("offset", 0, 0, MAX_SEARCH_OFFSET)
    archived = call.request.query.get("archived")
    words = call.request.query.get("name", "").casefold().split()
    index = call.state.search_index
    indexed_until = call.now - timedelta(seconds=switches.search_lag_seconds)
    found = [
        thread
        for thread in (call.state.threads.values() if index is None else index)
        if thread.parent_id == channel.id
        and thread.created_at <= indexed_until
        and (archived is None or thread.archived == (archived == "true"))
        and all(word in thread.name.casefold() for word in words)
        and sees_thread(call.state, thread)
    ]
    found.sort(key=lambda thread: int(thread.last_message_id or thread.id), reverse=True)
    page = _listed(call, found[offset : offset + limit])
    return json_response(200, {**page, "has_more": len(found) > offset + limit, "total_results": len(found)})


def _parent(call: Call) -> Channel:
    """The channel whose threads are listed."""
    thread, channel = call.find_channel(call.args[0])
    if thread is not None or not (channel.kind in (TEXT, ANNOUNCEMENT) or is_forum(channel)):
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    if not allows(channel, "READ_MESSAGE_HISTORY"):
        raise Refusal(Error.MISSING_PERMISSIONS)
    return channel


def _archived(call: Call, channel: Channel, kind: int) -> Response:
    """One page, newest first. It has no thread that was archived exactly at `before`."""
    limit = call.query_integer("limit", DEFAULT_PAGE, MIN_PAGE, MAX_PAGE)
    half = None if kind == PRIVATE_THREAD else call.state.switches.archived_pages
    before = None if half == "the newest" else call.query_time("before")
    places = call.state.archived.get((channel.id, kind)) or ()
    end = len(places) if before is None else bisect_left(places, (before, 0))
    start = max(0, end - limit)
    threads = [call.state.threads[str(number)] for _, number in reversed(places[start:end])]
    page = {**_listed(call, threads), "has_more": start > 0 or half == "the newest"}
    return json_response(200, page if half is None else _halve(page, half))


def _halve(page: dict[str, Any], half: HalfPages) -> dict[str, Any]:
    """The page with what is wrong with it."""
    threads = page["threads"]
    match half:
        case "empty" | "lost":
            return {**page, "threads": [], "has_more": half == "empty"}
        case "unfinished":
            return {name: value for name, value in page.items() if name != "has_more"}
        case "oldest first":
            return {**page, "threads": threads[::-1]}
        case "of another channel":
            return {**page, "threads": [{**thread, "parent_id": NOWHERE} for thread in threads]}
        case "without states":
            return {**page, "threads": [{**thread, "thread_metadata": None} for thread in threads]}
        case "the newest":
            return page
    assert_never(half)


def _listed(call: Call, threads: Sequence[Thread]) -> dict[str, Any]:
    """The threads, and the bot's memberships in them."""
    members = [render.thread_member(thread, call.bot) for thread in threads]
    return {
        "threads": [render.entry(call.state, thread.id, render.thread(thread)) for thread in threads],
        "members": [member for member in members if member is not None],
    }
