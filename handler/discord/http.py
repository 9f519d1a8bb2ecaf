"""HTTP requests to Discord and its responses, without the library that sends them. Pure.

A `Send` is all that `handler.discord.exchange` knows of the network: it takes a request and returns the response. It
raises `DiscordUnavailable` (the request had no effect) or `OutcomeUnknown` (it may have been applied).
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec

from handler import __version__
from handler.runtime.secrets import Secret

# Required of every client (Discord docs, "API Reference", User Agent).
USER_AGENT: Final = f"DiscordBot (https://github.com/onethread/onethread, {__version__})"
MAX_REASON_LENGTH: Final = 512  # characters of X-Audit-Log-Reason (Discord docs, "Audit Log")
TOKEN_HASH_LENGTH: Final = 16  # hexadecimal digits: enough to tell the tokens of one environment apart


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Its path can hold an interaction token: only `route` may appear in logs and errors."""

    method: str
    path: str = field(repr=False)  # below ``/api/v10``, with a leading slash
    route: str  # the method and the template of the path; rate limits are kept by route
    query: tuple[tuple[str, str], ...] = ()
    json: Any = field(default=None, repr=False)  # the body, before encoding
    reason: str | None = field(default=None, repr=False)  # for the audit log
    authorized: bool = True  # whether the bot's token is sent; interaction webhooks are authorized by their path
    repeatable: bool = False  # whether sending it twice has the same effect as sending it once
    hint: bool = False  # whether its answer is only worth having at once: sent one time, and never waited with
    timeout_seconds: float | None = field(default=None, compare=False, repr=False)  # set for each attempt

    @property
    def changes_something(self) -> bool:
        return self.method != "GET"

    @property
    def major(self) -> str:
        """The resource for which Discord counts a route's rate limit: a channel, a guild, or a webhook with its token.

        Discord docs, "Rate Limits": top-level resources. The token is hashed, because this value is kept.
        """
        _, top, *below = self.path.split("/")
        if top == "webhooks" and len(below) > 1:
            return hashlib.sha256("/".join(below[:2]).encode()).hexdigest()[:TOKEN_HASH_LENGTH]
        return below[0] if top in ("channels", "guilds") and below else ""


@dataclass(frozen=True, slots=True)
class Response:
    """One response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = field(default=b"", repr=False)


Send = Callable[[Request], Awaitable[Response]]


def encode_headers(request: Request, token: Secret | None) -> dict[str, str]:
    """The headers of a request, with names in lower case; `token` is used only if the request is authorized."""
    fields = {"user-agent": USER_AGENT, "accept": "application/json"}
    if request.authorized and token is not None:
        fields["authorization"] = f"Bot {token.reveal()}"
    if request.json is not None:
        fields["content-type"] = "application/json"
    if request.reason:
        fields["x-audit-log-reason"] = quote(request.reason[:MAX_REASON_LENGTH], safe="", errors="replace")
    return fields


def encode_body(request: Request) -> bytes | None:
    """The JSON body of a request; None if it has no body."""
    return None if request.json is None else msgspec.json.encode(request.json)
