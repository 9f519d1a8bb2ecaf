"""The local stack: the whole of Onethread on loopback, around the real handlers.

    people ──HTTP──> gateway ──> WebhookFunction ──> queue ──> WorkerFunction        each in environments of its own
                                       └──> DynamoDB, SQS, SSM (`aws`)     └──> simulated Discord

Ports are free ones unless given. `start` returns when everything answers; `close` leaves nothing behind but what is in
the folder of `memory`.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from infra.cloudformation import TEMPLATE
from infra.events.containers import BOT_TOKEN_PARAMETER, TABLE
from infra.interactions import DEVELOPMENT_APPLICATION_ID, DEVELOPMENT_CHANNEL_ID, DEVELOPMENT_GUILD_ID, development_key
from infra.lambda_events import schedule_event
from infra.local.calls import address_for_environments
from infra.local.discord import LocalDiscord
from infra.local.functions import Function, Pool, Result, start_fork_server
from infra.local.gateway import http_api, lambda_api
from infra.local.http_client import call
from infra.local.template import Template
from infra.loopback import Loopback
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.saved_rows import SavedRows, Unreadable

BOT_TOKEN: Final = "made-up-bot-token"
# The emulation imports its libraries for a second; a busy machine takes several times as long.
MAX_AWS_START_SECONDS: Final = 60.0
# A run of the reconciler takes half a second; a busy machine, and a cold start, take several times as long.
MAX_RECONCILE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05


class StartFailed(Exception):
    """The stack could not start; the text says why and what to do."""


@dataclass
class Ports:
    """Where to listen; 0 is any free port. `invocations` is Lambda's own API, for programs."""

    gateway: int = 0
    discord: int = 0
    aws: int = 0
    invocations: int = 0


