"""SimulatedDiscord: one Discord with one application, as a pure function from request and moment to response.

discord = SimulatedDiscord(application_id="1000", bot_token="...")
discord.add_guild("1")
discord.add_channel("1", "10")
discord.handle(Request("GET", "/channels/10", headers=...), now)      # the answer; the effect is there
discord.exchange(...)                                                 # the same, through the faults
discord.people.rename(thread_id, "another name", now=now)              # what people do
discord.fork(), discord.fingerprint()                                 # worlds beside each other
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any, Final

from infra.simulator import interactions, permissions, rate_limits
from infra.simulator.call import Call
from infra.simulator.exchange import Drop, Hang, Outcome, Request, Response, http_date
from infra.simulator.faults import DROP, Fault, Faults
from infra.simulator.models import Channel, Guild, Message, RateRule, Thread, User
from infra.simulator.people import People
from infra.simulator.refusals import Error, Limited, Refusal, too_many_requests
from infra.simulator.router import Route, find_route
from infra.simulator.state import Identity, State, Switches

# What Discord demands of every client (Discord docs, "API Reference: User Agent").
_USER_AGENT: Final = re.compile(r"DiscordBot \([^,()]+, ?[^()]+\).*")
# Who owns a guild if nobody says.
OWNER_ID: Final = "2"
# The status under which an exchange without an answer is counted.
NO_ANSWER: Final = 0


class SimulatedDiscord:
    """The world, and everything that may be done with it.

    `calls` counts exchanges by (method, route template, status), status 0 where there was no answer; a fork begins at
    nothing, and fingerprints leave it out. `faults` are those of `exchange`. `state` is the world itself, to look at.
    """

    __slots__ = ("calls", "faults", "state")

    def __init__(
        self,
        *,
        application_id: str,
        bot_token: str,
        bot_user_id: str | None = None,
        switches: Switches | None = None,
    ) -> None:
        identity = Identity(application_id, bot_user_id or application_id, f"Bot {bot_token}")
        self.state = State(identity, switches or Switches())
        self.faults = Faults()
        self.calls: Counter[tuple[str, str, int]] = Counter()
        self.add_user(identity.bot_user_id, name="Onethread", bot=True)

    @property
    def people(self) -> People:
        return People(self.state)

    @property
    def threads(self) -> dict[str, Thread]:
        """All threads by id, a copy."""
        return dict(self.state.threads.items())

    @property
    def messages(self) -> dict[str, Message]:
        """All messages by id, a copy."""
        return dict(self.state.messages.items())

    # Requests

    def handle(self, request: Request, now: datetime) -> Response:
        """Answers a request, whose effect is there at once. Faults are not asked."""
        response = self._answer(request, now)
        self._count(request, response)
        return response

    def exchange(self, request: Request, now: datetime) -> Outcome:
        """Like `handle`, but for the faults that are set."""
        route, _, _ = find_route(request.method, request.path)
        template = route.template if route else request.path
        fault = self.faults.take(request.method, template, request.path)
        if fault is None:
            return self.handle(request, now)
        if fault.when == "after":
            self._answer(request, now)
        outcome = _outcome(fault, now)
        self._count(request, outcome)
        return outcome

    def _answer(self, request: Request, now: datetime) -> Response:
        route, args, path_exists = find_route(request.method, request.path)
        headers: dict[str, str] = {"date": http_date(now)}
        try:
            admitted = self._admit(request, route, path_exists)
            shown, limited = rate_limits.limit(
                self.state, request.method, admitted.template, args, now, counts_globally=admitted.for_bot
            )
            headers.update(shown)
            response = limited or admitted.handler(Call(self.state, request, args, now))
        except (Refusal, Limited) as refused:
            response = refused.response()
        headers.update(response.headers)
        return Response(response.status, headers, response.body)

    def _admit(self, request: Request, route: Route | None, path_exists: bool) -> Route:
        """The route, unless the client does not say what it is, the path is unknown, or the token wrong."""
        if not _USER_AGENT.fullmatch(request.headers.get("user-agent", "")):
            raise Refusal(Error.NOT_A_BOT_CLIENT)
        if route is None:
            raise Refusal(Error.METHOD_NOT_ALLOWED if path_exists else Error.NOT_FOUND)
        if route.for_bot and request.headers.get("authorization") != self.state.identity.authorization:
            raise Refusal(Error.UNAUTHORIZED)
        return route

    def _count(self, request: Request, outcome: Outcome) -> None:
        route, _, _ = find_route(request.method, request.path)
        status = outcome.status if isinstance(outcome, Response) else NO_ANSWER
        self.calls[request.method, route.template if route else "*", status] += 1

    # Worlds beside each other

    def fork(self) -> "SimulatedDiscord":
        """The same world once more, faults included, statistics not."""
        twin = SimulatedDiscord.__new__(SimulatedDiscord)
        twin.state = self.state.fork()
        twin.faults = self.faults.fork()
        twin.calls = Counter()
        return twin

    def fingerprint(self) -> Hashable:
        """A hashable value, equal for worlds that are alike, the faults that wait included."""
        return (self.state.fingerprint(), self.faults.fingerprint())

    # Building the world

    def add_guild(
        self,
        guild_id: str,
        *,
        name: str = "Guild",
        owner_id: str = OWNER_ID,
        permissions_of_bot: int | Iterable[str] = permissions.DEFAULT_PERMISSIONS,
    ) -> None:
        bits = permissions.permission_bits(permissions_of_bot)
        self.state.guilds.put(guild_id, Guild(guild_id, name, owner_id, bits))

    def add_channel(
        self,
        guild_id: str,
        channel_id: str,
        kind: int = 0,
        name: str = "general",
        *,
        permissions_of_bot: int | Iterable[str] = permissions.DEFAULT_PERMISSIONS,
        tags: Iterable[tuple[str, str]] = (),
        flags: int = 0,
        default_archive_duration: int | None = None,
    ) -> None:
        """A channel of one of Discord's types: 0 text, 5 announcements, 15 forum, 16 media, 4 category."""
        bits = permissions.permission_bits(permissions_of_bot)
        channel = Channel(channel_id, guild_id, kind, name, bits, flags, tuple(tags), default_archive_duration)
        self.state.channels.put(channel_id, channel)

    def add_user(self, user_id: str, *, name: str | None = None, bot: bool = False) -> None:
        """Introduces a user by name. Others exist as well, and are members of each guild unless they left it."""
        self.state.users.put(user_id, User(user_id, name or f"user{user_id}", bot))

    # Interactions

    def begin_interaction(
        self,
        token: str,
        interaction_id: str,
        application_id: str,
        now: datetime,
        *,
        channel_id: str = "0",
        message: dict[str, Any] | None = None,
    ) -> None:
        """A user used a command at `now`, or a button beneath `message`; the application was told."""
        interactions.begin(
            self.state, token, interaction_id, application_id, now, channel_id=channel_id, message=message
        )

    def answer_interaction(self, token: str, response_json: Any, now: datetime) -> bool:
        """Gives the inline answer, decoded JSON. False: too late, not the first, or not an answer at all."""
        return interactions.take_answer(self.state, token, response_json, now)

    def first_answer(self, token: str) -> Any:
        """The inline answer that was taken in, None if none was."""
        return interactions.first_answer(self.state, token)

    def original_response(self, token: str) -> dict[str, Any] | None:
        """What the user reads in the end, as a message; flag 128 means "thinking…". None: nothing."""
        return interactions.original_response(self.state, token)

    # Switches, limits, lies

    @property
    def switches(self) -> Switches:
        return self.state.switches

    def switch(self, **changes: object) -> None:
        """Sets switches by name (see `Switches`)."""
        self.state.switch(**changes)

    def close_nonce_window(self) -> None:
        """Forgets all nonces, as Discord does after a few minutes."""
        self.state.nonces.clear()

    def report_missing_once(self, thread_id: str) -> None:
        """The next GET of that thread is answered 404 with code 10003, whatever there is."""
        self.state.reported_missing |= {thread_id}

    def limit_route(
        self, method: str, template: str, limit: int, per: float, *, scope: str = "user", hidden: bool = False
    ) -> None:
        """`limit` requests per `per` seconds, for each channel or guild. ("*", "*") is the global limit."""
        self.state.rules.put((method, template), RateRule(limit, per, scope, hidden))

    def limit_globally(self, limit: int = 50, per: float = 1) -> None:
        """Discord's global limit: 50 requests a second, all together."""
        self.limit_route(*rate_limits.GLOBAL, limit, per, scope="global")

    def limit_once(
        self, method: str, route: str, retry_after: float, *, scope: str = "user", nth: int = 1, times: int = 1
    ) -> None:
        """The next such request is answered 429; see `Fault` for what `route` may be."""
        self.faults.inject(method, route, too_many_requests(retry_after, scope), nth=nth, times=times)


def _outcome(fault: Fault, now: datetime) -> Outcome:
    if isinstance(fault.what, Response):
        return Response(fault.what.status, {"date": http_date(now), **fault.what.headers}, fault.what.body)
    if fault.what is DROP:
        return Drop(had_effect=fault.when == "after")
    return Hang(takes_effect_late=fault.when == "late", seconds=fault.seconds)
