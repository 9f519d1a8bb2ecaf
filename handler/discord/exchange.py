"""Send one request to Discord: layers of methods around one plain send.

    send → _send_decoding → _send_handling_rate_limits → _send_updating_limits → _send_single_request

`send` repeats with jittered back-off, but only what is safe to repeat: a request that is `repeatable`, or one that had
no effect for certain (`DiscordUnavailable` but not `OutcomeUnknown`). `_send_handling_rate_limits` waits as a rate limit
demands, if the task's deadline allows it. Nothing sleeps past the task's deadline (`handler.runtime.deadline`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from handler.discord.decode import Decode, decode_response
from handler.discord.http import Request, Response, Send
from handler.discord.rate_limits import RateLimits, Wait
from handler.errors import DiscordUnavailable, OutcomeUnknown, RateLimited, TryAgain
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.deadline import remaining

T = TypeVar("T")

# A longer wait is the caller's: a job is put back and its user told, which costs nothing while it waits.
MAX_WAIT_SECONDS: Final = 5.0
# What must be left of the deadline after a wait: Discord answers most requests within that time.
ANSWER_MARGIN_SECONDS: Final = 0.3
# A response that takes longer is lost, as a rule: the slowest that were seen took two or three seconds.
MAX_TIMEOUT_SECONDS: Final = 5.0
# With less, a slow response would be lost; near the deadline the work is cancelled from outside anyway.
MIN_TIMEOUT_SECONDS: Final = 1.0
# A hint that takes longer is worth less than the time: most lists, which are read beside it, take half of this.
HINT_TIMEOUT_SECONDS: Final = 0.5
# The random share of each pause, so that requests that failed together are not repeated together.
JITTER: Final = 0.5


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to repeat, and after how long. Pauses are in seconds; jitter shortens each by up to half."""

    attempts: int = 3  # sends in all: a fault that outlasts two pauses is not a short one
    first_pause: float = 0.2  # a dropped connection or a restarted node has recovered by then
    max_pause: float = 2.0  # a user is waiting, and the deadline cuts the rest
    rate_limit_waits: int = 3  # 429s that one request waits for: after that, the limit is not what it says

    def pause_after(self, attempt: int) -> float:
        """Seconds to wait after the send of that number, counted from 1."""
        return min(self.max_pause, self.first_pause * 2.0 ** (attempt - 1))


# For callers that repeat and wait themselves: one send per request.
NO_RETRY: Final = RetryPolicy(attempts=1, rate_limit_waits=0)
# For callers that run again soon anyway: they leave a rate limit to others.
NO_RATE_LIMIT_WAITS: Final = RetryPolicy(rate_limit_waits=0)


class Exchange:
    """The layers. Their only state is what is known of the rate limits."""

    def __init__(
        self, *, send: Send, clock: Clock, limits: RateLimits, retry: RetryPolicy, jitter: Callable[[], float]
    ) -> None:
        self._send = send
        self._clock = clock
        self._limits = limits
        self._retry = retry
        self._jitter = jitter

    async def send(self, request: Request, decode: Decode[T]) -> T:
        """Send a request, again after a fault, and decode its response.

        Raises the errors of `handler.discord.decode`, and RateLimited.
        """
        attempt, ambiguous = 1, False
        while True:
            try:
                return await self._send_decoding(request, decode)
            except TryAgain as fault:
                ambiguous = ambiguous or (isinstance(fault, OutcomeUnknown) and request.changes_something)
                pause = self._retry.pause_after(attempt)
                if not self._may_repeat(request, fault, attempt) or not await self.pause(pause):
                    if ambiguous and not isinstance(fault, OutcomeUnknown):
                        raise OutcomeUnknown(f"an earlier attempt may have been applied; then {fault}") from fault
                    raise
            telemetry.count("discord_repeats")
            attempt += 1

    async def pause(self, seconds: float) -> bool:
        """Sleep for between half of that time and all of it, and return True.

        Return False at once if the deadline leaves no time for another attempt afterwards.
        """
        seconds *= 1 - JITTER + JITTER * self._jitter()
        if not self._is_before_deadline(seconds):
            return False
        await self._clock.sleep(seconds)
        return True

    def check_rate_limit(self, request: Request) -> None:
        """Raise RateLimited if such a request is known to have to wait for longer than `send` would."""
        wait = self._limits.known_wait(request, self._clock.now())
        if wait is not None and not self._may_wait(request, wait):
            raise _rate_limited(request, wait)

    def _may_repeat(self, request: Request, fault: TryAgain, attempt: int) -> bool:
        if request.hint or attempt >= self._retry.attempts or not isinstance(fault, DiscordUnavailable):
            return False
        return request.repeatable or not isinstance(fault, OutcomeUnknown)

    async def _send_decoding(self, request: Request, decode: Decode[T]) -> T:
        return decode_response(request, await self._send_handling_rate_limits(request), decode)

    async def _send_handling_rate_limits(self, request: Request) -> Response:
        waits_left = self._retry.rate_limit_waits
        while True:
            while (wait := self._limits.acquire(request, self._clock.now())) is not None:
                await self._wait(request, wait)
            response, refused = await self._send_updating_limits(request)
            if refused is None:
                return response
            if not waits_left:
                raise _rate_limited(request, refused)
            await self._wait(request, refused)
            waits_left -= 1

    async def _wait(self, request: Request, wait: Wait) -> None:
        if not self._may_wait(request, wait):
            raise _rate_limited(request, wait)
        telemetry.count("rate_limit_waits")
        await self._clock.sleep(wait.seconds)

    def _may_wait(self, request: Request, wait: Wait) -> bool:
        return not request.hint and wait.seconds <= MAX_WAIT_SECONDS and self._is_before_deadline(wait.seconds)

    async def _send_updating_limits(self, request: Request) -> tuple[Response, Wait | None]:
        response = None
        try:
            response = await self._send_single_request(request)
        finally:
            wait = self._limits.release(request, response, self._clock.now())
        return response, wait

    async def _send_single_request(self, request: Request) -> Response:
        return await self._send(replace(request, timeout_seconds=self._timeout_seconds(request)))

    def _timeout_seconds(self, request: Request) -> float:
        """A repeatable request leaves time for a repeat: a connection that died in a freeze hangs instead of failing."""
        if request.hint:
            return HINT_TIMEOUT_SECONDS
        left = remaining(self._clock.now(), math.inf)
        return max(MIN_TIMEOUT_SECONDS, min(MAX_TIMEOUT_SECONDS, left / 2 if request.repeatable else left))

    def _is_before_deadline(self, seconds: float) -> bool:
        return seconds + ANSWER_MARGIN_SECONDS <= remaining(self._clock.now(), math.inf)


def _rate_limited(request: Request, wait: Wait) -> RateLimited:
    return RateLimited(wait.seconds, scope=wait.scope, route=request.route)
