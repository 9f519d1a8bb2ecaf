"""A whole deployment for tests: the real functions over a simulated Discord, a table and a queue, in virtual time.

`ask` does what Discord does for a user's command, `work` what SQS does for the worker. Nothing of the project's own is
faked: requests are signed, and Discord, SQS and SSM are met on their wires, DynamoDB in place of boto3's client.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Final, TypeVar

import msgspec

from handler import api, publisher, reconciler, webhook, worker
from handler.config import ApiConfig, Config, PublisherConfig, ReconcilerConfig, WebhookConfig, WorkerConfig
from infra.interactions import (
    admin_command,
    autocompletion,
    button,
    command,
    encode,
    interaction,
    message_command,
    modal_submit,
    parts_of,
    selection,
    sign,
    text_of,
)
from infra.lambda_events import api_gateway_event, schedule_event
from infra.local.event_filter import wants
from infra.local.template import Template
from infra.simulator import render
from infra.simulator.interactions import AUTOCOMPLETE_RESULT, MODAL
from infra.table.stream import SHARDS, Stream
from tests.kit.aws_wire import BusWire, ParameterWire, QueueWire, TasksWire
from tests.kit.guild import APPLICATION, KEY, MEMBER, Guild
from tests.kit.secrets import BOT_TOKEN, made_up
from tests.kit.table_view import CHANNEL, GUILD

T = TypeVar("T")

USER: Final = MEMBER
WEBHOOK_SECONDS: Final = 10.0  # the webhook's time-out in the template
WORKER_SECONDS: Final = 60.0  # the worker's
RECONCILER_SECONDS: Final = 120.0  # the reconciler's
# The ids of their requests, which Lambda gives.
WEBHOOK_REQUEST: Final = "request-1"
WORKER_REQUEST: Final = "request-2"
PATTERNS: Final = Template().stream_sources()[0].patterns
THINKING: Final = 1 << 7  # the flag under which an unanswered deferral is shown


@dataclass
class Asked:
    """A command that was used: the HTTP response, and the token under which the user's answer is found."""

    token: str
    status: int
    callback: dict[str, Any]
    seconds: float
    in_time: bool

    @property
    def kind(self) -> int:
        return int(self.callback["type"])

    @property
    def content(self) -> str:
        return str(self.callback["data"]["content"])


def in_thread(thread_id: str) -> dict[str, Any]:
    """Where an interaction comes from that is used in a thread of the channel."""
    return {"channel_id": thread_id, "channel_type": 11, "parent_id": CHANNEL}


