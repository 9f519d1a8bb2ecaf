"""Messages: posting, reading, editing, deleting (Discord docs, "Message")."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import msgspec

from infra.simulator import render
from infra.simulator.call import Call, read_text, utf16_length
from infra.simulator.components import LAYOUT, check_components
from infra.simulator.effects import add_message, is_forum, remove_message
from infra.simulator.exchange import Response, encode, json_response
from infra.simulator.models import CATEGORY, REPLY, Channel, Message, Thread
from infra.simulator.permissions import allows, require, send_permission
from infra.simulator.refusals import Error, Refusal, invalid

# Lengths of a message and of a nonce (Discord docs, "Message").
MAX_CONTENT_LENGTH: Final = 2000
MAX_DESCRIPTION_LENGTH: Final = 4096  # Discord docs, "Message", embed limits
MAX_NONCE_LENGTH: Final = 25
# Flags that a bot may set on a message: no embeds, no notifications, components of version 2.
SETTABLE_FLAGS: Final = 1 << 2 | 1 << 12 | LAYOUT
_USER_MENTION: Final = re.compile(r"<@!?([0-9]{1,20})>")


def post_message(call: Call) -> Response:
    channel_id = call.args[0]
    thread, channel = call.find_channel(channel_id)
    if thread is None and is_forum(channel):
        raise Refusal(Error.FORUM_CHANNEL)
    if thread is None and channel.kind == CATEGORY:
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    require(channel, send_permission(thread))
    nonce = _read_nonce(call.body)
    message = new_message(call, channel_id, channel, call.body)
    first = _first_of_nonce(call, nonce)
    if first is not None:
        return json_response(200, {**render.message(call.state, first), "nonce": nonce})
    if thread is not None:
        _check_thread_open(call, thread, channel)
    message = replace(message, id=call.state.allot(call.now), nonce=nonce)
    add_message(call.state, message)
    rendered = render.message(call.state, message)
    return json_response(200, {**rendered, "nonce": nonce} if nonce is not None else rendered)


def get_message(call: Call) -> Response:
    channel_id, message_id = call.args
    _, channel = call.find_channel(channel_id)
    require(channel, "READ_MESSAGE_HISTORY")
    return json_response(200, render.message(call.state, find_message(call, channel_id, message_id)))


def list_messages(call: Call) -> Response:
    channel_id = call.args[0]
    _, channel = call.find_channel(channel_id)
    limit = call.query_integer("limit", 50, 1, 100)
    before, after = call.query_snowflake("before"), call.query_snowflake("after")
    # Discord docs, "Get Channel Messages": without the permission the list is empty, which is not an error.
    if not allows(channel, "READ_MESSAGE_HISTORY"):
        return json_response(200, [])
    found = sorted(
        (message for message in call.state.messages.values() if message.channel_id == channel_id),
        key=lambda message: int(message.id),
        reverse=True,
    )
    if after is not None:
        found = [message for message in found if int(message.id) > after][-limit:]
    elif before is not None:
        found = [message for message in found if int(message.id) < before]
    return json_response(200, [render.message(call.state, message) for message in found[:limit]])


def edit_message(call: Call) -> Response:
    channel_id, message_id = call.args
    thread, channel = call.find_channel(channel_id)
    message = find_message(call, channel_id, message_id)
    if message.author_id != call.bot:
        raise Refusal(Error.NOT_THE_AUTHOR)
    if thread is not None and thread.archived:
        raise Refusal(Error.THREAD_ARCHIVED)
    current: dict[str, Any] = {
        "content": message.content,
        "embeds": msgspec.json.decode(message.embeds),
        "components": msgspec.json.decode(message.components),
    }
    flags = (call.body.get("flags") or 0) | message.flags & LAYOUT  # a layout stays one
    new = new_message(call, channel_id, channel, {**current, **call.body, "flags": flags})
    edited = replace(
        message,
        content=new.content,
        embeds=new.embeds,
        components=new.components,
        mentions=new.mentions,
        mention_everyone=new.mention_everyone,
        flags=new.flags if "flags" in call.body else message.flags,
        edited_at=call.now,
    )
    call.state.messages.put(edited.id, edited)
    return json_response(200, render.message(call.state, edited))


def delete_message(call: Call) -> Response:
    channel_id, message_id = call.args
    thread, channel = call.find_channel(channel_id)
    message = find_message(call, channel_id, message_id)
    if message.author_id != call.bot:
        require(channel, "MANAGE_MESSAGES")
    if thread is not None and thread.archived:
        raise Refusal(Error.THREAD_ARCHIVED)
    remove_message(call.state, message, by=call.bot, now=call.now, reason=call.reason)
    return json_response(204)


def new_message(
    call: Call, channel_id: str, channel: Channel, body: dict[str, Any], *, message_id: str = "0"
) -> Message:
    """The bot's message that a body describes, checked but not added to the state."""
    content = read_content(body)
    embeds, components = body.get("embeds") or [], body.get("components") or []
    if not content and not embeds and not components and not body.get("sticker_ids"):
        raise Refusal(Error.EMPTY_MESSAGE)
    if embeds:
        require(channel, "EMBED_LINKS")
    lowered = content.lower()
    if any(word.lower() in lowered for word in call.state.switches.blocked_message_words):
        raise Refusal(Error.MESSAGE_BLOCKED)
    mentions, everyone = parse_mentions(content, body.get("allowed_mentions"))
    reference = body.get("message_reference") or {}
    replied = call.state.messages.get(str(reference.get("message_id")))
    if reference and (replied is None or replied.channel_id != channel_id):
        if reference.get("fail_if_not_exists", True):
            raise invalid("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        replied = None
    return Message(
        kind=REPLY if replied is not None else 0,
        replies_to=replied.id if replied is not None else None,
        id=message_id,
        channel_id=channel_id,
        author_id=call.bot,
        content=content,
        at=call.now,
        flags=(body.get("flags") or 0) & SETTABLE_FLAGS,
        embeds=encode(embeds),
        components=encode(components),
        mentions=mentions,
        mention_everyone=everyone and allows(channel, "MENTION_EVERYONE"),
    )


def read_content(body: dict[str, Any]) -> str:
    """A message's text. Refuse what is wrong in it, its embeds and its components."""
    content = "" if body.get("content") is None else read_text(body, "content", 0, MAX_CONTENT_LENGTH)
    for number, embed in enumerate(body.get("embeds") or []):
        _check_length(embed, "description", MAX_DESCRIPTION_LENGTH, f"embeds.{number}")
    check_components(body, layout=bool((body.get("flags") or 0) & LAYOUT))
    return content


def _check_length(fields: dict[str, Any], name: str, most: int, path: str) -> None:
    if name in fields:
        read_text(fields, name, 0, most, f"{path}.{name}")


def parse_mentions(content: str, allowed: Any) -> tuple[tuple[str, ...], bool]:
    """The users that a text mentions, and whether it mentions everyone, as far as `allowed_mentions` permits."""
    parse = allowed.get("parse") if isinstance(allowed, dict) else ["users", "roles", "everyone"]
    named = (allowed.get("users") or []) if isinstance(allowed, dict) else []
    users = tuple(dict.fromkeys(_USER_MENTION.findall(content))) if "<@" in content else ()
    if "users" not in (parse or ()):
        users = tuple(user for user in users if user in named)
    return users, "everyone" in (parse or ()) and ("@everyone" in content or "@here" in content)


def find_message(call: Call, channel_id: str, message_id: str) -> Message:
    message = call.state.messages.get(message_id)
    if message is None or message.channel_id != channel_id:
        raise Refusal(Error.UNKNOWN_MESSAGE)
    return message


def _read_nonce(body: dict[str, Any]) -> str | None:
    nonce = body.get("nonce")
    if nonce is None:
        return None
    nonce = str(nonce)
    if utf16_length(nonce) > MAX_NONCE_LENGTH:
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", f"Must be {MAX_NONCE_LENGTH} or fewer in length.")
    return nonce


def _first_of_nonce(call: Call, nonce: str | None) -> Message | None:
    """The message already posted with an enforced nonce, if any. If it was deleted, Discord says Unknown Message."""
    if nonce is None or call.body.get("enforce_nonce") is not True:
        return None
    known = call.state.nonces.get((call.bot, nonce))
    if known is None or call.now >= known.at + timedelta(seconds=call.state.switches.nonce_seconds):
        return None
    first = call.state.messages.get(known.message_id)
    if first is None:
        raise Refusal(Error.UNKNOWN_MESSAGE)
    return first


def _check_thread_open(call: Call, thread: Thread, channel: Channel) -> None:
    """Check that posting may open an archived thread; only moderators post in a locked one."""
    if not thread.locked and not thread.archived:
        return
    if thread.locked and thread.archived:
        raise Refusal(Error.THREAD_ARCHIVED)
    if thread.locked and not allows(channel, "MANAGE_THREADS"):
        raise Refusal(Error.THREAD_LOCKED)
    active = len(call.state.active.get(thread.guild_id) or ())
    if thread.archived and active >= call.state.switches.active_thread_limit:
        raise Refusal(Error.TOO_MANY_THREADS)
