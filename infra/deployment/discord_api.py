"""Discord's API for the programs that a person runs: each failure is a sentence that says what to do.

It does not wait for rate limits and repeats nothing: a person is there to try again. The token is never shown.
"""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

import httpx

from handler.discord.http import USER_AGENT

API_URL: Final = "https://discord.com/api/v10"
TIMEOUT_SECONDS: Final = 30.0  # long, because a person waits and a needless failure is worse


class DiscordError(Exception):
    """A request that did not work. The text says why and what to do. `code`, `errors`: Discord's own, if it gave any."""

    def __init__(self, text: str, *, status: int = 0, code: int = 0, errors: Any = None) -> None:
        super().__init__(text)
        self.status, self.code, self.errors = status, code, errors


class Forbidden(DiscordError):
    """Discord knows who asks, and does not allow it."""


class DiscordApi:
    """Requests with a bot's token. Raises DiscordError, at once for a token or an address that cannot be one."""

    def __init__(
        self, token: str, *, url: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if not token.isascii() or any(character.isspace() for character in token):
            raise DiscordError("the bot's token is not valid: copy it without quotes or spaces.")
        self.clock: datetime | None = None  # Discord's, as the last answer had it
        headers = {"Authorization": f"Bot {token}", "User-Agent": USER_AGENT}
        try:
            self._http = httpx.AsyncClient(
                base_url=f"{(url or API_URL).rstrip('/')}/",
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                transport=transport,
            )
        except httpx.InvalidURL:
            raise DiscordError("DISCORD_API_URL is no address.") from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request that is answered with an object."""
        answer = await self._send(method, path, body)
        if not isinstance(answer, dict):
            raise _foreign()
        return answer

    async def find(self, path: str) -> dict[str, Any] | None:
        """What is there; None if the bot may not see it, or it is gone."""
        try:
            return await self.call("GET", path)
        except DiscordError as error:
            if error.status not in (403, 404):
                raise
            return None

    async def list(self, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
        """A request that is answered with a list of objects."""
        answer = await self._send(method, path, body)
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise _foreign()
        return answer

    async def _send(self, method: str, path: str, body: Any) -> Any:
        try:
            response = await self._http.request(method, path.removeprefix("/"), json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DiscordError(
                f"Discord could not be reached ({type(error).__name__}). Check the network and try again."
            ) from None
        with contextlib.suppress(ValueError, TypeError):
            self.clock = parsedate_to_datetime(response.headers.get("date", ""))
        if not response.is_success:
            raise _explain(response)
        try:
            return response.json()
        except ValueError:
            return None


def _foreign() -> DiscordError:
    return DiscordError("the answer is not Discord's: does something between here and Discord answer in its place?")


def _explain(response: httpx.Response) -> DiscordError:
    """What a refusal means, and what to do about it."""
    body = _body(response)
    kind = Forbidden if response.status_code == 403 else DiscordError
    return kind(
        _text(response.status_code, body),
        status=response.status_code,
        code=code if isinstance(code := body.get("code"), int) else 0,
        errors=body.get("errors"),
    )


def _text(status: int, body: Mapping[str, Any]) -> str:
    if status == 401:
        return "Discord does not accept this bot token. Copy the current one from the developer portal's Bot page."
    if status == 403:
        return (
            f"Discord does not allow it ({body.get('message', 'no reason given')}). "
            "The application must be in the guild, with the scope applications.commands."
        )
    if status == 404:
        return (
            "Discord does not know this application or guild. Compare --guild with what Discord shows (Copy Server ID)."
        )
    if status == 429:
        seconds = body.get("retry_after")
        return f"Too many requests: try again in {f'{seconds} seconds' if seconds else 'a while'}."
    if status >= 500:
        return f"Discord has a problem (status {status}). Try again in a few minutes."
    return f"Discord refused it (status {status}): {body.get('message', '')} {body.get('errors', '')}".strip()


def _body(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an error; empty if a proxy answered with something else."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
