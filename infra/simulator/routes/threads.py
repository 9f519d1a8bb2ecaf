"""Channels and threads: reading, starting, changing, deleting (Discord docs, "Channel", "Threads")."""

from typing import Any, Final

from infra.simulator import rate_limits, render
from infra.simulator.call import Call, read_boolean, read_choice, read_integer, read_text
from infra.simulator.effects import (
    add_message,
    add_thread,
    announce_thread,
    can_start_thread,
    change_thread,
    is_forum,
    remove_thread,
    thread_kind,
)
from infra.simulator.exchange import Response, json_response
from infra.simulator.models import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    ARCHIVE_DURATIONS,
    DEFAULT_ARCHIVE_DURATION,
    MAX_THREAD_NAME_UNITS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    REQUIRE_TAG,
    TEXT,
    Channel,
    Thread,
)
from infra.simulator.permissions import allows, require
from infra.simulator.refusals import Error, RateLimited, Refusal, invalid
from infra.simulator.routes.messages import find_message, new_message

# Discord docs, "Channel": six hours of slow mode, five tags.
MAX_SLOW_MODE_SECONDS: Final = 21600
MAX_TAGS: Final = 5


def get_channel(call: Call) -> Response:
    channel_id = call.args[0]
    if channel_id in call.state.reported_missing:
        call.state.reported_missing -= {channel_id}
        raise Refusal(Error.UNKNOWN_CHANNEL)
    thread, channel = call.find_channel(channel_id)
    if thread is None:
        return json_response(200, render.channel(call.state, channel))
    return json_response(200, render.thread(thread, member_of=call.bot))


def start_from_message(call: Call) -> Response:
    channel_id, message_id = call.args
    thread, channel = call.find_channel(channel_id)
    if thread is not None or channel.kind not in (TEXT, ANNOUNCEMENT):
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    require(channel, "CREATE_PUBLIC_THREADS")
    name = _read_name(call)
    if not can_start_thread(call.state, find_message(call, channel_id, message_id)):
        raise Refusal(Error.THREAD_EXISTS)
    _check_active_limit(call, channel)
    started = _add(call, channel, message_id, name, thread_kind(channel))
    return json_response(201, render.thread(started, member_of=call.bot))


def start_without_message(call: Call) -> Response:
    thread, channel = call.find_channel(call.args[0])
    if thread is not None:
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    if is_forum(channel):
        return _start_post(call, channel)
    if channel.kind not in (TEXT, ANNOUNCEMENT):
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    name = _read_name(call)
    kinds = (ANNOUNCEMENT_THREAD,) if channel.kind == ANNOUNCEMENT else (PUBLIC_THREAD, PRIVATE_THREAD)
    # Discord docs, "Start Thread without Message": private by default.
    kind = read_choice(call.body, "type", kinds) or (PRIVATE_THREAD if channel.kind == TEXT else ANNOUNCEMENT_THREAD)
    require(channel, "CREATE_PRIVATE_THREADS" if kind == PRIVATE_THREAD else "CREATE_PUBLIC_THREADS")
    _check_active_limit(call, channel)
    started = _add(call, channel, call.state.allot(call.now), name, kind)
    announce_thread(call.state, started, now=call.now)
    return json_response(201, render.thread(started, member_of=call.bot))


def change_channel(call: Call) -> Response:
    thread, channel = call.find_channel(call.args[0])
    if thread is None:
        require(channel, "MANAGE_CHANNELS")
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    changes = _read_changes(call)
    _check_change(thread, channel, changes)
    if thread.archived and changes.get("archived") is False:
        _check_active_limit(call, channel)
    if changes.get("name", thread.name) != thread.name:
        _count_rename(call, thread)
    changed = change_thread(call.state, thread, by=call.bot, now=call.now, reason=call.reason, **changes)
    return json_response(200, render.thread(changed, member_of=call.bot))


def delete_channel(call: Call) -> Response:
    thread, channel = call.find_channel(call.args[0])
    if thread is None:
        require(channel, "MANAGE_CHANNELS")
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    require(channel, "MANAGE_THREADS")
    remove_thread(call.state, thread, by=call.bot, now=call.now, reason=call.reason)
    return json_response(200, render.thread(thread, member_of=call.bot))


def _read_name(call: Call) -> str:
    """The new name of a thread, checked for its length and by AutoMod, as Discord keeps it."""
    name = read_text(call.body, "name", 1, MAX_THREAD_NAME_UNITS)
    _check_words(call, name)
    dropped = call.state.switches.dropped_from_titles
    if not dropped:
        return name
    kept = "".join(character for character in name if character not in dropped).strip()
    return read_text({"name": kept}, "name", 1, MAX_THREAD_NAME_UNITS)


def _check_active_limit(call: Call, channel: Channel) -> None:
    """Refuse another active thread if the guild has too many."""
    if len(call.state.active.get(channel.guild_id) or ()) >= call.state.switches.active_thread_limit:
        raise Refusal(Error.TOO_MANY_ANNOUNCEMENT_THREADS if channel.kind == ANNOUNCEMENT else Error.TOO_MANY_THREADS)


