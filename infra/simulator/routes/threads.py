"""Channels and threads: reading, starting, changing, deleting (Discord docs, "Channel", "Threads")."""

from datetime import timedelta
from typing import Any, Final

from infra.simulator import render
from infra.simulator.call import Call, read_boolean, read_choice, read_integer, read_text
from infra.simulator.effects import (
    add_message,
    add_thread,
    announce_thread,
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
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    REQUIRE_TAG,
    TEXT,
    Channel,
    Thread,
    Window,
)
from infra.simulator.permissions import allows, require
from infra.simulator.refusals import Error, Limited, Refusal, invalid
from infra.simulator.routes.messages import new_message

# Characters of a thread's name, in UTF-16 units (Discord docs, "Channel").
MAX_NAME: Final = 100
# Six hours of slow mode and five tags are the most (Discord docs, "Channel").
MAX_SLOW_MODE: Final = 21600
MAX_TAGS: Final = 5


def get_channel(call: Call) -> Response:
    channel_id = call.args[0]
    if channel_id in call.state.reported_missing:
        call.state.reported_missing -= {channel_id}
        raise Refusal(Error.UNKNOWN_CHANNEL)
    thread, channel = call.place(channel_id)
    if thread is None:
        return json_response(200, render.channel(call.state, channel))
    return json_response(200, render.thread(thread, member_of=call.bot))


def start_from_message(call: Call) -> Response:
    channel_id, message_id = call.args
    thread, channel = call.place(channel_id)
    if thread is not None or channel.kind not in (TEXT, ANNOUNCEMENT):
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    require(channel, "CREATE_PUBLIC_THREADS")
    name = read_title(call)
    source = call.state.messages.get(message_id)
    if source is None or source.channel_id != channel_id:
        raise Refusal(Error.UNKNOWN_MESSAGE)
    if message_id in call.state.threads:
        raise Refusal(Error.THREAD_EXISTS)
    if source.thread_started and not call.state.switches.second_thread_from_message:
        raise Refusal(Error.THREAD_EXISTS)
    check_active_limit(call, channel)
    started = _add(call, channel, message_id, name, thread_kind(channel))
    return json_response(201, render.thread(started, member_of=call.bot))


def start_without_message(call: Call) -> Response:
    thread, channel = call.place(call.args[0])
    if thread is not None:
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    if is_forum(channel):
        return _start_post(call, channel)
    if channel.kind not in (TEXT, ANNOUNCEMENT):
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    name = read_title(call)
    kinds = (ANNOUNCEMENT_THREAD,) if channel.kind == ANNOUNCEMENT else (PUBLIC_THREAD, PRIVATE_THREAD)
    # Discord docs, "Start Thread without Message": private unless told otherwise.
    kind = read_choice(call.body, "type", kinds) or (PRIVATE_THREAD if channel.kind == TEXT else ANNOUNCEMENT_THREAD)
    require(channel, "CREATE_PRIVATE_THREADS" if kind == PRIVATE_THREAD else "CREATE_PUBLIC_THREADS")
    check_active_limit(call, channel)
    started = _add(call, channel, call.state.allot(call.now), name, kind)
    announce_thread(call.state, started, now=call.now)
    return json_response(201, render.thread(started, member_of=call.bot))


def change_channel(call: Call) -> Response:
    thread, channel = call.place(call.args[0])
    if thread is None:
        require(channel, "MANAGE_CHANNELS")
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    changes = _read_changes(call)
    _check_change(thread, channel, changes)
    if "name" in changes:
        _check_title(call, changes["name"])
    if thread.archived and changes.get("archived") is False:
        check_active_limit(call, channel)
    if changes.get("name", thread.name) != thread.name:
        _count_rename(call, thread)
    changed = change_thread(call.state, thread, by=call.bot, now=call.now, reason=call.reason, **changes)
    return json_response(200, render.thread(changed, member_of=call.bot))


