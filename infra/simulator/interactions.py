"""Discord's side of a slash command: the first answer, the original response, and what the user reads in the end.

    begin ──answer within 3 s──> answered (type 4) ──edit──> answered
      │                     └──> deferred (type 5) ──edit──> answered      (all of it within 15 min of begin)
      └──no answer, too late, nonsense──> dead: the user reads "The application did not respond"

An interaction by a button has a message already, the one under which the button stands: type 7 replaces it at once, type 6
leaves it as it is until it is edited; it is the original response then.

(Discord docs, "Receiving and Responding to Interactions")
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from infra.simulator import render
from infra.simulator.call import Call
from infra.simulator.exchange import Response, encode, json_response
from infra.simulator.models import EPHEMERAL, LOADING, Channel, Interaction
from infra.simulator.refusals import Error, Refusal
from infra.simulator.routes.messages import mentioned, new_message
from infra.simulator.snowflakes import timestamp
from infra.simulator.state import State

# The first answer must come within this time, all later ones within the token's life (same page).
FIRST_ANSWER_WITHIN: Final = timedelta(seconds=3)
TOKEN_LIFE: Final = timedelta(minutes=15)

# Callback types that leave an original response, and those that are complete in themselves.
MESSAGE: Final = 4
DEFERRED: Final = 5
_COMPLETE: Final = (1, 8, 9)
# Only for components: they change the message under which the button stands.
DEFERRED_UPDATE: Final = 6
UPDATE: Final = 7
_OF_COMPONENTS: Final = (DEFERRED_UPDATE, UPDATE)


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
    """A user used a command, at `now`; or pressed a button beneath `message`, as `original_response` gave it."""
    begun = Interaction(token, interaction_id, application_id, now, channel_id=channel_id)
    if message is not None:
        kept = {name: message[name] for name in ("content", "embeds", "components", "flags")}
        shown = encode({**kept, "mentions": [user["id"] for user in message["mentions"]]})
        begun = replace(begun, message_id=message["id"], message=shown)
    state.interactions.put(token, begun)


def take_answer(state: State, token: str, document: Any, now: datetime) -> bool:
    """Takes the first answer in, the one that came inline. False: it was late, a second one, or no answer at all."""
    interaction = state.interactions[token]
    if interaction.state != "pending":
        return False
    kind: Any = document.get("type") if isinstance(document, dict) else None
    by_button = interaction.message != b"{}"
    known = (MESSAGE, DEFERRED, *_COMPLETE, *(_OF_COMPONENTS if by_button else ()))
    if now > interaction.at + FIRST_ANSWER_WITHIN or kind not in known:
        state.interactions.put(token, replace(interaction, state="dead"))
        return False
    taken = replace(
        interaction,
        state="deferred" if kind == DEFERRED else "answered",
        taken_in_at=now + timedelta(seconds=state.switches.callback_lag_seconds),
        message_id=interaction.message_id if kind in _OF_COMPONENTS else state.allot(now),
        message=_updated(interaction, document.get("data") or {}, kind)
        if kind in _OF_COMPONENTS
        else encode(_first_message(document.get("data") or {}, kind)),
        first_answer=encode(document),
    )
    state.interactions.put(token, taken)
    return True


def first_answer(state: State, token: str) -> Any:
    """The first answer as it was given, None if none was taken in."""
    return msgspec.json.decode(state.interactions[token].first_answer)


def original_response(state: State, token: str) -> dict[str, Any] | None:
    """What the user reads in the end, as a message; the flag LOADING stands for "thinking…". None: no message."""
    interaction = state.interactions[token]
    if interaction.state not in ("deferred", "answered") or interaction.message == b"{}":
        return None
    return _rendered(state, interaction)


def get_original(call: Call) -> Response:
    return json_response(200, _rendered(call.state, _living(call)))


def edit_original(call: Call) -> Response:
    interaction = _living(call)
    body = {**msgspec.json.decode(interaction.message), **call.body}
    # Whether the message is ephemeral was fixed by the first answer (Discord docs, "Followup Messages").
    ephemeral = msgspec.json.decode(interaction.message)["flags"] & EPHEMERAL
    # Read as a message in a channel where everything is allowed: the channel's permissions do not hold for it.
    message = new_message(call, interaction.channel_id, Channel(interaction.channel_id, "0", 0, "", ~0), body)
    shown = {
        "content": message.content,
        "embeds": body.get("embeds") or [],
        "components": body.get("components") or [],
        "flags": message.flags | ephemeral,
        "mentions": list(message.mentions),
        "allowed_mentions": body.get("allowed_mentions"),
    }
    edited = replace(
        interaction,
        state="answered",
        message=encode(shown),
        edited_at=call.now if interaction.state == "answered" else None,
    )
    call.state.interactions.put(edited.token, edited)
    return json_response(200, _rendered(call.state, edited))


def delete_original(call: Call) -> Response:
    interaction = _living(call)
    call.state.interactions.put(interaction.token, replace(interaction, state="deleted"))
    return json_response(204)


def _first_message(data: dict[str, Any], kind: int) -> dict[str, Any]:
    if kind in _COMPLETE:
        return {}
    flags = data.get("flags") or 0
    if kind == DEFERRED:
        # Ephemeral is the only flag that counts here, and it fixes that of the final message (same page).
        return {"content": "", "embeds": [], "components": [], "flags": (flags & EPHEMERAL) | LOADING, "mentions": []}
    content = data.get("content") or ""
    return {
        "content": content,
        "embeds": data.get("embeds") or [],
        "components": data.get("components") or [],
        "flags": flags,
        "mentions": list(mentioned(content, data.get("allowed_mentions"))[0]),
        "allowed_mentions": data.get("allowed_mentions"),
    }


def _updated(interaction: Interaction, data: dict[str, Any], kind: int) -> bytes:
    """The button's message after a type 6 or 7. Its flags stay: whether it is ephemeral was fixed long ago."""
    message: dict[str, Any] = msgspec.json.decode(interaction.message)
    if kind == DEFERRED_UPDATE:
        return encode(message)
    given: dict[str, Any] = {name: data[name] or [] for name in ("embeds", "components") if name in data}
    given |= {"content": data["content"] or ""} if "content" in data else {}
    mentions = list(mentioned(given.get("content", message["content"]), data.get("allowed_mentions"))[0])
    return encode({**message, **given, "mentions": mentions})


