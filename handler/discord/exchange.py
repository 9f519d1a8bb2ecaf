"""One question to Discord: an onion of methods, each named by what its skin adds around one plain send.

    answer → repeated → understood → limited → counted → send

`repeated` repeats with jittered back-off, but only what may be repeated: a request that says so, or one of which it is
certain that nothing came of it (`DiscordUnavailable` that is no `OutcomeUnknown`). `limited` waits where a rate limit
asks for it and the task's deadline allows it. No skin sleeps past the deadline of the task (`handler.clock.remaining`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from handler.discord.decode import Read, understood
from handler.discord.http import Request, Response, Send
from handler.discord.rate_limits import RateLimits, Wait
from handler.errors import DiscordUnavailable, OutcomeUnknown, RateLimited, TryAgain
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.deadline import remaining

T = TypeVar("T")

# Seconds. A longer wait is told to whoever asked: a job is put back and its user told, at no cost while it lies there.
MAX_WAIT: Final = 5.0
# Seconds that must be left of the deadline after a wait: Discord answers most requests within them.
ANSWER_MARGIN: Final = 0.3
# Seconds. An answer that takes longer is lost, as a rule: the slow ones that were seen took two or three.
MAX_PATIENCE: Final = 5.0
# Seconds. Below it a slow answer would count as none; near the deadline the work is cancelled from outside anyway.
MIN_PATIENCE: Final = 1.0
# The share of each pause that is left to chance, so that those who failed together do not come back together.
JITTER: Final = 0.5


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after how long. Pauses are in seconds and end up between half and the whole of what is said."""

    attempts: int = 3  # sends in all: a fault that outlives two pauses is no passing one
    first_pause: float = 0.2  # a dropped connection and a restarted node are over after that
    longest_pause: float = 2.0  # a user is waiting, and the deadline cuts the rest
    rate_limit_waits: int = 3  # 429s that one request waits for: after so many the limit is not what it says
    # A deferred answer can be unknown for a moment after the deferral: it was seen to take below a second, mostly.
    original_pauses: tuple[float, ...] = (0.3, 0.6, 1.2, 2.4)

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th send."""
        return min(self.longest_pause, self.first_pause * 2.0 ** (attempt - 1))


# For whoever repeats and waits by itself: one send for one question.
NO_RETRY: Final = RetryPolicy(attempts=1, rate_limit_waits=0, original_pauses=())
# For whoever comes again anyway: a 429 is for others to wait out.
NO_RATE_LIMIT_WAITS: Final = RetryPolicy(rate_limit_waits=0)


class Exchange:
    """The onion. Its only state is what is known of rate limits."""

    def __init__(
        self, *, send: Send, clock: Clock, limits: RateLimits, retry: RetryPolicy, jitter: Callable[[], float]
    ) -> None:
        self._send = send
        self._clock = clock
        self._limits = limits
        self._retry = retry
        self._jitter = jitter

    async def answer(self, request: Request, read: Read[T]) -> T:
        """What `read` makes of the answer. Raises what `handler.discord.decode` says, and RateLimited."""
        return await self._repeated(request, read)

    async def pause(self, seconds: float) -> bool:
        """Sleep for about so long and return True; False, at once, where the deadline leaves no room for a try after.

        About: between half of it and the whole.
        """
        seconds *= 1 - JITTER + JITTER * self._jitter()
        if not self._fits(seconds):
            return False
        await self._clock.sleep(seconds)
        return True

    def foresee(self, request: Request) -> None:
        """Raise RateLimited if it is known that such a request would have to wait for longer than there is time."""
        wait = self._limits.foreseen(request, self._clock.now())
        if wait is not None and not self._may_wait(wait):
            raise RateLimited(wait.seconds, scope=wait.scope, route=request.route)

    async def _repeated(self, request: Request, read: Read[T]) -> T:
        attempt, ambiguous = 1, False
        while True:
            try:
                return await self._understood(request, read)
            except TryAgain as fault:
                ambiguous = ambiguous or (isinstance(fault, OutcomeUnknown) and request.changes_something)
                if not self._may_repeat(request, fault, attempt) or not await self.pause(self._retry.pause(attempt)):
                    if ambiguous and not isinstance(fault, OutcomeUnknown):
                        raise OutcomeUnknown(f"an earlier attempt may have been applied; then {fault}") from fault
                    raise
            telemetry.count("discord_repeats")
            attempt += 1

    def _may_repeat(self, request: Request, fault: TryAgain, attempt: int) -> bool:
        if attempt >= self._retry.attempts or not isinstance(fault, DiscordUnavailable):
            return False
        return request.repeatable or not isinstance(fault, OutcomeUnknown)

    async def _understood(self, request: Request, read: Read[T]) -> T:
        return understood(request, await self._limited(request), read)

    async def _limited(self, request: Request) -> Response:
        waits_left = self._retry.rate_limit_waits
        while True:
            while (full := self._limits.enter(request, self._clock.now())) is not None:
                await self._wait(request, full)
            response, refused = await self._learned(request)
            if refused is None:
                return response
            if not waits_left:
                raise RateLimited(refused.seconds, scope=refused.scope, route=request.route)
            await self._wait(request, refused)
            waits_left -= 1

    async def _wait(self, request: Request, wait: Wait) -> None:
        if not self._may_wait(wait):
            raise RateLimited(wait.seconds, scope=wait.scope, route=request.route)
        telemetry.count("rate_limit_waits")
        await self._clock.sleep(wait.seconds)

    def _may_wait(self, wait: Wait) -> bool:
        return wait.seconds <= MAX_WAIT and self._fits(wait.seconds)

    async def _learned(self, request: Request) -> tuple[Response, Wait | None]:
        response = None
        try:
            response = await self._counted(request)
        finally:
            wait = self._limits.leave(request, response, self._clock.now())
        return response, wait

    async def _counted(self, request: Request) -> Response:
        status = None
        try:
            response = await self._send(replace(request, patience=self._patience(request)))
            status = response.status
            return response
        finally:
            telemetry.count_discord_call(request.route, status)

    def _patience(self, request: Request) -> float:
        """What may be repeated leaves time for that: a connection that died in a freeze hangs instead of failing."""
        left = remaining(self._clock.now(), math.inf)
        return max(MIN_PATIENCE, min(MAX_PATIENCE, left / 2 if request.repeatable else left))

    def _fits(self, seconds: float) -> bool:
        return seconds + ANSWER_MARGIN <= remaining(self._clock.now(), math.inf)
