"""The machine room: what the functions do, as records of the feed.

    invocation  one began          {id, function, environment, about, began, init}
    result      it ended           {id, ended, error}
    call        inside one         {environment, service, what, began, seconds, status}
    item        an item changed    {pk, sk, step, status, changes, at}
    event       on the event bus   {event}
    queues      messages in each   {queues}

Invocations and calls to Discord come by themselves; AWS, a process of its own, is asked as long as it is watched.
"""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from infra.local.aws_client import client, count_messages
from infra.local.calls import Call
from infra.local.functions import Invocation
from infra.local.stack import Stack
from infra.page.feed import Feed
from infra.page.steps import changes_of, step_of
from infra.table.attributes import read_item
from infra.table.stream import SHARDS

LOOK_SECONDS: Final = 0.15  # between two looks at AWS while somebody watches
WATCH_SECONDS: Final = 5.0  # so long after the last sign of a page somebody watches
QUEUE_SECONDS: Final = 1.0  # between two looks at the queues, each of which is several requests
BATCH: Final = 100
_SHOWN_ITEMS: Final = ("SESSION#", "QUESTION#", "ITEM")


class Room:
    """Fills the feed from the stack until `close`."""

    def __init__(self, stack: Stack, feed: Feed) -> None:
        self._stack, self._feed = stack, feed
        self._sqs = client("sqs", stack.aws_url)
        self._places = [0] * SHARDS
        self._calls = self._events = 0
        self._queues: dict[str, int] = {}
        self._watched = self._queues_read = 0.0
        self._closing = threading.Event()
        for pool in stack.pools.values():
            pool.observe = self._observe_invocation
        stack.discord.observe = self._observe_call
        self._skip_the_past()
        self._thread = threading.Thread(target=self._run, name="machine room", daemon=True)
        self._thread.start()

    def watch(self) -> None:
        """Somebody is looking."""
        self._watched = time.monotonic()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._sqs.close()

    def _observe_invocation(self, invocation: Invocation) -> None:
        if invocation.ended is None:
            self._feed.add(
                "invocation",
                id=invocation.request_id,
                function=invocation.function,
                environment=invocation.environment,
                about=describe_event(invocation.event),
                began=invocation.began,
                init=invocation.init,
            )
            return
        error = None if invocation.error is None else str(invocation.error.get("errorType"))
        self._feed.add("result", id=invocation.request_id, ended=invocation.ended, error=error)

    def _observe_call(self, made: Call) -> None:
        self._feed.add("call", **{**asdict(made), "what": without_token(made.what)})
        if not made.what.startswith("GET"):
            self._feed.add("changed")

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            if time.monotonic() - self._watched < WATCH_SECONDS:
                with suppress(OSError, ValueError):  # the emulation does not answer, or ends
                    self._look()

    def _skip_the_past(self) -> None:
        self._events = len(self._stack.events())
        self._calls = self._stack.ask_aws("calls?since=0")["count"]
        for shard in range(SHARDS):
            while records := self._stack.read_stream(shard, self._places[shard], 10_000):
                self._places[shard] += len(records)

    def _look(self) -> None:
        calls = self._stack.ask_aws(f"calls?since={self._calls}")
        self._calls = calls["count"]
        for each in calls["calls"]:
            self._feed.add("call", **each)
        for shard in range(SHARDS):
            records = self._stack.read_stream(shard, self._places[shard], BATCH)
            self._places[shard] += len(records)
            for record in records:
                self._add_item(record["dynamodb"])
        for event in self._stack.events(since=self._events):
            self._events += 1
            self._feed.add("event", event=event)
        if time.monotonic() - self._queues_read > QUEUE_SECONDS:
            self._queues_read = time.monotonic()
            if (queues := self._queue_lengths()) != self._queues:
                self._queues = queues
                self._feed.add("queues", queues=queues)

    def _queue_lengths(self) -> dict[str, int]:
        return {name: count_messages(self._sqs, url) for name, url in self._stack.queue_urls.items()}

    def _add_item(self, change: Mapping[str, Any]) -> None:
        keys = read_item(change["Keys"])
        if not keys["sk"].startswith(_SHOWN_ITEMS):
            return
        old, new = read_item(change.get("OldImage", {})), read_item(change.get("NewImage", {}))
        step, changes = step_of(old, new), changes_of(old, new)
        for secret in changes.keys() & {"callback_token"}:
            changes[secret] = [value and "…" for value in changes[secret]]
        self._feed.add(
            "item", **keys, step=step, status=new.get("status") or new.get("state"), changes=changes, at=time.time()
        )


def describe_event(event: Any) -> str:
    """What an invocation is about, in a few words."""
    if not isinstance(event, Mapping):
        return ""
    if "requestContext" in event:
        with suppress(ValueError, KeyError, TypeError):
            return _describe_interaction(json.loads(event["body"]))
        return str(event.get("rawPath", ""))
    if records := event.get("Records"):
        one, more = ("message", "messages") if records[0].get("eventSource") == "aws:sqs" else ("change", "changes")
        return f"{len(records)} {one if len(records) == 1 else more}"
    if "operation" in event or "session_name" in event:
        return f"{event.get('operation', 'ensure')} {event.get('session_name', '')}".strip()
    return "the schedule" if "detail-type" in event or "time" in event else ""


def _describe_interaction(interaction: Mapping[str, Any]) -> str:
    data = interaction.get("data", {})
    match interaction["type"]:
        case 1:
            return "PING"
        case 2 | 4:
            words = [data["name"]]
            options = data.get("options", ())
            if options and options[0]["type"] == 1:
                words.append(options[0]["name"])
                options = options[0].get("options", ())
            said = " ".join([*words, *(f"{option['name']}:{option['value']}" for option in options)])
            return f"typing {said}" if interaction["type"] == 4 else f"/{said}"
        case 3:
            return "a button"
        case 5:
            return "a form"
        case other:
            return f"interaction {other}"


def without_token(what: str) -> str:
    """A request to Discord without the interaction token in its path."""
    parts = what.split("/")
    if "webhooks" in parts and len(parts) > parts.index("webhooks") + 2:
        parts[parts.index("webhooks") + 2] = "…"
    if "interactions" in parts and len(parts) > parts.index("interactions") + 2:
        parts[parts.index("interactions") + 2] = "…"
    return "/".join(parts)
