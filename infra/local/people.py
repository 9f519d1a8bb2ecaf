"""People on Discord: they use a command, Discord signs it and sends it to the gateway, and they read what comes back.

Everything goes over HTTP, as with the real ones: the interaction is known to the simulated Discord first, the signed
request goes to the endpoint, and the inline answer goes back to Discord, which shows it. Times are in seconds.
"""

import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS, admin_command, button, encode, interaction, sign

MANAGE_THREADS: Final = 1 << 34
LOADING: Final = 1 << 7  # Discord docs, "Message", message flags: the deferred answer is still awaited
DEFERRALS: Final = (5, 6)  # of a command, and of a button
# People wait longer than Discord does for the first answer, so that what comes too late can be told from nothing.
PATIENCE_SECONDS: Final = 15.0
# How the bot says that time was short, and nothing else is in the way.
TRY_AGAIN: Final = "Nothing is lost: try again"
# And how it says that what stands there is not the last word.
GOES_ON: Final = "by myself"
ATTEMPTS: Final = 5
# Who has to ask again does not come in the same instant as all others: else a busy machine would never catch up.
REPEATING_AT_ONCE: Final = 4
# Between two looks at an answer that is awaited.
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Person:
    """A member of a guild."""

    id: str
    name: str
    moderates: bool = False

    @property
    def permissions(self) -> int:
        return MEMBER_PERMISSIONS | (MANAGE_THREADS if self.moderates else 0)


@dataclass(frozen=True)
class Place:
    """Where a command is used: a text channel, and what the bot may do there."""

    guild_id: str
    channel_id: str
    app_permissions: int = BOT_PERMISSIONS


@dataclass(frozen=True)
class Seen:
    """What a person saw. `message` is Discord's JSON, None for "The application did not respond"."""

    token: str
    message: Mapping[str, Any] | None
    deferred: bool
    first_after: float
    after: float

    @property
    def text(self) -> str:
        return str(self.message["content"]) if self.message else ""

    @property
    def goes_on(self) -> bool:
        """Whether another text will stand there later: it is "thinking…" or tells how far it is."""
        return self.message is not None and (bool(self.message["flags"] & LOADING) or GOES_ON in self.text)

    @property
    def unfinished(self) -> bool:
        """Whether there was not time enough: no answer, or one that says to try again. On a busy machine that happens."""
        return self.message is None or self.goes_on or TRY_AGAIN in self.text


class Discord:
    """Discord's side of slash commands, towards one endpoint. `control` is where the simulated Discord is steered."""

    def __init__(self, *, control: str, endpoint: str, application_id: str, key: SigningKey) -> None:
        self._control = control
        self._endpoint = endpoint
        self._application_id = application_id
        self._key = key
        self._repeating = threading.Semaphore(REPEATING_AT_ONCE)

    def open(self, person: Person, place: Place, name: str, topic: str | None = None) -> Seen:
        """``/session open``, to the first answer; see `read` for one that was deferred."""
        return self.use(interaction(name, topic=topic, **self._by(person, place)))

    def administer(self, person: Person, place: Place, subcommand: str) -> Seen:
        """``/session-admin duplicates``, say, to the first answer."""
        return self.use(admin_command(subcommand, **self._by(person, place)))

    def press(self, person: Person, place: Place, message: Mapping[str, Any]) -> Seen:
        """The first button beneath a message, until the message tells the outcome."""
        seen = self.use(button(message, **self._by(person, place)))
        began = time.perf_counter()
        shown = seen.message
        while shown is not None and _unfinished(shown, message) and time.perf_counter() - began < PATIENCE_SECONDS:
            time.sleep(LOOK_SECONDS)
            shown = self._shown(seen.token)
        return replace(seen, message=shown, after=seen.after + time.perf_counter() - began)

    def _by(self, person: Person, place: Place) -> dict[str, Any]:
        return {
            "channel_id": place.channel_id,
            "guild_id": place.guild_id,
            "user_id": person.id,
            "app_permissions": place.app_permissions,
            "member_permissions": person.permissions,
            "application_id": self._application_id,
            "now": datetime.now(UTC),
        }

    def insist(self, person: Person, place: Place, name: str, topic: str | None = None) -> list[Seen]:
        """`open` and `read`, again as long as the answer is to try again. All that was seen, the last at the end."""
        seen = [self.read(self.open(person, place, name, topic))]
        while seen[-1].unfinished and len(seen) < ATTEMPTS:
            with self._repeating:
                seen.append(self.read(self.open(person, place, name, topic)))
        return seen

    def use(self, payload: Mapping[str, Any]) -> Seen:
        """Send one interaction, freshly signed."""
        token = payload["token"]
        begun = {
            "token": token,
            "interaction_id": payload["id"],
            "application_id": self._application_id,
            "channel_id": payload["channel_id"],
            **({"message": payload["message"]} if "message" in payload else {}),
        }
        call("POST", f"{self._control}/_/interactions", begun)
        body = encode(payload)
        began = time.perf_counter()
        status, answered = send("POST", self._endpoint, body, sign(body, self._key, datetime.now(UTC)))
        first_after = time.perf_counter() - began
        if status != 200:
            return Seen(token, None, False, first_after, first_after)
        callback = json.loads(answered)
        call("POST", f"{self._control}/_/interactions/{token}", callback)
        deferred = callback["type"] in DEFERRALS
        return Seen(token, self._shown(token), deferred, first_after, first_after)

    def read(self, seen: Seen, patience: float = PATIENCE_SECONDS) -> Seen:
        """What stands there in the end; what stands there now if that takes longer than so many seconds."""
        began = time.perf_counter()
        now = seen
        while now.goes_on and time.perf_counter() - began < patience:
            time.sleep(LOOK_SECONDS)
            now = replace(now, message=self._shown(seen.token))
        return replace(now, after=seen.after + time.perf_counter() - began)

    def _shown(self, token: str) -> Mapping[str, Any] | None:
        shown: Mapping[str, Any] | None = call("GET", f"{self._control}/_/interactions/{token}")["original"]
        return shown


def _unfinished(shown: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a pressed button's message is still what it was, or tells how far it is."""
    return shown["content"] == before["content"] or GOES_ON in shown["content"]


class Refused(Exception):
    """The control path refused; the text says why."""


def call(method: str, url: str, document: Any = None) -> Any:
    """A request with JSON in and out. Raises Refused for an answer other than 200, OSError if nobody answers."""
    body = b"" if document is None else json.dumps(document).encode()
    status, answered = send(method, url, body, {"content-type": "application/json"})
    decoded = json.loads(answered) if answered else None
    if status != 200:
        raise Refused(decoded["error"] if isinstance(decoded, dict) and "error" in decoded else f"HTTP {status}")
    return decoded


def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """A request on a connection of its own. Raises OSError if nobody answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as fault:
        raise ConnectionError(str(fault)) from fault
    finally:
        connection.close()