def _add(call: Call, channel: Channel, thread_id: str, name: str, kind: int, tags: tuple[str, ...] = ()) -> Thread:
    duration = read_choice(call.body, "auto_archive_duration", ARCHIVE_DURATIONS)
    thread = Thread(
        id=thread_id,
        guild_id=channel.guild_id,
        parent_id=channel.id,
        kind=kind,
        name=name,
        owner_id=call.bot,
        created_at=call.now,
        archive_timestamp=call.now,
        auto_archive_duration=duration or DEFAULT_ARCHIVE_DURATION,
        invitable=read_boolean(call.body, "invitable") is not False,
        rate_limit_per_user=read_integer(call.body, "rate_limit_per_user", 0, MAX_SLOW_MODE_SECONDS) or 0,
        applied_tags=tags,
    )
    return add_thread(call.state, thread, now=call.now, reason=call.reason)


def _start_post(call: Call, channel: Channel) -> Response:
    require(channel, "SEND_MESSAGES")
    name = _read_name(call)
    first = call.body.get("message")
    if not isinstance(first, dict):
        raise invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
    tags = _read_tags(call.body, channel)
    if channel.flags & REQUIRE_TAG and not tags:
        raise Refusal(Error.TAG_REQUIRED)
    _check_active_limit(call, channel)
    thread_id = call.state.allot(call.now)
    message = new_message(call, thread_id, channel, first, message_id=thread_id)
    started = _add(call, channel, thread_id, name, PUBLIC_THREAD, tags)
    add_message(call.state, message, first=True)
    started = call.state.threads[started.id]
    return json_response(
        201, {**render.thread(started, member_of=call.bot), "message": render.message(call.state, message)}
    )


def _read_tags(body: dict[str, Any], channel: Channel) -> tuple[str, ...]:
    tags = body.get("applied_tags") or []
    known = {tag for tag, _ in channel.tags}
    if not isinstance(tags, list) or len(tags) > MAX_TAGS:
        raise invalid("applied_tags", "MAX_BASE_TYPE_LENGTH", f"Must be {MAX_TAGS} or fewer in length.")
    for index, tag in enumerate(tags):
        if tag not in known:
            raise invalid(f"applied_tags.{index}", "UNKNOWN_TAG", "Unknown tag")
        if tag in channel.moderated_tags:  # Discord docs, "Channel", Forum Tag Object
            require(channel, "MANAGE_THREADS")
    return tuple(tags)


def _check_words(call: Call, name: str) -> None:
    """Refuse a name with words that the server or AutoMod does not allow."""
    lowered = name.lower()
    if any(word.lower() in lowered for word in call.state.switches.refused_title_words):
        message = "Contains words not allowed for servers in Server Discovery."
        raise invalid("name", "INVALID_COMMUNITY_PROPERTY_NAME", message)
    if any(word.lower() in lowered for word in call.state.switches.blocked_title_words):
        raise Refusal(Error.TITLE_BLOCKED)


def _read_changes(call: Call) -> dict[str, Any]:
    """The changes that the body asks for, by the names of the model's fields."""
    body = call.body
    changes: dict[str, Any] = {
        "archived": read_boolean(body, "archived"),
        "locked": read_boolean(body, "locked"),
        "invitable": read_boolean(body, "invitable"),
        "auto_archive_duration": read_choice(body, "auto_archive_duration", ARCHIVE_DURATIONS),
        "rate_limit_per_user": read_integer(body, "rate_limit_per_user", 0, MAX_SLOW_MODE_SECONDS),
        "flags": read_integer(body, "flags", 0, 1 << 31),
    }
    if body.get("name") is not None:
        changes["name"] = _read_name(call)
    if body.get("applied_tags") is not None:
        _, channel = call.find_channel(call.args[0])
        changes["applied_tags"] = _read_tags(body, channel)
    return {name: value for name, value in changes.items() if value is not None}


def _check_change(thread: Thread, channel: Channel, changes: dict[str, Any]) -> None:
    """Check the permissions for a change, and that an archived thread is opened by it."""
    only_opens = set(changes) == {"archived"} and changes["archived"] is False
    if only_opens and not thread.locked:
        if not allows(channel, "SEND_MESSAGES_IN_THREADS"):
            require(channel, "MANAGE_THREADS")
    else:
        require(channel, "MANAGE_THREADS")
    if thread.archived and changes and changes.get("archived") is not False:
        raise Refusal(Error.THREAD_ARCHIVED)


def _count_rename(call: Call, thread: Thread) -> None:
    """Apply the limit of renames, which no header shows."""
    if call.state.switches.rename_limit is None:
        return
    usage = rate_limits.count(call.state, ("rename", thread.id), *call.state.switches.rename_limit, call.now)
    if usage.exceeded:
        raise RateLimited(usage.resets_in)
