"""The local stack: the whole of Onethread on loopback, around the real handlers.

    people ──HTTP──> gateway ──> WebhookFunction ──> queue ──> WorkerFunction        each in environments of its own
                                       └──> DynamoDB, SQS, SSM (moto)      └──> simulated Discord

Ports are free ones unless they are given. `start` returns when everything answers; `close` leaves nothing behind.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from infra.cloudformation import TEMPLATE
from infra.events.containers import BOT_TOKEN_PARAMETER, TABLE
from infra.interactions import (
    DEVELOPMENT_APPLICATION_ID,
    DEVELOPMENT_CHANNEL_ID,
    DEVELOPMENT_GUILD_ID,
    development_key,
    schedule_event,
)
from infra.local.functions import Function, Pool, Result, start_fork_server
from infra.local.gateway import http_api, lambda_api
from infra.local.observed import ObservedDiscord
from infra.local.template import Template
from infra.loopback import Loopback
from infra.simulator.simulated_discord import SimulatedDiscord

BOT_TOKEN: Final = "made-up-bot-token"
# The emulation reads its own libraries for two seconds; a busy machine takes several times as long.
AWS_START_SECONDS: Final = 60.0


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
    """`parameters` are the template's, where they are not to have their defaults. `verbose`: function logs go to stderr."""

    ports: Ports = field(default_factory=Ports)
    parameters: Mapping[str, str] = field(default_factory=dict)
    verbose: bool = False

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
        self._aws = self._start_aws()
        self._closing.callback(_end, self._aws)
        start_fork_server()
        self.discord = self._start_discord()
        self._closing.callback(self.discord.close)
        where = self._where_aws_is()
        self.aws_url: str = where["url"]
        self.queue_urls: dict[str, str] = where["queues"]
        log = None if self.verbose else self.log_path
        self.pools = {name: Pool(function, log) for name, function in self._functions().items()}
        self._closing.callback(self._close_pools)
        self.gateway = Loopback(partial(http_api, self.pools["WebhookFunction"]), port=self.ports.gateway)
        self._closing.callback(self.gateway.close)
        self.invocations = Loopback(partial(lambda_api, self.pools), port=self.ports.invocations)
        self._closing.callback(self.invocations.close)
        self._closing.callback(self._close_pools)
        self._poll()

    def invoke(self, function: str, event: Any) -> Result:
        """Invoke a function directly, as a program does that IAM allows to."""
        return self.pools[function].invoke(event)

    def tick(self) -> Result:
        """One scheduled event for the reconciler."""
        return self.invoke("ReconcilerFunction", schedule_event(datetime.now(UTC)))

    @property
    def log_path(self) -> Path:
        """Where the functions' logs are, while the stack runs and is not verbose."""
        return self.directory / "functions.log"

    def keep_logs(self) -> Path:
        """The functions' logs where they stay when the stack has ended."""
        kept = Path(tempfile.gettempdir()) / f"{self.directory.name}.log"
        return Path(shutil.copy(self.log_path, kept)) if self.log_path.exists() else kept

    @property
    def public_key(self) -> str:
        """The application's public key, in hex."""
        return development_key().verify_key.encode().hex()

    def endpoints(self) -> dict[str, str]:
        """What points AWS clients, and the handlers, at this stack."""
        names = ("DYNAMODB", "SQS", "SSM")
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
        assert started.stdin is not None
        settings = {
            "port": self.ports.aws,
            "bot_token": BOT_TOKEN,
            "bot_token_parameter": BOT_TOKEN_PARAMETER,
            "table": TABLE,
        }
        started.stdin.write(json.dumps(settings) + "\n")
        started.stdin.flush()
        return started

    def _start_discord(self) -> ObservedDiscord:
        discord = SimulatedDiscord(application_id=DEVELOPMENT_APPLICATION_ID, bot_token=BOT_TOKEN)
        discord.add_guild(DEVELOPMENT_GUILD_ID, name="Lighthouse")
        discord.add_channel(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID, name="builds")
        return ObservedDiscord(discord, port=self.ports.discord)

    def _where_aws_is(self) -> dict[str, Any]:
        assert self._aws.stdout is not None
        overdue = threading.Timer(AWS_START_SECONDS, self._aws.kill)
        overdue.start()
        try:
            line = self._aws.stdout.readline()
        finally:
            overdue.cancel()
        if not line:
            said = (self.directory / "aws.log").read_text().strip().splitlines()
            raise StartFailed(
                f"The emulated AWS did not start: {said[-1] if said else 'it took too long'}\n"
                "Is the development environment complete? `make clean`, then try again."
            )
        where: dict[str, Any] = json.loads(line)
        return where

    def _functions(self) -> dict[str, Function]:
        template = Template()
        values = {
            **template.parameters(),
            "DiscordApplicationId": DEVELOPMENT_APPLICATION_ID,
            "DiscordPublicKey": self.public_key,
            "DiscordBotTokenParameter": BOT_TOKEN_PARAMETER,
            "SessionsTable": TABLE,
            **self.parameters,
            **self.queue_urls,
        }
        return template.functions(values, {**self.endpoints(), **_runtime(self.directory)})

    def _poll(self) -> None:
        # These read boto3, which takes half a second: the parts started above use it to come up.
        from infra.local.aws_client import arn, client
        from infra.local.event_sources import QueuePoller

        sqs = client("sqs", self.aws_url)
        self._closing.callback(sqs.close)
        pollers = []
        for source in Template().queue_sources():
            url = self.queue_urls[source.queue]
            pollers.append(QueuePoller(sqs, url, arn(sqs, url), source, self.pools[source.function].invoke))
            self._closing.callback(pollers[-1].close)
        self._closing.callback(self._close_pools)
        for poller in pollers:
            self._closing.callback(poller.stop)

    def _close_pools(self) -> None:
        for pool in self.pools.values():
            pool.close()


def _runtime(home: Path) -> dict[str, str]:
    """What Lambda sets for every function (Lambda docs, "Defined runtime environment variables"), and made-up credentials."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "made-up",
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


def _end(started: "subprocess.Popen[str]") -> None:
    """Nothing in there is worth waiting for."""
    started.kill()
    with started:  # waits, and closes what leads there
        pass
