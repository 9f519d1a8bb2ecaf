"""The one place that builds clients: an environment for each kind of function, kept from one invocation to the next.

An environment is used by one request at a time, as on Lambda; concurrent callers in one process get one each. If the
variables have changed since it was built, it is closed and built again. At import only `prepare` builds anything.
"""

import asyncio
import contextvars
import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from handler import config
from handler.aws import clients, dynamodb, event_bus, parameter_store, sqs, step_functions
from handler.aws.event_bus import EventBus
from handler.aws.parameter_store import BotTokenParameter
from handler.aws.session import open_session
from handler.aws.sqs import Queue
from handler.aws.step_functions import StepFunctions
from handler.commands import jobs
from handler.commands.command import Commands, Completions
from handler.commands.registry import COMMANDS, COMPLETIONS
from handler.config import ApiConfig, Config, PublisherConfig, ReconcilerConfig, SessionsConfig, WorkerConfig
from handler.discord.exchange import NO_RATE_LIMIT_WAITS, RetryPolicy
from handler.discord.rest import Discord, RateLimits, TokenSource
from handler.discord.wire import build_client, httpx_send
from handler.errors import ConfigurationError
from handler.runtime import telemetry
from handler.runtime.clock import Clock, SystemClock
from handler.runtime.metrics import Tally
from handler.sessions.context import Context
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.sessions.reconcile.pace import Pace
from handler.sessions.settings import Settings, trace_after
from handler.store.store import Store

if TYPE_CHECKING:
    import httpx

C = TypeVar("C", bound=Config)
K = TypeVar("K", bound=Config)
T = TypeVar("T")
# The inner function of an entrance: environment, event, request id, seconds until Lambda ends the invocation.
Handle = Callable[["Environment[C]", Any, str, float], Coroutine[Any, Any, T]]

ON_LAMBDA: Final = "AWS_LAMBDA_RUNTIME_API"  # where a runtime asks for invocations: set by Lambda and by its emulator


