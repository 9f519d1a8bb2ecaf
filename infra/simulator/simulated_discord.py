"""SimulatedDiscord: one Discord with one application, as a pure function from request and moment to response.

discord = SimulatedDiscord(application_id="1000", bot_token="...")
discord.add_guild("1")
discord.add_channel("1", "10")
discord.handle(Request("GET", "/channels/10", headers=...), now)      # the response; the effect has happened
discord.exchange(...)                                                 # the same, with faults
discord.people.rename(thread_id, "another name", now=now)             # what people do
discord.fork(), discord.fingerprint()                                 # independent copies, and whether they are equal
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any, Final

from infra.simulator import interactions, rate_limits
from infra.simulator.call import Call
from infra.simulator.exchange import Drop, Hang, Outcome, Request, Response, http_date
from infra.simulator.faults import DROP, Fault, Faults
from infra.simulator.models import Channel, Guild, Message, RateRule, Thread, User
from infra.simulator.people import People
from infra.simulator.permissions import DEFAULT_PERMISSIONS
from infra.simulator.refusals import Error, RateLimited, Refusal, too_many_requests
from infra.simulator.router import Route, find_route
from infra.simulator.state import NO_KEY, Identity, State, Switches

# What every client must send (Discord docs, "API Reference: User Agent").
_USER_AGENT: Final = re.compile(r"DiscordBot \([^,()]+, ?[^()]+\).*")
# The owner of a guild, if none is named.
OWNER_ID: Final = "2"
# The status in `calls` of an exchange without an answer.
NO_ANSWER: Final = 0


class SimulatedDiscord:
    """The state, and everything that can be done with it."""

    __slots__ = ("calls", "faults", "state")

    def __init__(
        self,
        *,
        application_id: str,
        bot_token: str,
        bot_user_id: str | None = None,
        public_key: str = NO_KEY,
        switches: Switches | None = None,
    ) -> None:
        identity = Identity(application_id, bot_user_id or application_id, f"Bot {bot_token}", public_key)
        self.state = State(identity, switches or Switches())  # to read
        self.faults = Faults()  # of `exchange`
        # Exchanges by method, route template and status. A fork begins at zero, and fingerprints leave it out.
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
        """Answer a request, with its effect. Ignores faults."""
        response = self._answer(request, now)
        self._count(request, response)
        return response

    def exchange(self, request: Request, now: datetime) -> Outcome:
        """Answer a request, or do what a fault says."""
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
            shown, limited = rate_limits.count_request(
                self.state, request.method, admitted.template, args, now, counts_globally=admitted.for_bot
            )
            headers.update(shown)
            response = limited or admitted.handler(Call(self.state, request, args, now))
        except (Refusal, RateLimited) as refused:
            response = refused.response
        headers.update(response.headers)
        return Response(response.status, headers, response.body)

    def _admit(self, request: Request, route: Route | None, path_exists: bool) -> Route:
        """The route of a request. Refuses a client without a name, an unknown path, a wrong token."""
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

    # Copies

    def fork(self) -> "SimulatedDiscord":
        """An independent copy with the same faults."""
        twin = SimulatedDiscord.__new__(SimulatedDiscord)
        twin.state = self.state.fork()
        twin.faults = self.faults.fork()
        twin.calls = Counter()
        return twin

    def fingerprint(self) -> Hashable:
        """A hashable value, equal if state and faults are equal."""
        return (self.state.fingerprint(), self.faults.fingerprint())

    # Building

    def add_guild(self, guild_id: str, *, name: str = "Guild", owner_id: str = OWNER_ID) -> None:
        self.state.guilds.put(guild_id, Guild(guild_id, name, owner_id, DEFAULT_PERMISSIONS))

    def add_channel(
        self,
        guild_id: str,
        channel_id: str,
        kind: int = 0,
        name: str = "general",
        *,
        tags: Iterable[tuple[str, str]] = (),
        moderated_tags: Iterable[str] = (),
        flags: int = 0,
    ) -> None:
        """Add a channel of one of Discord's types: 0 text, 4 category, 5 announcements, 15 forum, 16 media."""
        channel = Channel(
            channel_id, guild_id, kind, name, DEFAULT_PERMISSIONS, flags, tuple(tags), frozenset(moderated_tags)
        )
        self.state.channels.put(channel_id, channel)

    def add_user(self, user_id: str, *, name: str | None = None, bot: bool = False) -> None:
        """Name a user. Others exist as well, and are members of each guild that they have not left."""
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
        """A user used a command, or pressed a button beneath `message`."""
        interactions.begin(
            self.state, token, interaction_id, application_id, now, channel_id=channel_id, message=message
        )

    def answer_interaction(self, token: str, response_json: Any, now: datetime) -> bool:
        """Give the first answer, as decoded JSON. Return False if it is late, a second one, or invalid."""
        return interactions.take_answer(self.state, token, response_json, now)

    def first_answer(self, token: str) -> Any:
        """The first answer; None if none was taken."""
        return interactions.first_answer(self.state, token)

    def original_response(self, token: str) -> dict[str, Any] | None:
        """What the user reads, as a message; None if there is none. Flag 128 means "thinking…"."""
        return interactions.original_response(self.state, token)

    # Switches and limits

    @property
    def switches(self) -> Switches:
        return self.state.switches

    def switch(self, **changes: object) -> None:
        """Set switches by name (see `Switches`)."""
        self.state.switch(**changes)

    def close_nonce_window(self) -> None:
        """Forget all nonces, as Discord does after a few minutes."""
        self.state.nonces.clear()

    def report_missing_once(self, thread_id: str) -> None:
        """Answer the next GET of that thread with 404 and code 10003, even if it exists."""
        self.state.reported_missing |= {thread_id}

    def stop_search_index(self) -> None:
        """Let the thread search know what there is now, and nothing that comes later."""
        self.state.search_index = tuple(self.state.threads.values())

    def resume_search_index(self) -> None:
        self.state.search_index = None

    def limit_route(
        self, method: str, template: str, limit: int, per: float, *, scope: str = "user", hidden: bool = False
    ) -> None:
        """Allow `limit` requests in `per` seconds for each channel or guild. ("*", "*") is the global limit."""
        self.state.rules.put((method, template), RateRule(limit, per, scope, hidden))

    def limit_globally(self, limit: int = 50, per: float = 1) -> None:
        """Apply Discord's global limit: 50 requests a second in total."""
        self.limit_route(*rate_limits.GLOBAL, limit, per, scope="global")

    def limit_once(
        self, method: str, route: str, retry_after: float, *, scope: str = "user", nth: int = 1, times: int = 1
    ) -> None:
        """Answer the next such request with 429; see `Fault` for `route`."""
        self.faults.inject(method, route, too_many_requests(retry_after, scope), nth=nth, times=times)


def _outcome(fault: Fault, now: datetime) -> Outcome:
    if isinstance(fault.what, Response):
        return Response(fault.what.status, {"date": http_date(now), **fault.what.headers}, fault.what.body)
    if fault.what is DROP:
        return Drop(had_effect=fault.when == "after")
    return Hang(takes_effect_late=fault.when == "late", seconds=fault.seconds)