def delete_channel(call: Call) -> Response:
    thread, channel = call.place(call.args[0])
    if thread is None:
        require(channel, "MANAGE_CHANNELS")
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    require(channel, "MANAGE_THREADS")
    remove_thread(call.state, thread, by=call.bot, now=call.now, reason=call.reason)
    return json_response(200, render.thread(thread, member_of=call.bot))


def read_title(call: Call) -> str:
    """The name of a thread-to-be, as long as Discord and AutoMod will have it."""
    name = read_text(call.body, "name", 1, MAX_NAME)
    _check_title(call, name)
    return name


def check_active_limit(call: Call, channel: Channel) -> None:
    """Refuses one more active thread in a guild that is full."""
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
        auto_archive_duration=duration or channel.default_archive_duration or DEFAULT_ARCHIVE_DURATION,
        invitable=read_boolean(call.body, "invitable") is not False,
        rate_limit_per_user=read_integer(call.body, "rate_limit_per_user", 0, MAX_SLOW_MODE) or 0,
        applied_tags=tags,
    )
    return add_thread(call.state, thread, now=call.now, reason=call.reason)


def _start_post(call: Call, channel: Channel) -> Response:
    require(channel, "SEND_MESSAGES")
    name = read_title(call)
    first = call.body.get("message")
    if not isinstance(first, dict):
        raise invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
    tags = _read_tags(call.body, channel)
    if channel.flags & REQUIRE_TAG and not tags:
        raise Refusal(Error.TAG_REQUIRED)
    check_active_limit(call, channel)
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
    return tuple(tags)


def _check_title(call: Call, name: str) -> None:
    lowered = name.lower()
    if any(word.lower() in lowered for word in call.state.switches.blocked_title_words):
        raise Refusal(Error.TITLE_BLOCKED)


def _read_changes(call: Call) -> dict[str, Any]:
    """The changes that the body asks for, by the names of the record."""
    body = call.body
    changes: dict[str, Any] = {
        "archived": read_boolean(body, "archived"),
        "locked": read_boolean(body, "locked"),
        "invitable": read_boolean(body, "invitable"),
        "auto_archive_duration": read_choice(body, "auto_archive_duration", ARCHIVE_DURATIONS),
        "rate_limit_per_user": read_integer(body, "rate_limit_per_user", 0, MAX_SLOW_MODE),
        "flags": read_integer(body, "flags", 0, 1 << 31),
    }
    if body.get("name") is not None:
        changes["name"] = read_text(body, "name", 1, MAX_NAME)
    if body.get("applied_tags") is not None:
        _, channel = call.place(call.args[0])
        changes["applied_tags"] = _read_tags(body, channel)
    return {name: value for name, value in changes.items() if value is not None}


def _check_change(thread: Thread, channel: Channel, changes: dict[str, Any]) -> None:
    """Who may change what, and that an archived thread changes only by being opened."""
    only_opens = set(changes) == {"archived"} and changes["archived"] is False
    if only_opens and not thread.locked:
        if not allows(channel, "SEND_MESSAGES_IN_THREADS"):
            require(channel, "MANAGE_THREADS")
    else:
        require(channel, "MANAGE_THREADS")
    if thread.archived and changes and changes.get("archived") is not False:
        raise Refusal(Error.THREAD_ARCHIVED)


def _count_rename(call: Call, thread: Thread) -> None:
    """The limit of renames, which no header shows before it bites."""
    limit = call.state.switches.rename_limit
    if limit is None:
        return
    number, seconds = limit
    key = ("rename", thread.id)
    window = call.state.windows.get(key)
    if window is None or call.now >= window.opened_at + timedelta(seconds=seconds):
        window = Window(call.now, 0)
    if window.used >= number:
        raise Limited((window.opened_at - call.now).total_seconds() + seconds, "user")
    call.state.windows.put(key, Window(window.opened_at, window.used + 1))