class Deployment(Guild):
    """The guild, and the functions that serve it. `parameter`: the bot's token is kept in SSM.

    `queue`, `guilds`: JobsQueue and ReconcileQueue.
    """

    def __init__(self, *, parameter: bool = False, **options: Any) -> None:
        token = {"DISCORD_BOT_TOKEN": "", "DISCORD_BOT_TOKEN_PARAMETER": "/onethread/token"} if parameter else {}
        settings = {**token, **options.pop("settings", {})}
        super().__init__(**{"table": "client", "imported": False, "settings": settings, **options})
        self.queue = QueueWire(now=self.clock.now)
        self.guilds = QueueWire(now=self.clock.now)
        self.ssm = ParameterWire(BOT_TOKEN)
        self.bus, self.letters, self.tasks = (
            BusWire(calls=self.calls),
            QueueWire(now=self.clock.now, calls=self.calls),
            TasksWire(calls=self.calls),
        )
        self.stream = Stream(self.wire.table, lambda: self.clock.now().timestamp())
        self._published = [0] * SHARDS
        if self.seam is not None:
            self.memory.on_commit = self.stream.add
        self._numbers = count(1)

    def __exit__(self, *_: object) -> None:
        self.queue.release()
        super().__exit__()

    def aws_session(self, kind: type[Config]) -> Any:
        session = super().aws_session(kind)
        queues = {ReconcilerConfig: self.guilds, PublisherConfig: self.letters}
        queues.get(kind, self.queue).connect(session)
        self.ssm.connect(session)
        self.bus.connect(session)
        self.tasks.connect(session)
        return session

    async def ask(self, name: str = "1a06a43", *, old: float = 0.0, **more: Any) -> Asked:
        """A user uses ``/session open``; API Gateway got it `old` seconds ago. `more` is the payload builder's."""
        arrived = self.clock.now() - timedelta(seconds=old)
        given = {"channel_id": CHANNEL, "guild_id": GUILD, "user_id": USER, **more}
        payload = interaction(name, token=made_up(f"token-{next(self._numbers)}"), now=arrived, **given)
        return await self.deliver(payload, old=old)

    async def administer(self, subcommand: str, *, old: float = 0.0, **more: Any) -> Asked:
        """A moderator uses ``/session-admin``; `more` is the payload builder's."""
        return await self.deliver(admin_command(subcommand, **self._place(old, more)), old=old)

    async def use(self, path: str, *, old: float = 0.0, options: Mapping[str, Any] | None = None, **more: Any) -> Asked:
        """A member uses a slash command: `path` is ``session close``, for example."""
        return await self.deliver(command(path, options or {}, **self._place(old, more)), old=old)

    async def complete(
        self, path: str, *, focused: str = "name", options: Mapping[str, Any] | None = None, **more: Any
    ) -> list[dict[str, str]]:
        """The choices that a member is offered who types the option `focused` of a command."""
        given = {focused: "", **(options or {})}
        asked = await self.deliver(autocompletion(path, given, focused=focused, **self._place(0.0, more)))
        assert asked.kind == AUTOCOMPLETE_RESULT
        assert asked.in_time
        choices: list[dict[str, str]] = asked.callback["data"]["choices"]
        return choices

    async def use_menu(self, name: str, message: Mapping[str, Any], *, old: float = 0.0, **more: Any) -> Asked:
        """A member uses a command in a message's menu."""
        return await self.deliver(message_command(name, message, **self._place(old, more)), old=old)

    async def press(
        self,
        asked: Asked,
        custom_id: str | None = None,
        *,
        values: Sequence[str] | None = None,
        old: float = 0.0,
        **more: Any,
    ) -> Asked:
        """A moderator presses a button beneath what he was answered, the first one by default; `values`: uses a select."""
        message = self.discord.original_response(asked.token)
        assert message is not None
        place = self._place(old, more)
        if values is not None and custom_id is not None:
            return await self.deliver(selection(message, custom_id, values, **place), old=old)
        return await self.deliver(button(message, custom_id=custom_id, **place), old=old)

    async def press_card(
        self, message_id: str, label: str, *, user: str = USER, roles: Sequence[str] = (), old: float = 0.0, **more: Any
    ) -> Asked:
        """A member presses the button of that label beneath a public message."""
        message = self.card(message_id)
        place = {"channel_id": message["channel_id"], "user_id": user, "roles": roles, **more}
        return await self.press_message(message, label, old=old, **place)

    async def press_message(self, message: Mapping[str, Any], label: str, *, old: float = 0.0, **more: Any) -> Asked:
        """A member presses the button of that label beneath a message, which need not be as it is now."""
        custom_id = next(part["custom_id"] for part in parts_of(message) if part.get("label") == label)
        return await self.deliver(button(message, custom_id=custom_id, **self._place(old, more)), old=old)

    def card(self, message_id: str) -> dict[str, Any]:
        """A public message of the bot's, as everybody sees it."""
        return render.message(self.discord.state, self.discord.messages[message_id])

    async def submit(
        self, asked: Asked, fields: Mapping[str, str | Sequence[str]], *, old: float = 0.0, **more: Any
    ) -> Asked:
        """The member fills in the modal that was the answer, and sends it."""
        assert asked.kind == MODAL
        custom_id = asked.callback["data"]["custom_id"]
        return await self.deliver(modal_submit(custom_id, fields, **self._place(old, more)), old=old)

    def _place(self, old: float, more: dict[str, Any]) -> dict[str, Any]:
        now = self.clock.now() - timedelta(seconds=old)
        token = f"made-up-token-{next(self._numbers)}"
        return {"channel_id": CHANNEL, "guild_id": GUILD, "user_id": USER, "token": token, "now": now, **more}

    async def deliver(self, payload: dict[str, Any], *, old: float = 0.0) -> Asked:
        """Discord sends this payload, signed, and takes the answer in."""
        now = self.clock.now()
        arrived = now - timedelta(seconds=old)
        place = {"channel_id": payload.get("channel_id", "0"), "message": payload.get("message")}
        self.discord.begin_interaction(payload["token"], payload["id"], APPLICATION, arrived, **place)
        body = encode(payload)
        event = api_gateway_event(body, sign(body, KEY, arrived), now=arrived)
        response = await webhook.handle(self.environment(WebhookConfig), event, WEBHOOK_REQUEST, WEBHOOK_SECONDS)
        callback = msgspec.json.decode(response["body"])
        taken = self.discord.answer_interaction(payload["token"], callback, self.clock.now())
        seconds = (self.clock.now() - now).total_seconds()
        return Asked(payload["token"], response["statusCode"], callback, seconds, taken)

    async def work(self, *, most: int = 20, between: Callable[[], Awaitable[None]] | None = None) -> int:
        """Let SQS deliver until the queue is empty, waiting out delays; how many receives it took."""
        for receives in range(most):
            if not self.queue.waiting:
                return receives
            first = min(message.visible_at for message in self.queue.waiting)
            await self.clock.sleep(max(0.0, (first - self.clock.now()).total_seconds()))
            await self.receive()
            if between is not None:
                await between()
        raise AssertionError("the queue does not become empty")

    async def receive(self, seconds: float = WORKER_SECONDS) -> dict[str, Any]:
        """One delivery of the message that is visible; the worker's answer."""
        event = self.queue.receive()
        assert event["Records"], "no message is visible"
        answer = await worker.handle(self.environment(WorkerConfig), event, WORKER_REQUEST, seconds)
        self.queue.settle(event, answer)
        return answer

    async def ensure(self, seconds: float = 30.0, *, request_id: str = "request-3", **event: Any) -> dict[str, Any]:
        """A program invokes `ApiFunction` without naming an operation. `request_id` is the invocation's."""
        event = {"session_name": "1a06a43", "parent_channel_id": CHANNEL, **event}
        return await self.invoke(event, seconds, request_id=request_id)

    async def program(self, operation: str, **event: Any) -> dict[str, Any]:
        """A program asks for an operation on a session."""
        event = {"operation": operation, "session_name": "1a06a43", "parent_channel_id": CHANNEL, **event}
        return await self.invoke(event)

    async def invoke(self, event: Any, seconds: float = 60.0, *, request_id: str = "request-3") -> dict[str, Any]:
        """A program invokes `ApiFunction` with this event; its process may be another one each time it died."""
        return await api.handle(self.environment(ApiConfig), event, request_id, seconds)

    async def tick(self, seconds: float = RECONCILER_SECONDS) -> dict[str, Any]:
        """The schedule fires; the reconciler's answer."""
        event = schedule_event(self.clock.now())
        return await reconciler.handle(self.environment(ReconcilerConfig), event, "request-4", seconds)

    async def receive_guilds(self, seconds: float = RECONCILER_SECONDS, *, most: int = 1) -> dict[str, Any]:
        """One delivery of guilds to the reconciler; its answer."""
        event = self.guilds.receive(most)
        answer = await reconciler.handle(self.environment(ReconcilerConfig), event, "request-5", seconds)
        self.guilds.settle(event, answer)
        return answer

    async def publish(self, *, most: int = 100) -> dict[str, Any]:
        """One delivery of each shard of the table's stream to the publisher; the last answer that names a failure.

        It is given what the template's filters let through, and is not invoked for nothing.
        """
        failed: dict[str, Any] = {"batchItemFailures": []}
        for shard in range(SHARDS):
            records = self.stream.read(shard, self._published[shard], most)
            event = {"Records": [record for record in records if wants(PATTERNS, record)]}
            if not event["Records"]:
                self._published[shard] += len(records)
                continue
            answer = await publisher.handle(self.environment(PublisherConfig), event, "request-6", 30.0)
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            names = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
            self._published[shard] += numbers.index(names[0]) if names else len(numbers)
            failed = answer if names else failed
        return failed

    def rewind(self) -> None:
        """The stream delivers everything once more."""
        self._published = [0] * SHARDS

    def shown(self, asked: Asked) -> str:
        """What the user reads in the end; fails if that is "thinking…" or nothing."""
        message = self.discord.original_response(asked.token)
        assert message is not None, "the application did not respond"
        assert not message["flags"] & THINKING, "the application is thinking, for ever"
        said = text_of(message)
        assert said
        return said
