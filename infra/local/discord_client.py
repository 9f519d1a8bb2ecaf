"""Users of Discord: they send a command, Discord signs it and sends it to the gateway, and they read the answer.

Everything goes over HTTP, as in reality: the simulated Discord learns of the interaction first, the signed request goes to
the endpoint, and the answer goes back to Discord, which shows it. Times are in seconds.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from infra.interactions import (
    BOT_PERMISSIONS,
    DEVELOPMENT_APPLICATION_ID,
    MEMBER_PERMISSIONS,
    autocompletion,
    button,
    command,
    development_key,
    encode,
    interaction,
    message_command,
    modal_submit,
    parts_of,
    selection,
    sign,
    text_of,
)
from infra.local.http_client import call, send
from infra.simulator.models import TEXT

LOADING: Final = 1 << 7  # Discord docs, "Message", message flags: the deferred answer is still awaited
DEFERRALS: Final = (5, 6)  # of a command, and of a button
FORM: Final = 9
MAX_WAIT_SECONDS: Final = 15.0
# How the bot says that it ran out of time, and that nothing else is wrong.
TRY_AGAIN: Final = "Nothing is lost: try again"
# How the bot says that it will edit its answer.
_GOES_ON: Final = ("answer here", "will appear here")
MAX_ATTEMPTS: Final = 5
# If all users repeated their command at the same moment, a busy machine would never catch up.
MAX_REPEATS_AT_ONCE: Final = 4
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class User:
    """A member of a guild, and what this member may do in its channels."""

    id: str
    name: str
    permissions: int = MEMBER_PERMISSIONS


@dataclass(frozen=True)
class Channel:
    """A channel or a thread, and what the bot may do there."""

    guild_id: str
    id: str
    app_permissions: int = BOT_PERMISSIONS
    kind: int = TEXT
    parent_id: str | None = None  # of a thread: its channel


@dataclass(frozen=True)
class Answer:
    """What a user sees."""

    token: str
    message: Mapping[str, Any] | None  # Discord's JSON; None: "The application did not respond"
    deferred: bool
    first_after: float  # seconds until the first answer, which may be "thinking…"
    after: float  # seconds until this one
    callback: Mapping[str, Any] = field(default_factory=dict)  # the first answer as the bot gave it

    @property
    def text(self) -> str:
        return text_of(self.message) if self.message else ""

    @property
    def form(self) -> Mapping[str, Any] | None:
        """The form that the bot shows in place of a message."""
        return self.callback["data"] if self.callback.get("type") == FORM else None

    @property
    def is_pending(self) -> bool:
        """Whether the bot will edit it: it shows "thinking…" or progress."""
        return self.message is not None and (bool(self.message["flags"] & LOADING) or goes_on(self.text))

    @property
    def is_too_late(self) -> bool:
        """Whether there was not enough time, as can happen on a busy machine: no answer, or one that says to try again."""
        return (self.message is None and self.form is None) or self.is_pending or TRY_AGAIN in self.text


def goes_on(text: str) -> bool:
    """Whether this text of the bot says that its answer comes later, in the same place."""
    return any(phrase in text for phrase in _GOES_ON)


class DiscordClient:
    """Sends interactions to one endpoint. `control_url` is the simulated Discord's, `gateway_url` the endpoint's."""

    def __init__(self, *, control_url: str, gateway_url: str) -> None:
        self._interactions = f"{control_url}/_/interactions"
        self._endpoint = f"{gateway_url}/interactions"
        self._repeats = threading.Semaphore(MAX_REPEATS_AT_ONCE)

    def open(self, user: User, channel: Channel, name: str, topic: str | None = None) -> Answer:
        """Use ``/session open`` and return the first answer; `wait` returns the one after a deferral."""
        return self.send(interaction(name, topic=topic, **context(user, channel)))

    def open_and_retry(self, user: User, channel: Channel, name: str, topic: str | None = None) -> list[Answer]:
        """Open, wait for the answer, and repeat that as long as there was not enough time. Returns all answers."""
        answers = [self.wait(self.open(user, channel, name, topic))]
        while answers[-1].is_too_late and len(answers) < MAX_ATTEMPTS:
            with self._repeats:
                answers.append(self.wait(self.open(user, channel, name, topic)))
        return answers

    def use(self, user: User, channel: Channel, path: str, options: Mapping[str, Any] | None = None) -> Answer:
        """Use a slash command, such as ``session close``, and return the first answer."""
        return self.send(command(path, options or {}, **context(user, channel)))

    def use_menu(self, user: User, channel: Channel, name: str, message: Mapping[str, Any]) -> Answer:
        """Use a command in a message's menu, and return the first answer, which may be a form."""
        return self.send(message_command(name, message, **context(user, channel)))

    def complete(self, user: User, channel: Channel, path: str, options: Mapping[str, Any]) -> list[str]:
        """What is offered to a user who types the last of the options."""
        answer = self.send(autocompletion(path, options, focused=list(options)[-1], **context(user, channel)))
        return [choice["name"] for choice in answer.callback["data"]["choices"]]

    def submit(
        self,
        user: User,
        channel: Channel,
        form: Mapping[str, Any],
        fields: Mapping[str, str],
        *,
        message: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a form and return the first answer. Fields that are not given keep what they were filled in with.

        `message`: the one whose button opened the form.
        """
        filled = {part["custom_id"]: part.get("value", "") for part in inputs_of(form)}
        given = {**filled, **fields}
        return self.send(modal_submit(form["custom_id"], given, message=message, **context(user, channel)))

    def press(self, user: User, channel: Channel, message: Mapping[str, Any], label: str | None = None) -> Answer:
        """Press a button below a message, the first one if none is named, and wait until the message shows the outcome.

        Raises ValueError if there is no such button.
        """
        for part in parts_of(message):
            if "custom_id" in part and "label" in part and label in (None, part["label"]):
                pressed = self.send(button(message, custom_id=part["custom_id"], **context(user, channel)))
                return self._wait_for_change(pressed, message)
        raise ValueError(f"there is no button {label!r}")

    def choose(self, user: User, channel: Channel, message: Mapping[str, Any], text: str) -> Answer:
        """Choose the first option in a message's selects whose value is `text` or whose label begins so.

        Raises ValueError if there is none.
        """
        for part in parts_of(message):
            for option in part.get("options", ()):
                if option["value"] == text or option["label"].startswith(text):
                    sent = selection(message, part["custom_id"], [option["value"]], **context(user, channel))
                    return self._wait_for_change(self.send(sent), message)
        raise ValueError(f"there is no option {text!r}")

    def _wait_for_change(self, answer: Answer, message: Mapping[str, Any]) -> Answer:
        return self._poll(answer, lambda shown: _is_unchanged(shown.message, message), MAX_WAIT_SECONDS)

    def wait(self, answer: Answer, seconds: float = MAX_WAIT_SECONDS) -> Answer:
        """Return the final answer, or the one that is shown after so many seconds."""
        return self._poll(answer, lambda shown: shown.is_pending, seconds)

    def _poll(self, answer: Answer, is_waiting: Callable[[Answer], bool], seconds: float) -> Answer:
        began = time.perf_counter()
        shown = answer
        while is_waiting(shown) and time.perf_counter() - began < seconds:
            time.sleep(POLL_SECONDS)
            shown = replace(shown, message=self.fetch(answer.token))
        return replace(shown, after=answer.after + time.perf_counter() - began)

    def send(self, payload: Mapping[str, Any]) -> Answer:
        """Send one interaction, signed now, and return the first answer."""
        token = payload["token"]
        known = {
            "token": token,
            "interaction_id": payload["id"],
            "application_id": payload["application_id"],
            "channel_id": payload["channel_id"],
            **({"message": payload["message"]} if "message" in payload else {}),
        }
        call("POST", self._interactions, known)
        body = encode(payload)
        began = time.perf_counter()
        status, answered = send("POST", self._endpoint, body, sign(body, development_key(), datetime.now(UTC)))
        first_after = time.perf_counter() - began
        if status != 200:
            return Answer(token, None, False, first_after, first_after)
        callback = json.loads(answered)
        call("POST", f"{self._interactions}/{token}", callback)
        deferred = callback["type"] in DEFERRALS
        return Answer(token, self.fetch(token), deferred, first_after, first_after, callback)

    def fetch(self, token: str) -> Mapping[str, Any] | None:
        """The answer as it is shown now."""
        shown: Mapping[str, Any] | None = call("GET", f"{self._interactions}/{token}")["original"]
        return shown


def inputs_of(form: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The fields of a form."""
    return [row["component"] for row in form["components"]]


def context(user: User, channel: Channel) -> dict[str, Any]:
    """Who uses a command, where and when, as `interactions.used_in_guild` takes it."""
    return {
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "parent_id": channel.parent_id,
        "guild_id": channel.guild_id,
        "user_id": user.id,
        "app_permissions": channel.app_permissions,
        "member_permissions": user.permissions,
        "application_id": DEVELOPMENT_APPLICATION_ID,
        "now": datetime.now(UTC),
    }


def _is_unchanged(shown: Mapping[str, Any] | None, before: Mapping[str, Any]) -> bool:
    """Whether a message whose button was pressed shows no outcome yet."""
    return shown is not None and (text_of(shown) == text_of(before) or goes_on(text_of(shown)))