@dataclass
class Stack:
    """`parameters`: the template's, instead of their defaults. `verbose`: the functions' logs go to stderr.

    `memory`: the folder in which the table and the simulated Discord are remembered, this stack's alone as long as it runs;
    None: they are forgotten.
    """

    ports: Ports = field(default_factory=Ports)
    parameters: Mapping[str, str] = field(default_factory=dict)
    verbose: bool = False
    memory: Path | None = None

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start everything, the slow parts side by side. Raises StartFailed, with nothing left running."""
        self._closing = ExitStack()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End everything that was started."""
        self._closing.close()

    def _start(self) -> None:
        for port in astuple(self.ports):
            _check_free(port)
        self.directory = Path(tempfile.mkdtemp(prefix="onethread-"))
        self._closing.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._memory = self.memory or self.directory
        self._aws = self._start_aws()
        self._closing.callback(_kill, self._aws)
        start_fork_server()
        self.discord = self._start_discord()
        self._closing.callback(self.discord.close)
        aws = self._wait_for_aws()
        self.aws_url: str = aws["url"]
        self.queue_urls: dict[str, str] = aws["queues"]
        log = None if self.verbose else self.log_path
        self.pools = {name: Pool(function, log) for name, function in self._functions().items()}
        self._closing.callback(self._close_pools)
        self.gateway = Loopback(partial(http_api, self.pools["WebhookFunction"]), port=self.ports.gateway)
        self._closing.callback(self.gateway.close)
        self.invocations = Loopback(partial(lambda_api, self.pools), port=self.ports.invocations)
        self._closing.callback(self.invocations.close)
        self._closing.callback(self._close_pools)
        self._poll()

    def tick(self) -> Result:
        """Let the reconciler's schedule fire. Returns when the guilds are in the queue."""
        return self.pools["ReconcilerFunction"].invoke(schedule_event(datetime.now(UTC)))

    def reconcile(self) -> None:
        """Let the schedule fire and wait until every guild is reconciled. Raises TimeoutError, RuntimeError."""
        from infra.local.aws_client import count_messages

        ticked = self.tick()
        if ticked.error is not None:
            raise RuntimeError(f"the reconciler failed: {ticked.error}")
        deadline = time.monotonic() + MAX_RECONCILE_SECONDS
        while count_messages(self._sqs, self.queue_urls["ReconcileQueue"]):
            if time.monotonic() > deadline or self.discord.closing.wait(POLL_SECONDS):
                raise TimeoutError("some guilds are still waiting to be reconciled")

    @property
    def log_path(self) -> Path:
        """The functions' logs, unless the stack is verbose. The file goes with the stack."""
        return self.directory / "functions.log"

    def keep_logs(self) -> Path:
        """Copy the functions' logs to a file that stays when the stack has ended."""
        kept = Path(tempfile.gettempdir()) / f"{self.directory.name}.log"
        return Path(shutil.copy(self.log_path, kept)) if self.log_path.exists() else kept

    @property
    def public_key(self) -> str:
        """The application's public key, in hex."""
        return development_key().verify_key.encode().hex()

    def endpoints(self) -> dict[str, str]:
        """The variables that direct AWS clients and the handlers to this stack."""
        names = ("DYNAMODB", "EVENTBRIDGE", "SFN", "SQS", "SSM")
        return {f"AWS_ENDPOINT_URL_{name}": self.aws_url for name in names} | {"DISCORD_API_URL": self.discord.api_url}

    def _start_aws(self) -> "subprocess.Popen[str]":
        with (self.directory / "aws.log").open("w") as logs:
            started = subprocess.Popen(
                [sys.executable, "-m", "infra.local.aws"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=logs,
                text=True,
                cwd=TEMPLATE.parent,
                start_new_session=True,
            )
        settings = {
            "port": self.ports.aws,
            "bot_token": BOT_TOKEN,
            "bot_token_parameter": BOT_TOKEN_PARAMETER,
            "table": TABLE,
            "values": self._values(),
            "file": str(self._memory / "table.sqlite"),
        }
        with suppress(BrokenPipeError):  # it has ended already, and `_wait_for_aws` says why
            print(json.dumps(settings), file=started.stdin, flush=True)
        return started

    def _start_discord(self) -> LocalDiscord:
        discord = SimulatedDiscord(application_id=DEVELOPMENT_APPLICATION_ID, bot_token=BOT_TOKEN)
        try:
            rows = SavedRows(self._memory / "discord.sqlite")
            self._closing.callback(rows.close)
            served = LocalDiscord(discord, rows, port=self.ports.discord)
        except Unreadable as fault:
            raise StartFailed(f'{fault}\n`make run ARGS="--fresh"` forgets it.') from None
        with served.lock:
            if DEVELOPMENT_GUILD_ID not in discord.state.guilds:
                discord.add_guild(DEVELOPMENT_GUILD_ID, name="Lighthouse")
                discord.add_channel(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID, name="builds")
        return served

    def _wait_for_aws(self) -> dict[str, Any]:
        assert self._aws.stdout is not None
        timer = threading.Timer(MAX_AWS_START_SECONDS, self._aws.kill)
        timer.start()
        try:
            line = self._aws.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            lines = (self.directory / "aws.log").read_text().strip().splitlines()
            raise StartFailed(
                f"The emulated AWS did not start: {lines[-1] if lines else 'it took too long'}\n"
                "Is the development environment complete? Run `make clean`, then try again."
            )
        addresses: dict[str, Any] = json.loads(line)
        return addresses

    def _values(self) -> dict[str, str]:
        """What !Ref refers to, but for the queues."""
        return {
            **Template().parameters(),
            "DiscordApplicationId": DEVELOPMENT_APPLICATION_ID,
            "DiscordPublicKey": self.public_key,
            "StepFunctionsCallbacks": "true",
            "SessionsTable": TABLE,
            "EventBus": "onethread-events",
            **self.parameters,
        }

    def _functions(self) -> dict[str, Function]:
        template, values = Template(), {**self._values(), **self.queue_urls}
        if (lacking := template.roles(values).lacking_for_lambda()) is not None:
            raise StartFailed(lacking)
        endpoints = {name: address_for_environments(url) for name, url in self.endpoints().items()}
        return template.functions(values, {**endpoints, **_runtime(self.directory)})

    def _poll(self) -> None:
        # These import boto3, which takes half a second: the parts started above use that time.
        from infra.local.aws_client import arn, client
        from infra.local.event_sources import QueuePoller
        from infra.local.stream_source import StreamPoller

        self._sqs = sqs = client("sqs", self.aws_url)
        self._closing.callback(sqs.close)
        pollers: list[QueuePoller | StreamPoller] = []
        template = Template()
        for source in template.queue_sources(self._values()):
            url = self.queue_urls[source.queue]
            pollers.append(QueuePoller(sqs, url, arn(sqs, url), source, self.pools[source.function].invoke))
            self._closing.callback(pollers[-1].close)
        for changes in template.stream_sources():
            pollers.append(StreamPoller(self.read_stream, changes, self.pools[changes.function].invoke))
            self._closing.callback(pollers[-1].close)
        self._closing.callback(self._close_pools)
        for poller in pollers:
            self._closing.callback(poller.stop)

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """What the bus has taken, from that number on: `source`, `detail-type`, `detail`."""
        return list(self.ask_aws(f"events?since={since}"))

    def begin_task(self) -> str:
        """A task of Step Functions waits from now on; its token."""
        return str(call("POST", f"{self.aws_url}/_/tasks"))

    def task_answer(self, token: str) -> dict[str, str] | None:
        """What the task was answered: `output`, or `error` and `cause`. None: it waits."""
        return self.ask_aws(f"tasks?token={token}") or None

    def read_stream(self, shard: int, place: int, most: int) -> list[dict[str, Any]]:
        """Changes of the table, from a place in a shard on."""
        return list(self.ask_aws(f"stream?shard={shard}&from={place}&most={most}"))

    def ask_aws(self, path: str) -> Any:
        """What the emulated AWS says below `/_/`: see `aws`."""
        return call("GET", f"{self.aws_url}/_/{path}")

    def _close_pools(self) -> None:
        for pool in self.pools.values():
            pool.close()


def _runtime(home: Path) -> dict[str, str]:
    """Lambda's own variables (Lambda docs, "Defined runtime environment variables") with made-up credentials."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_RUNTIME_API": "local",
        "HOME": str(home),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }


def _check_free(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as fault:
            raise StartFailed(f"Port {port} cannot be used ({fault}). Choose another one, or 0 for any.") from None


def _kill(started: "subprocess.Popen[str]") -> None:
    started.kill()
    with suppress(BrokenPipeError), started:  # waits, and closes its pipes
        pass
