"""The queue of guilds: what is a message, and that no fault keeps back more than it has to."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from boto3.session import Session

from handler.aws import clients
from handler.aws.reconcile_queue import NoGuild, ReconcileQueue, decode, encode
from tests.kit.guild_queue_wire import GUILD_QUEUE_URL, GuildQueueWire
from tests.kit.virtual_time import START, run

GUILDS = [str(number) for number in range(1, 26)]


@contextmanager
def queue(wire: GuildQueueWire) -> Iterator[ReconcileQueue]:
    session = Session(aws_access_key_id="made-up", aws_secret_access_key="made-up", region_name="us-east-1")
    wire.connect(session)
    made = ReconcileQueue(clients.client(session, "sqs", read_timeout=1.0), GUILD_QUEUE_URL)
    yield made
    made.close()


def played(wire: GuildQueueWire, ask: Callable[[ReconcileQueue], Coroutine[Any, Any, Any]]) -> Any:
    with queue(wire) as made:
        return run(ask(made))


def wire(**how: Any) -> GuildQueueWire:
    return GuildQueueWire(lambda: START, **how)


def sent(wire: GuildQueueWire) -> list[str]:
    return sorted((decode(body) for body in wire.waiting), key=int)


def test_a_guild_comes_out_as_it_went_in() -> None:
    assert decode(encode("100000000000000001")) == "100000000000000001"


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "{}", "[" * 100_000, '{"guild_id": 1}', '{"guild_id": "1x"}', '{"guild_id": "1\\n"}', '"1"'],
)
def test_anything_else_is_no_guild(body: str) -> None:
    with pytest.raises(NoGuild):
        decode(body)


def test_a_message_of_another_version_is_no_guild() -> None:
    with pytest.raises(NoGuild, match="version 2"):
        decode('{"version": 2, "guild_id": "1"}')


def test_guilds_are_sent_ten_at_a_time_one_message_each() -> None:
    told = wire()
    assert played(told, lambda queue: queue.send(GUILDS)) == {}
    assert sent(told) == GUILDS
    assert sorted(told.sizes) == [5, 10, 10]


def test_nothing_is_asked_when_there_is_no_guild() -> None:
    told = wire()
    assert played(told, lambda queue: queue.send([])) == {}
    assert told.requests == []


def test_an_entry_that_is_refused_once_is_sent_again_and_the_others_are_not() -> None:
    told = wire(rejected={'"7"': 1})
    assert played(told, lambda queue: queue.send(GUILDS)) == {}
    assert sent(told) == GUILDS
    assert sorted(told.sizes) == [1, 5, 10, 10]


def test_an_entry_that_stays_refused_is_told_and_keeps_no_other_back() -> None:
    told = wire(rejected={'"7"': 99})
    assert played(told, lambda queue: queue.send(GUILDS)) == {"7": "InternalError"}
    assert sent(told) == [guild for guild in GUILDS if guild != "7"]


@pytest.mark.parametrize("fault", ["refused", "500", "lost"])
def test_a_request_that_fails_in_passing_is_made_again(fault: Any) -> None:
    told = wire(faults=[fault])
    assert played(told, lambda queue: queue.send(GUILDS[:3])) == {}
    assert set(sent(told)) == set(GUILDS[:3])


def test_a_request_that_is_refused_keeps_no_other_batch_back() -> None:
    told = wire(faults=["denied"])
    unsent = played(told, lambda queue: queue.send(GUILDS))
    assert set(sent(told)) | set(unsent) == set(GUILDS)
    assert len(sent(told)) >= 15
    assert all("AccessDenied" in reason for reason in unsent.values())


def test_how_many_wait_is_told_or_unknown() -> None:
    told = wire()
    told.waiting = ["x"] * 3
    assert played(told, lambda queue: queue.waiting()) == 3
    told.faults = ["denied"]
    assert played(told, lambda queue: queue.waiting()) is None
