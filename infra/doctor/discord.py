"""What the doctor looks at on Discord: the application, its endpoint and its commands. Raises DiscordError."""

import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

import httpx

from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.commands.limits import kind_of, title
from infra.deployment.account import ENDPOINT_OUTPUT
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordApi
from infra.deployment.errors import OperatorError
from infra.deployment.report import Line
from infra.register import MAX_GUILDS_LOOKED_AT, registered_in

MAX_CLOCK_SECONDS: Final = 30  # beyond a slow answer; AWS refuses what is signed five minutes off
REFUSED: Final = 401
_AGAIN: Final = "Run: make setup."
# Discord docs, "Application", Application Flags: each as granted, and as of an application in fewer than 100 servers.
_MESSAGE_CONTENT: Final = (1 << 18) | (1 << 19)
_NOT_NEEDED: Final = {"Presence": (1 << 12) | (1 << 13), "Server Members": (1 << 14) | (1 << 15)}


async def knock(web: httpx.AsyncClient, endpoint: str) -> str | None:
    """What is wrong with how an endpoint answers a forged request, as Discord's own check sends one. None: it refuses it."""
    forged = {"X-Signature-Ed25519": "00" * 64, "X-Signature-Timestamp": str(int(time.time()))}
    try:
        answered = await web.post(endpoint, headers=forged, content=b'{"type":1}')
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answered.status_code == REFUSED else f"status {answered.status_code}"


class DiscordChecks:
    """The application whose token the stack has."""

    def __init__(self, deployed: Deployed, api: DiscordApi, web: httpx.AsyncClient) -> None:
        self._deployed, self._api, self._web = deployed, api, web
        self._application: Mapping[str, Any] = {}

    async def application(self) -> AsyncIterator[Line]:
        self._application = await self._api.call("GET", "/applications/@me")
        parameters = self._deployed.stack.parameters
        for parameter, field, what in (
            ("DiscordApplicationId", "id", "is the application"),
            ("DiscordPublicKey", "verify_key", "signs with the key"),
        ):
            if parameters.get(parameter) != self._application[field]:
                text = f"The token's application {what} {self._application[field]}, the stack's {parameter} differs."
                yield Line("application", "fail", text, f"{_AGAIN} With another application: another --env.")
                return
        yield Line("application", "ok", f"{self._application['name']} ({self._application['id']})")

    async def endpoint(self) -> AsyncIterator[Line]:
        """Discord's own check, except for the signed half, for which only Discord has the key."""
        ours, present = self._deployed.output(ENDPOINT_OUTPUT), self._application.get("interactions_endpoint_url")
        if not present:
            text = (
                "Discord has no endpoint for the application: it drops one that fails its checks, and does not say so."
            )
            yield Line("endpoint", "fail", text, f"{_AGAIN} If it goes again, look at the webhook's log and alarms.")
        elif present != ours:
            cure = 'If Onethread is to have it, run: make setup ARGS="--take-over"'
            yield Line("endpoint", "fail", f"The application's endpoint is {present}, not this stack's.", cure)
        if (wrong := await knock(self._web, ours)) is not None:
            text = f"{ours} does not refuse a forged request with 401: {wrong}."
            yield Line("endpoint", "fail", text, "Look at the webhook's log: docs/operations.md says where it is.")
        elif present == ours:
            yield Line("endpoint", "ok", f"{ours} is the application's, and refuses a forged request")

    async def commands(self) -> AsyncIterator[Line]:
        scopes: list[str | None] = [None]
        guilds = await self._api.list("GET", f"/users/@me/guilds?limit={MAX_GUILDS_LOOKED_AT}")
        scopes += [guild["id"] for guild in guilds]
        registered = {scope: await registered_in(self._api, self._application["id"], scope) for scope in scopes}
        used = [scope for scope, commands in registered.items() if commands]
        if not used:
            yield Line("commands", "fail", "None is registered.", _AGAIN)
        for scope in used:
            if difference(for_scope(registered[scope], scope), for_scope(COMMANDS, scope)):
                text = f"What is registered {_place(scope)} is not what this tree has."
                yield Line("commands", "warn", text, _register(scope))
            else:
                yield Line("commands", "ok", f"{', '.join(map(title, COMMANDS))} ({_place(scope)})")
        everywhere = {(kind_of(command), command["name"]) for command in registered[None]}
        for scope in used:
            doubles = [title(c) for c in registered[scope] if (kind_of(c), c["name"]) in everywhere]
            if scope is not None and doubles:
                text = f"People {_place(scope)} see each twice: {', '.join(doubles)}."
                yield Line("commands", "warn", text, f"Run: python -m infra.register --unregister --guild {scope}")

    def intents(self) -> Line:
        flags = int(self._application.get("flags") or 0)
        granted = [name for name, bits in _NOT_NEEDED.items() if flags & bits]
        if granted:
            text = f"The application has a privileged intent that nothing needs: {', '.join(granted)}."
            return Line("intents", "warn", text, "Turn it off on the developer portal's Bot page.")
        if flags & _MESSAGE_CONTENT:
            return Line("intents", "ok", "Message Content is on: programs can read what people reply")
        return Line("intents", "ok", "none is needed; without Message Content, replies that mention the bot are read")

    def clock(self, now: datetime) -> Line:
        if self._api.clock is None:
            raise OperatorError("Discord's answer has no time.", "Is there a proxy in between?")
        off = (now - self._api.clock).total_seconds()
        if abs(off) <= MAX_CLOCK_SECONDS:
            return Line("clock", "ok", f"within {MAX_CLOCK_SECONDS} seconds of Discord's")
        text = f"This machine's clock is {abs(off):.0f} seconds {'fast' if off > 0 else 'slow'}."
        return Line("clock", "warn", text, "Set it: AWS refuses requests that are signed five minutes off.")


def _place(scope: str | None) -> str:
    return f"in the server {scope}" if scope else "everywhere"


def _register(scope: str | None) -> str:
    return f'Run: make setup ARGS="--guild {scope}"' if scope else _AGAIN