class Environment(Generic[C]):
    """The parts that requests work with, one request at a time, on one event loop. Each is built at its first use."""

    def __init__(
        self,
        settings: C,
        *,
        clock: Clock | None = None,
        commands: Commands = COMMANDS,
        completions: Completions = COMPLETIONS,
        aws: clients.AwsSession | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self.config = settings
        self.clock = clock or SystemClock()
        self.refusals = Tally()  # of requests that are not Discord's
        self.commands = commands
        self.completions = completions
        self._aws = aws
        self._transport = transport
        self._runner = asyncio.Runner(loop_factory=loop_factory)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end on the loop that the connections belong to, in a new context."""
        return self._runner.run(work, context=contextvars.copy_context())

    async def with_token(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work; if the bot's token is still to be read from its parameter, read it at the same time."""
        with closing(work):  # it has not begun if the token's client cannot be built
            if self.token.is_known:
                return await work
            read = asyncio.ensure_future(self.token.get())
            try:
                return await work
            finally:
                read.cancel()
                await asyncio.gather(read, return_exceptions=True)  # the work has met its error, if there was one

    @property
    def _settings(self) -> SessionsConfig:
        return self._as(SessionsConfig)

    def _as(self, kind: type[K]) -> K:
        """The configuration, of the kind that has what is asked for: no function asks for what it is not given."""
        assert isinstance(self.config, kind)  # noqa: S101 - as above
        return self.config

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(
            Context(
                store=Store(call=self.dynamodb, table=self._settings.sessions_table),
                discord=self.discord,
                names=Names(self._settings.session_name_prefix),
                clock=self.clock,
                application_id=self._settings.application_id,
                defaults=Settings.from_config(self._settings),
                allowed_guilds=self._settings.allowed_guilds,
                member_creations_per_hour=self._settings.member_creations_per_hour,
                answers_tasks=isinstance(self.config, ApiConfig) and self.config.step_functions_callbacks,
                trace_after=trace_after(self._settings),
            )
        )

    @cached_property
    def discord(self) -> Discord:
        """The REST client. The reconciler does not wait for a 429, commands do."""
        return Discord(
            send=httpx_send(self.http, self.token),
            application_id=self._settings.application_id,
            clock=self.clock,
            limits=RateLimits(),
            retry=NO_RATE_LIMIT_WAITS if isinstance(self.config, ReconcilerConfig) else RetryPolicy(),
        )

    @cached_property
    def token(self) -> TokenSource:
        read = None if self.token_parameter is None else self.token_parameter.read
        return TokenSource(self._settings.bot_token, clock=self.clock, read=read)

    @cached_property
    def jobs(self) -> Queue:
        return self._queue(self._as(WorkerConfig).jobs_queue_url, jobs.READ_TIMEOUT_SECONDS)

    @cached_property
    def reconcile_queue(self) -> Queue:
        return self._queue(self._as(ReconcilerConfig).reconcile_queue_url, sqs.READ_TIMEOUT_SECONDS)

    @cached_property
    def event_bus(self) -> EventBus:
        client = self._client("events", event_bus.READ_TIMEOUT_SECONDS)
        return EventBus(client, self._as(PublisherConfig).event_bus_name)

    @cached_property
    def step_functions(self) -> StepFunctions | None:
        """Built for the first task that is to be answered; None: this deployment answers none."""
        if not self._as(PublisherConfig).step_functions_callbacks:
            return None
        return StepFunctions(self._client("stepfunctions", step_functions.READ_TIMEOUT_SECONDS))

    @cached_property
    def publisher_dead_letters(self) -> Queue:
        return self._queue(self._as(PublisherConfig).publisher_dead_letters_url, sqs.READ_TIMEOUT_SECONDS)

    def _queue(self, url: str, read_timeout: float) -> Queue:
        return Queue(self._client("sqs", read_timeout), url)

    def _client(self, name: str, read_timeout: float) -> Any:
        return clients.build_client(self.aws_session, name, read_timeout=read_timeout)

    @cached_property
    def pace(self) -> Pace:
        """The pace that all guilds of this environment share."""
        return Pace(self.clock)

    @cached_property
    def token_parameter(self) -> BotTokenParameter | None:
        if self._settings.bot_token is not None or self._settings.bot_token_parameter is None:
            return None
        client = self._client("ssm", parameter_store.READ_TIMEOUT_SECONDS)
        return BotTokenParameter(client, self._settings.bot_token_parameter)

    @cached_property
    def http(self) -> "httpx.AsyncClient":
        return build_client(self._settings.api_url, transport=self._transport)

    @cached_property
    def dynamodb(self) -> dynamodb.DynamoDB:
        return dynamodb.build(self.clock, self.aws_session)

    @cached_property
    def aws_session(self) -> clients.AwsSession:
        return self._aws or open_session()

    def warm(self) -> None:
        """Build everything now, without a remote call."""
        self._runner.get_loop()
        if isinstance(self.config, PublisherConfig):
            _ = self.event_bus  # the dead letters are for what should never come, and tasks seldom wait
            return
        _ = self.sessions, self.discord
        if isinstance(self.config, WorkerConfig):
            _ = self.jobs
        if isinstance(self.config, ReconcilerConfig):
            _ = self.reconcile_queue
        import_lazy_modules()

    def close(self) -> None:
        """Close what was built. Threads at work end by themselves."""
        for client in vars(self).values():
            if isinstance(client, clients.ThreadedClient):
                client.close()
        if "http" in vars(self):
            self.run(self.http.aclose())
        self._runner.close()


def import_lazy_modules() -> None:
    """Import what the libraries import only at their first request: INIT is the time for that too."""
    for name in _LAZY_MODULES:
        __import__(name)


# A test that compares the loaded modules before and after a first request keeps this list complete.
_LAZY_MODULES: Final = ("anyio._backends._asyncio", "encodings.idna")

_Origin = tuple[int, int]  # the process, and the variables of its environment
_idle_environments: "dict[type[Config], list[tuple[_Origin, Environment[Any]]]]" = {}


def build(kind: type[C]) -> Environment[C]:
    """An environment from this process's variables. Raises ConfigurationError before any client is built."""
    settings = config.load(kind, os.environ)
    telemetry.configure(settings.log_level)
    return Environment(settings)


@contextmanager
def environment(kind: type[C]) -> Iterator[Environment[C]]:
    """An environment for exclusive use: an idle one, else a new one. Raises ConfigurationError."""
    origin = _origin()
    used = _take_idle(kind, origin) or build(kind)
    try:
        yield used
    except Exception:
        _keep(kind, origin, used)
        raise
    except BaseException:  # interrupted: some of its work may be going on
        used.close()
        raise
    _keep(kind, origin, used)


def invoke(kind: type[C], handle: "Handle[C, T]", event: Any, context: Any) -> T:
    """One invocation by Lambda."""
    seconds = context.get_remaining_time_in_millis() / 1000
    with environment(kind) as used:
        return used.run(handle(used, event, context.aws_request_id, seconds))


def prepare(kind: type[Config]) -> None:
    """Build everything in Lambda's INIT phase; do nothing outside Lambda. Each entrance calls this at its import.

    INIT has a full processor and does not count as the request. Its errors are left to the first invocation, which
    meets the same ones and can report them.
    """
    if ON_LAMBDA not in os.environ:
        return
    built = None
    try:
        built = build(kind)
        built.warm()
    except ConfigurationError:
        pass
    except Exception:
        telemetry.logger.exception("not everything could be built in INIT")
    gc.freeze()  # what was imported and built stays
    gc.enable()  # off since the import of `handler`
    if built is not None:
        _keep(kind, _origin(), built)


def close_all() -> None:
    """Close every idle environment. Lambda just ends the process; other callers need this."""
    for environments in _idle_environments.values():
        while environments:
            environments.pop()[1].close()


def _origin() -> _Origin:
    return os.getpid(), config.fingerprint(os.environ)


def _take_idle(kind: type[C], origin: _Origin) -> Environment[C] | None:
    environments = _idle_environments.setdefault(kind, [])
    while environments:
        built_from, idle = environments.pop()
        if built_from == origin:
            return idle
        if built_from[0] == origin[0]:  # another process's connections are not ours to close
            idle.close()
    return None


def _keep(kind: type[Config], origin: _Origin, used: Environment[Any]) -> None:
    _idle_environments.setdefault(kind, []).append((origin, used))
