"""The one place that builds clients: an environment for each kind of function, kept from one invocation to the next.

An environment takes one request at a time, as on Lambda; callers in one process that overlap get one each. One that was
built from other variables than those of now is closed and built anew. Nothing is built at import, except by `prepare`.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from handler import config
from handler.aws import clients, dynamodb, parameter_store, reconcile_queue
from handler.aws.parameter_store import BotTokenParameter
from handler.aws.reconcile_queue import ReconcileQueue
from handler.commands import jobs
from handler.commands.command import Commands
from handler.commands.jobs import JobsQueue
from handler.commands.registry import COMMANDS
from handler.config import Config, ReconcilerConfig, WorkerConfig
from handler.discord.exchange import NO_RATE_LIMIT_WAITS, RetryPolicy
from handler.discord.rest import Discord, RateLimits, TokenSource, build_client, httpx_send
from handler.errors import ConfigurationError
from handler.runtime import telemetry
from handler.runtime.clock import Clock, SystemClock
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.pace import Pace
from handler.store.store import Store

if TYPE_CHECKING:
    import httpx
    from boto3.session import Session as AwsSession

C = TypeVar("C", bound=Config)
T = TypeVar("T")

ON_LAMBDA: Final = "AWS_LAMBDA_RUNTIME_API"  # where a runtime asks for invocations: set by Lambda and by its emulator


class Environment(Generic[C]):
    """What one request at a time works with, on one event loop. Each part is built once, when it is first used."""

    def __init__(
        self,
        settings: C,
        *,
        clock: Clock | None = None,
        commands: Commands = COMMANDS,
        aws: "AwsSession | None" = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self.config = settings
        self.clock = clock or SystemClock()
        self.commands = commands
        self._aws = aws
        self._transport = transport
        self._runner = asyncio.Runner(loop_factory=loop_factory)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, on the loop to which the connections belong, in a context of its own."""
        return self._runner.run(work, context=contextvars.copy_context())

    async def with_token(self, work: Coroutine[Any, Any, T]) -> T:
        """The work, and beside its first steps the token is read, where that is a parameter and was not read yet."""
        if self.token.is_known:
            return await work
        reading = asyncio.ensure_future(self.token.get())
        try:
            return await work
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)  # what went wrong, the work has met itself

    @cached_property
    def names(self) -> Names:
        return Names(self.config.session_name_prefix)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(
            store=Store(call=self.dynamodb, table=self.config.sessions_table),
            discord=self.discord,
            names=self.names,
            clock=self.clock,
            application_id=self.config.application_id,
            auto_archive_minutes=self.config.auto_archive_minutes,
            unlock_policy=self.config.unlock_policy,
            trace_after=HousekeepingSettings.of(0, self.config.delete_after_days, "archive").trace_after,
        )

    @cached_property
    def discord(self) -> Discord:
        """The REST client. The reconciler gives way where a command waits."""
        return Discord(
            send=httpx_send(self.http, self.token),
            application_id=self.config.application_id,
            clock=self.clock,
            limits=RateLimits(),
            retry=NO_RATE_LIMIT_WAITS if isinstance(self.config, ReconcilerConfig) else RetryPolicy(),
        )

    @cached_property
    def token(self) -> TokenSource:
        read = None if self.token_parameter is None else self.token_parameter.read
        return TokenSource(self.config.bot_token, clock=self.clock, read=read)

    @cached_property
    def jobs(self) -> JobsQueue:
        assert isinstance(self.config, WorkerConfig)  # noqa: S101 - only the webhook and the worker ask for it
        client = clients.client(self.aws_session, "sqs", read_timeout=jobs.READ_TIMEOUT_SECONDS)
        return JobsQueue(client, self.config.jobs_queue_url)

    @cached_property
    def reconcile_queue(self) -> ReconcileQueue:
        assert isinstance(self.config, ReconcilerConfig)  # noqa: S101 - only the reconciler asks for it
        client = clients.client(self.aws_session, "sqs", read_timeout=reconcile_queue.READ_TIMEOUT_SECONDS)
        return ReconcileQueue(client, self.config.reconcile_queue_url)

    @cached_property
    def pace(self) -> Pace:
        """Of all the guilds that this environment runs."""
        return Pace(self.clock)

    @cached_property
    def token_parameter(self) -> BotTokenParameter | None:
        if self.config.bot_token is not None or self.config.bot_token_parameter is None:
            return None
        client = clients.client(self.aws_session, "ssm", read_timeout=parameter_store.READ_TIMEOUT_SECONDS)
        return BotTokenParameter(client, self.config.bot_token_parameter)

    @cached_property
    def http(self) -> "httpx.AsyncClient":
        return build_client(self.config.api_url, transport=self._transport)

    @cached_property
    def dynamodb(self) -> dynamodb.DynamoDB:
        return dynamodb.build(self.clock, self.aws_session)

    @cached_property
    def aws_session(self) -> "AwsSession":
        from boto3.session import Session

        return self._aws or Session()

    def warm(self) -> None:
        """Build everything now. No remote call is made."""
        self._runner.get_loop()
        _ = self.sessions, self.discord
        if isinstance(self.config, WorkerConfig):
            _ = self.jobs
        if isinstance(self.config, ReconcilerConfig):
            _ = self.reconcile_queue
        import_lazy_modules()

    def close(self) -> None:
        """Let go of what was built. Threads at work finish by themselves."""
        built = self.__dict__
        for name in ("dynamodb", "jobs", "reconcile_queue", "token_parameter"):
            if built.get(name) is not None:
                built[name].close()
        if "http" in built:
            self.run(self.http.aclose())
        self._runner.close()


