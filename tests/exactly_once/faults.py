"""What goes wrong with one remote call: on Discord's wire, on DynamoDB's, before or after its effect, or much later."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.simulator.faults import DROP, HANG, bad_gateway, error, server_error
from infra.simulator.refusals import too_many_requests
from tests.kit.aws_faults import Fault as DynamoFault
from tests.kit.aws_faults import What
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call

OUTLASTING: Final = 9  # more often than any call is repeated
LANDS_SOON: Final = 20.0  # seconds: past every deadline here, within the nonce's window
LANDS_LATE: Final = 400.0  # seconds: the nonce is forgotten by then
SHORT_LIMIT: Final = 1.0
LONG_LIMIT: Final = 240.0
TOKEN_PAUSE: Final = 300.0  # as long nothing is sent after a 401

UNAVAILABLE: Final = frozenset({"discord_unavailable", "timed_out"})
STORE: Final = frozenset({"store_unavailable", "timed_out"})


@dataclass(frozen=True)
class Fault:
    """`kinds`: what the opener may be told if he is not served; `over`: seconds until it is over; `on`: which calls.

    `lands`: the call has its effect when nobody waits for it any more.
    """

    name: str
    wire: str
    strike: Callable[[Guild, Call], None]
    kinds: frozenset[str] = frozenset()
    over: float = 0.0
    on: Callable[[Call], bool] = lambda _: True
    lands: bool = False

    @property
    def alike(self) -> bool:
        """Whether another fault of the list looks the same to an opener: below it, the seams' own tests tell them apart."""
        return str(self) in ALIKE

    def __str__(self) -> str:
        return f"{self.wire}: {self.name}"

    def hits(self, call: Call) -> bool:
        return call.wire == self.wire and self.on(call)


def _discord(
    name: str,
    what: Any,
    kinds: frozenset[str],
    *,
    over: float = 0.0,
    on: Callable[[Call], bool] = lambda _: True,
    **how: Any,
) -> Fault:
    def strike(guild: Guild, call: Call) -> None:
        method, _, template = call.what.partition(" ")
        guild.discord.faults.inject(method, template, what, nth=call.nth, **how)

    return Fault(name, "discord", strike, kinds, over, on, lands=what is HANG)


def _dynamodb(
    name: str, what: What, kinds: frozenset[str] = STORE, *, times: int = 1, on: Callable[[Call], bool] = lambda _: True
) -> Fault:
    def strike(guild: Guild, call: Call) -> None:
        first = guild.wire.sent[call.what] + call.nth
        guild.wire.faults += [DynamoFault(call.what, first + later, what) for later in range(times)]

    return Fault(name, "dynamodb", strike, kinds, on=on, lands=what in ("hang", "late"))


def _on_message(call: Call) -> bool:
    return "messages" in call.what


def _of_channel(call: Call) -> bool:
    return "/channels/" in call.what


def _of_guild(call: Call) -> bool:
    return "/guilds/" in call.what


def _of_place(call: Call) -> bool:
    return _of_channel(call) or _of_guild(call)


def _writes(call: Call) -> bool:
    return call.what in ("UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems")


NOTHING: Final[frozenset[str]] = frozenset()
LIMITED: Final = frozenset({"rate_limited"})
REFUSED: Final = frozenset({"missing_permissions", "missing_access"})
GONE_IT_SAYS: Final = UNAVAILABLE | {"channel_gone"}

FAULTS: Final = (
    _discord("refused", DROP, UNAVAILABLE, times=OUTLASTING),
    _discord("answer lost once", DROP, NOTHING, when="after"),
    _discord("answers lost", DROP, UNAVAILABLE, when="after", times=OUTLASTING),
    _discord("hangs, lands soon", HANG, UNAVAILABLE, when="late", seconds=LANDS_SOON, times=OUTLASTING),
    _discord("hangs, lands late", HANG, UNAVAILABLE, when="late", seconds=LANDS_LATE, times=OUTLASTING),
    _discord("hangs once, lands soon", HANG, UNAVAILABLE, when="late", seconds=LANDS_SOON),
    _discord("500", server_error(), UNAVAILABLE, times=OUTLASTING),
    _discord("500 after the effect", server_error(), UNAVAILABLE, when="after", times=OUTLASTING),
    _discord("502 with HTML", bad_gateway(), UNAVAILABLE, times=OUTLASTING),
    _discord("429, short", too_many_requests(SHORT_LIMIT), NOTHING),
    _discord("429, long", too_many_requests(LONG_LIMIT), LIMITED, over=LONG_LIMIT),
    _discord("401", error(401, 0, "401: Unauthorized"), frozenset({"bot_token_refused"}), over=TOKEN_PAUSE),
    _discord("403, permissions", error(403, 50013, "Missing Permissions"), REFUSED, on=_of_place),
    _discord("403, access", error(403, 50001, "Missing Access"), REFUSED, on=_of_place),
    _discord("404, channel", error(404, 10003, "Unknown Channel"), GONE_IT_SAYS, on=_of_channel),
    _discord("404, guild", error(404, 10004, "Unknown Guild"), REFUSED, on=_of_guild),
    _discord("404, message", error(404, 10008, "Unknown Message"), UNAVAILABLE, on=_on_message),
    _dynamodb("refused", "refused", times=OUTLASTING),
    _dynamodb("time-outs before the effect", "timeout_before", times=OUTLASTING),
    _dynamodb("answer lost once", "lost", NOTHING),
    _dynamodb("answers lost", "lost", times=OUTLASTING),
    _dynamodb("time-outs after the effect", "timeout_after", times=OUTLASTING),
    _dynamodb("hangs, then lands", "hang"),
    _dynamodb("times out once, lands later", "late", NOTHING),
    _dynamodb("times out, lands later", "late", times=OUTLASTING),
    _dynamodb("500", "500", times=OUTLASTING),
    _dynamodb("500 after the effect once", "500_after", NOTHING),
    _dynamodb("502 with HTML", "html", times=OUTLASTING),
    _dynamodb("throttled", "throttled", times=OUTLASTING),
    _dynamodb("conflict once", "conflict", NOTHING, on=_writes),
    _dynamodb("conflict", "conflict", times=OUTLASTING, on=_writes),
    _dynamodb("access denied", "access_denied"),
)
ALIKE: Final = {
    "discord: hangs, lands soon",
    "discord: 500 after the effect",
    "discord: 502 with HTML",
    "discord: 403, access",
    "dynamodb: time-outs before the effect",
    "dynamodb: time-outs after the effect",
    "dynamodb: 500",
    "dynamodb: 500 after the effect once",
    "dynamodb: 502 with HTML",
    "dynamodb: throttled",
    "dynamodb: conflict",
}