def _living(call: Call) -> Interaction:
    """The interaction whose original response is meant, if there is one and the token lives."""
    application_id, token = call.args
    interaction = call.state.interactions.get(token)
    if interaction is None or interaction.application_id != application_id:
        raise Refusal(Error.UNKNOWN_WEBHOOK)
    if call.now >= interaction.at + TOKEN_LIFE or interaction.state == "dead":
        raise Refusal(Error.INVALID_WEBHOOK_TOKEN)
    if interaction.taken_in_at is None or call.now < interaction.taken_in_at:
        lagging = Error.UNKNOWN_MESSAGE if call.state.switches.callback_lag_code == 10008 else Error.UNKNOWN_WEBHOOK
        raise Refusal(lagging)
    if interaction.state == "deleted" or interaction.message == b"{}":
        raise Refusal(Error.UNKNOWN_MESSAGE)
    return interaction


def _rendered(state: State, interaction: Interaction) -> dict[str, Any]:
    message = msgspec.json.decode(interaction.message)
    bot = render.user(state, state.identity.bot_user_id)
    at = interaction.taken_in_at or interaction.at
    return {
        "type": 20,
        "content": message["content"],
        "mentions": [render.user(state, user) for user in message["mentions"]],
        "mention_roles": [],
        "attachments": [],
        "embeds": render.embeds(message["embeds"]),
        "timestamp": timestamp(at),
        "edited_timestamp": timestamp(interaction.edited_at) if interaction.edited_at else None,
        "flags": message["flags"],
        "components": render.components(message["components"]),
        "id": interaction.message_id,
        "channel_id": interaction.channel_id,
        "author": bot,
        "pinned": False,
        "mention_everyone": False,
        "tts": False,
        "application_id": interaction.application_id,
        "webhook_id": interaction.application_id,
    }