def import_lazy_modules() -> None:
    """Import what the libraries import only at their first request: it belongs to INIT, too."""
    for name in _LAZY_MODULES:
        __import__(name)


# Found by a test that compares the loaded modules before and after a first request.
_LAZY_MODULES: Final = ("anyio._backends._asyncio", "boto3.dynamodb.types", "encodings.idna")

_Origin = tuple[int, int]  # the process, and the variables of its environment
_idle_environments: "dict[type[Config], list[tuple[_Origin, Environment[Any]]]]" = {}


def build(kind: type[C]) -> Environment[C]:
    """An environment from this process's variables. Raises ConfigurationError before any client is built."""
    settings = config.load(kind, os.environ)
    telemetry.configure(settings.log_level)
    return Environment(settings)


@contextmanager
def environment(kind: type[C]) -> Iterator[Environment[C]]:
    """An environment to use alone: one that is idle, else a new one. Raises ConfigurationError."""
    origin = _origin()
    borrowed = _take(kind, origin) or build(kind)
    try:
        yield borrowed
    except BaseException as fault:
        if not isinstance(fault, Exception):  # interrupted somewhere: what it was doing may be going on
            borrowed.close()
            raise
        _put_back(kind, origin, borrowed)
        raise
    _put_back(kind, origin, borrowed)


def invoke(kind: type[C], work: Callable[[Environment[C]], Coroutine[Any, Any, T]]) -> T:
    """One invocation."""
    with environment(kind) as borrowed:
        return borrowed.run(work(borrowed))


def prepare(kind: type[Config]) -> None:
    """Called by each entrance at its import: in Lambda's INIT phase, build everything; anywhere else, do nothing.

    INIT has a full processor and is no part of the request. Faults are kept for the first invocation, which meets the
    same ones and can tell them.
    """
    if ON_LAMBDA not in os.environ:
        return
    try:
        built = build(kind)
    except ConfigurationError:
        return
    try:
        built.warm()
    except Exception:
        telemetry.logger.exception("not everything could be built ahead")
    _put_back(kind, _origin(), built)


def close_all() -> None:
    """Close every idle environment: for callers other than Lambda, which just ends."""
    for environments in _idle_environments.values():
        while environments:
            environments.pop()[1].close()


def _origin() -> _Origin:
    return os.getpid(), config.fingerprint(os.environ)


def _take(kind: type[C], origin: _Origin) -> Environment[C] | None:
    environments = _idle_environments.setdefault(kind, [])
    while environments:
        built_from, idle = environments.pop()
        if built_from == origin:
            return idle
        if built_from[0] == origin[0]:  # another process's connections are not ours to close
            idle.close()
    return None


def _put_back(kind: type[Config], origin: _Origin, used: Environment[Any]) -> None:
    _idle_environments.setdefault(kind, []).append((origin, used))
