"""A deployment as AWS runs it for a while: the schedule, the queues' consumers, and the metrics that AWS itself makes.

What goes wrong at AWS's side is switched on here: a consumer that is off, an invocation that is refused. Everything else
is a fault of `Deployment`.
"""

import contextlib
import functools
import io
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self
from unittest.mock import patch

from handler import api, publisher, reconciler, webhook, worker
from handler.errors import ConfigurationError
from infra.local.environment import Context
from infra.local.recursion import ATTRIBUTE, MAX_TURNS, enter
from infra.table.stream import SHARDS
from infra.virtual_time import START
from tests.kit.cloudwatch import MINUTE, Key, Metrics, read_line
from tests.kit.deployment import Asked, Deployment
from tests.kit.sam_template import of_type, template

FUNCTIONS: Final = {
    "WebhookFunction": webhook,
    "WorkerFunction": worker,
    "ApiFunction": api,
    "ReconcilerFunction": reconciler,
    "PublisherFunction": publisher,
}
TICK_MINUTES: Final = 5  # the schedule's rate, ReconcileMinutes
EVERYTHING: Final = frozenset(
    {"tick", "WorkerFunction", "ReconcilerFunction", "PublisherFunction", "endpoint", "RecursiveLoop"}
)


class RunningDeployment(Deployment, io.TextIOBase):
    """`running`: what of `EVERYTHING` works.

    `environments`: as how many environments what is done now is logged. `elsewhere`: what else of the account is running.
    `lines`: what was logged.
    """

    def __init__(self, stack: str = "onethread", *, concurrency: int = 100, **options: Any) -> None:
        super().__init__(settings={"STACK_NAME": stack}, **options)
        self.memory.on_commit = self.stream.add
        self.stack = stack
        self.metrics = Metrics(ConcurrentExecutions=concurrency)
        self.running = set(EVERYTHING)
        self.environments = 1
        self.elsewhere = 0
        self.lines: list[dict[str, Any]] = []
        self.until = START
        self._output = contextlib.redirect_stdout(self)
        self._text = ""

    def __enter__(self) -> Self:
        self._output.__enter__()
        return self

    def __exit__(self, *how: Any) -> None:
        self._output.__exit__(*how)
        super().__exit__(*how)

    def write(self, text: str) -> int:
        """Take what the functions log."""
        *whole, self._text = (self._text + text).split("\n")
        for line in map(read_line, whole):
            self.lines.append(line)
            self.metrics.take(line, self.now, self.environments)
        return len(text)

    # What happens.

    async def operate(self, minutes: int, each: Callable[[], Awaitable[Any]] | None = None) -> None:
        """Time goes on; `each` is awaited at the beginning of each minute."""
        for _ in range(minutes):
            if each is not None:
                await each()
            await self._run_minute()
            self._sample()
            await self.wait(minutes=1)

    async def deliver(self, payload: dict[str, Any], *, old: float = 0.0) -> Asked:
        if "endpoint" in self.running:
            return await super().deliver(payload, old=old)
        self._put("AWS/ApiGateway", "5xx", "ApiId", "InteractionsApi", 1)
        return Asked(payload["token"], 500, {"type": 0}, 0.0, False)

    def misconfigure(self, function: str) -> None:
        """One invocation of a function that lacks all its variables."""
        with patch.dict(os.environ, clear=True), contextlib.suppress(ConfigurationError):
            FUNCTIONS[function].lambda_handler({}, Context("r", 0.0))
            raise AssertionError("it was not misconfigured")
        self._put("AWS/Lambda", "Errors", "FunctionName", function, 1)
        if function == "WebhookFunction":
            self._put("AWS/ApiGateway", "5xx", "ApiId", "InteractionsApi", 1)

    def refuse(self, function: str) -> None:
        """Lambda does not invoke the function, for want of room."""
        self._put("AWS/Lambda", "Throttles", "FunctionName", function, 1)
        if function == "WebhookFunction":
            self._put("AWS/ApiGateway", "5xx", "ApiId", "InteractionsApi", 1)

    async def _run_minute(self) -> None:
        if "tick" in self.running and (self.now - START) // MINUTE % TICK_MINUTES == 0:
            await self.tick()
        while self.queue.visible() and "WorkerFunction" in self.running:
            if not self._is_dropped():
                await self.receive()
        while self.guilds.visible() and "ReconcilerFunction" in self.running:
            await self.receive_guilds()
        if "PublisherFunction" in self.running:
            await self._publish_all()

    def _is_dropped(self) -> bool:
        """Whether Lambda drops the next message, as one of a loop."""
        attributes = {ATTRIBUTE: self.queue.visible()[0].trace}
        turns, _ = enter({"Records": [{"attributes": attributes}]}, "WorkerFunction")
        if "RecursiveLoop" in self.running or turns <= MAX_TURNS:
            return False
        event = self.queue.receive()
        self.queue.settle(event, {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]})
        self._put("AWS/Lambda", "RecursiveInvocationsDropped", "FunctionName", "WorkerFunction", 1)
        return True

    async def _publish_all(self) -> None:
        waiting = [self.stream.read(shard, self._published[shard], 1) for shard in range(SHARDS)]
        created = [record["dynamodb"]["ApproximateCreationDateTime"] for records in waiting for record in records]
        if created:
            age = self.now.timestamp() - min(created)
            self._put("AWS/Lambda", "IteratorAge", "FunctionName", "PublisherFunction", age * 1000)
            await self.publish()

    def _sample(self) -> None:
        """What AWS measures every minute."""
        self.until = self.now + MINUTE
        for name, queue in (("Jobs", self.queue), ("Reconcile", self.guilds)):
            ages = [(self.now - message.sent_at).total_seconds() for message in queue.waiting]
            self._put("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", f"{name}Queue", max(ages, default=0))
            self._count_messages(f"{name}DeadLetters", len(queue.dead))
        self._count_messages("PublisherDeadLetters", len(self.letters.waiting))
        for metric in ("ClaimedAccountConcurrency", "ConcurrentExecutions"):
            self.metrics.put(("AWS/Lambda", metric, frozenset()), self.now, 1 + self.elsewhere)

    def _count_messages(self, queue: str, number: int) -> None:
        self._put("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, number)

    def _put(self, namespace: str, name: str, dimension: str, resource: str, value: float) -> None:
        key: Key = namespace, name, frozenset({(dimension, f"{self.stack}-{resource}")})
        self.metrics.put(key, self.now, value)

    # What is seen of it.

    def gone_off(self) -> set[str]:
        """The alarms that went off since the beginning, once there has been time for two ticks."""
        return self.metrics.gone_off(alarms_of(self.stack), START + 2 * TICK_MINUTES * MINUTE, self.until)


@functools.cache
def alarms_of(stack: str) -> dict[str, dict[str, Any]]:
    """The template's alarms, in a stack of that name whose resources have its name in theirs."""
    names = {name: f"{stack}-{name}" for name in template()["Resources"]}
    attributes = {f"{name}.QueueName": physical for name, physical in names.items()}
    return of_type("AWS::CloudWatch::Alarm", **names, **attributes, **{"AWS::StackName": stack})
