"""What goes over the wire to Discord and back, apart from the library that carries it. Pure.

A `Send` is all that the client above knows of the network: one request in, one answer out, or `DiscordUnavailable`
(nothing was sent, or nothing can have come of it) or `OutcomeUnknown` (it may have been applied).
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
HASH_LENGTH: Final = 16  # hexadecimal digits: no two tokens of an environment's life share so many


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` lies below ``/api/v10`` and begins with a slash.

    `route` is the method and the template of the path: rate limits are kept by it, and it alone appears in logs and
    errors, because a path can hold an interaction token. `repeatable`: sending it twice does no harm that sending it
    once does not. `patience` is how many seconds the answer is waited for; the client sets it for each attempt.
    """

    method: str
    path: str = field(repr=False)
    route: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = field(default=None, repr=False)
    reason: str | None = field(default=None, repr=False)
    authorized: bool = True  # False for interaction webhooks: their path is their authority
    repeatable: bool = False
    patience: float | None = field(default=None, compare=False, repr=False)

    @property
    def changes_something(self) -> bool:
        return self.method != "GET"

    @property
    def major(self) -> str:
        """What the rate limit of a route is counted for besides the route: channel, guild, or webhook with its token.

        Discord docs, "Rate Limits": top-level resources. The token is hashed: nothing that remembers it may show it.
        """
        _, top, *below = self.path.split("/")
        if top == "webhooks" and len(below) > 1:
            return hashlib.sha256("/".join(below[:2]).encode()).hexdigest()[:HASH_LENGTH]
        return below[0] if top in ("channels", "guilds") and below else ""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


Send = Callable[[Request], Awaitable[Response]]


def header_fields(request: Request, token: Secret | None) -> dict[str, str]:
    """The headers of a request, names in lower case; `token` goes only into authorized ones."""
    fields = {"user-agent": USER_AGENT, "accept": "application/json"}
    if request.authorized and token is not None:
        fields["authorization"] = f"Bot {token.reveal()}"
    if request.json is not None:
        fields["content-type"] = "application/json"
    if request.reason:
        fields["x-audit-log-reason"] = quote(request.reason[:MAX_REASON_LENGTH], safe="", errors="replace")
    return fields


def body_of(request: Request) -> bytes | None:
    """The body of a request, as JSON; None where it has none."""
    return None if request.json is None else msgspec.json.encode(request.json)
