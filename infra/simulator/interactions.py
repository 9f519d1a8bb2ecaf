"""Discord's side of a slash command: the first answer, the original response, and what the user reads.

    begin ──answer within 3 s──> answered (type 4) ──edit──> answered
      │                     └──> deferred (type 5) ──edit──> answered      (all within 15 min of begin)
      └──no answer, late, invalid──> dead: the user reads "The application did not respond"

An interaction by a button already has an original response, the message with the button. Type 7 replaces it at once, type 6
leaves it until it is edited.

(Discord docs, "Receiving and Responding to Interactions")
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from infra.simulator import render
from infra.simulator.call import Call
from infra.simulator.components import LAYOUT, check_choices, check_modal
from infra.simulator.exchange import Response, encode, json_response
from infra.simulator.models import CHAT_INPUT_COMMAND, EPHEMERAL, LOADING, Channel, Interaction, Message
from infra.simulator.refusals import Error, Refusal
from infra.simulator.routes.messages import new_message, parse_mentions, read_content
from infra.simulator.state import State

# The first answer must come in the time that the switch `first_answer_seconds` says, all later ones while the token is valid.
TOKEN_LIFETIME: Final = timedelta(minutes=15)

# Callback types (same page): those that leave an original response; those that do not; those that change a button's message.
MESSAGE: Final = 4
DEFERRED: Final = 5
AUTOCOMPLETE_RESULT: Final = 8
MODAL: Final = 9
WITHOUT_RESPONSE: Final = (1, AUTOCOMPLETE_RESULT, MODAL)
DEFERRED_UPDATE: Final = 6
UPDATE: Final = 7
UPDATES: Final = (DEFERRED_UPDATE, UPDATE)


def begin(
    state: State,
    token: str,
    interaction_id: str,
    application_id: str,
    now: datetime,
    *,
    channel_id: str,
    message: dict[str, Any] | None = None,
) -> None:
    """A user used a command, or pressed a button beneath `message` (in the form of `original_response`)."""
    begun = Interaction(token, interaction_id, application_id, now, channel_id=channel_id)
    if message is not None:
        kept = {name: message[name] for name in ("content", "embeds", "components", "flags")}
        shown = encode({**kept, "mentions": [user["id"] for user in message["mentions"]]})
        begun = replace(begun, message_id=message["id"], message=shown)
    state.interactions.put(token, begun)


def take_answer(state: State, token: str, document: Any, now: datetime) -> bool:
    """Take the first answer, the one in the HTTP response. Return False if it is late, a second one, or invalid."""
    interaction = state.interactions[token]
    if interaction.state != "pending":
        return False
    kind: Any = document.get("type") if isinstance(document, dict) else None
    by_button = interaction.message != b"{}"
    known = (MESSAGE, DEFERRED, *WITHOUT_RESPONSE, *(UPDATES if by_button else ()))
    latest = interaction.at + timedelta(seconds=state.switches.first_answer_seconds)
    if now > latest or kind not in known or not _fits(kind, document.get("data") or {}):
        state.interactions.put(token, replace(interaction, state="dead"))
        return False
    data = document.get("data") or {}
    updates = kind in UPDATES
    taken = replace(
        interaction,
        state="deferred" if kind == DEFERRED else "answered",
        available_at=now + timedelta(seconds=state.switches.callback_lag_seconds),
        message_id=interaction.message_id if updates else state.allot(now),
        message=encode(_updated(interaction, data, kind) if updates else _first_message(data, kind)),
        first_answer=encode(document),
    )
    state.interactions.put(token, taken)
    if updates:
        _change_message(state, taken, now)
    return True


def _fits(kind: int, data: dict[str, Any]) -> bool:
    check = {AUTOCOMPLETE_RESULT: check_choices, MODAL: check_modal}.get(kind, read_content)
    try:
        check(data)
    except Refusal:
        return False
    return True


def first_answer(state: State, token: str) -> Any:
    """The first answer as it was given; None if none was taken."""
    return msgspec.json.decode(state.interactions[token].first_answer)


def original_response(state: State, token: str) -> dict[str, Any] | None:
    """What the user reads, as a message; None if there is none. The flag LOADING means "thinking…"."""
    interaction = state.interactions[token]
    if interaction.state not in ("deferred", "answered") or interaction.message == b"{}":
        return None
    return _render(state, interaction)


def get_original(call: Call) -> Response:
    return json_response(200, _render(call.state, _find(call)))


def edit_original(call: Call) -> Response:
    interaction = _find(call)
    thread = call.state.threads.get(interaction.channel_id)
    if thread is not None and (thread.archived or thread.locked):  # for good, according to users
        raise Refusal(Error.THREAD_ARCHIVED)
    before = msgspec.json.decode(interaction.message)
    # The first answer decided whether the message is ephemeral (Discord docs, "Followup Messages"); a layout stays one.
    ephemeral = before["flags"] & EPHEMERAL
    body = {**before, **call.body, "flags": (call.body.get("flags") or 0) | before["flags"] & LAYOUT}
    # The channel's permissions do not apply: read it as a message in a channel where everything is allowed.
    message = new_message(call, interaction.channel_id, Channel(interaction.channel_id, "0", 0, "", ~0), body)
    shown = _shown(message.content, body, message.flags | ephemeral, message.mentions)
    edited = replace(
        interaction,
        state="answered",
        message=encode(shown),
        edited_at=call.now if interaction.state == "answered" else None,
    )
    call.state.interactions.put(edited.token, edited)
    _change_message(call.state, edited, call.now)
    return json_response(200, _render(call.state, edited))


def delete_original(call: Call) -> Response:
    interaction = _find(call)
    call.state.interactions.put(interaction.token, replace(interaction, state="deleted"))
    return json_response(204)


def _first_message(data: dict[str, Any], kind: int) -> dict[str, Any]:
    if kind in WITHOUT_RESPONSE:
        return {}
    flags = data.get("flags") or 0
    if kind == DEFERRED:
        # Ephemeral is the only flag with an effect here, and it decides that of the final message (same page).
        return _shown("", {}, (flags & EPHEMERAL) | LOADING, ())
    content = data.get("content") or ""
    return _shown(content, data, flags, parse_mentions(content, data.get("allowed_mentions"))[0])


def _shown(content: str, data: dict[str, Any], flags: int, mentions: Sequence[str]) -> dict[str, Any]:
    """An original response as it is kept."""
    return {
        "content": content,
        "embeds": data.get("embeds") or [],
        "components": data.get("components") or [],
        "flags": flags,
        "mentions": mentions,
        "allowed_mentions": data.get("allowed_mentions"),
    }


def _updated(interaction: Interaction, data: dict[str, Any], kind: int) -> dict[str, Any]:
    """The button's message after a type 6 or 7. Its flags stay, but it may become a layout."""
    message: dict[str, Any] = msgspec.json.decode(interaction.message)
    if kind == DEFERRED_UPDATE:
        return message
    given: dict[str, Any] = {name: data[name] or [] for name in ("embeds", "components") if name in data}
    given |= {"content": data["content"] or ""} if "content" in data else {}
    mentions = list(parse_mentions(given.get("content", message["content"]), data.get("allowed_mentions"))[0])
    return {**message, **given, "mentions": mentions, "flags": message["flags"] | (data.get("flags") or 0) & LAYOUT}


def _change_message(state: State, interaction: Interaction, now: datetime) -> None:
    """A public message whose button was pressed changes for everybody."""
    message = state.messages.get(interaction.message_id)
    if message is None:
        return
    shown = msgspec.json.decode(interaction.message)
    changed = replace(
        message,
        content=shown["content"],
        embeds=encode(shown["embeds"]),
        components=encode(shown["components"]),
        flags=shown["flags"],
        edited_at=now,
    )
    state.messages.put(message.id, changed)


def _find(call: Call) -> Interaction:
    """The interaction that a request names. Refuses without an original response or with an expired token."""
    application_id, token = call.args
    interaction = call.state.interactions.get(token)
    if interaction is None or interaction.application_id != application_id:
        raise Refusal(Error.UNKNOWN_WEBHOOK)
    if call.now >= interaction.at + TOKEN_LIFETIME or interaction.state == "dead":
        raise Refusal(Error.INVALID_WEBHOOK_TOKEN)
    if interaction.available_at is None or call.now < interaction.available_at:
        unknown = Error.UNKNOWN_MESSAGE if call.state.switches.callback_lag_code == 10008 else Error.UNKNOWN_WEBHOOK
        raise Refusal(unknown)
    if interaction.state == "deleted" or interaction.message == b"{}":
        raise Refusal(Error.UNKNOWN_MESSAGE)
    return interaction


def _render(state: State, interaction: Interaction) -> dict[str, Any]:
    shown = msgspec.json.decode(interaction.message)
    message = Message(
        interaction.message_id,
        interaction.channel_id,
        state.identity.bot_user_id,
        shown["content"],
        interaction.available_at or interaction.at,
        kind=CHAT_INPUT_COMMAND,
        flags=shown["flags"],
        embeds=encode(shown["embeds"]),
        components=encode(shown["components"]),
        mentions=tuple(shown["mentions"]),
        edited_at=interaction.edited_at,
    )
    application = interaction.application_id
    return {**render.message(state, message), "application_id": application, "webhook_id": application}
