"""A queue's sender: what it sends, and that no fault keeps back more than it has to."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from handler.aws import clients
from handler.aws.sqs import Queue
from tests.kit.aws_wire import QUEUE_URL, QueueWire
from tests.kit.dynamodb import aws_session
from tests.kit.virtual_time import START

BODIES = [f"<{number}>" for number in range(1, 26)]


@pytest.fixture
def wire() -> QueueWire:
    return QueueWire(lambda: START)


@pytest.fixture
def queue(wire: QueueWire) -> Iterator[Queue]:
    session = aws_session()
    wire.connect(session)
    with closing(Queue(clients.build_client(session, "sqs", read_timeout=1.0), QUEUE_URL)) as queue:
        yield queue


def sent(wire: QueueWire) -> set[str]:
    return {message.text for message in wire.waiting}


async def test_messages_are_sent_ten_at_a_time(wire: QueueWire, queue: Queue) -> None:
    assert await queue.send_many(BODIES) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [5, 10, 10]


async def test_without_messages_there_is_no_request(wire: QueueWire, queue: Queue) -> None:
    assert await queue.send_many([]) == {}
    assert wire.requests == []


async def test_an_entry_that_is_refused_once_is_sent_again_and_the_others_are_not(
    wire: QueueWire, queue: Queue
) -> None:
    wire.rejected = {"<7>": 1}
    assert await queue.send_many(BODIES) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [1, 5, 10, 10]


async def test_an_entry_that_stays_refused_is_returned_and_the_others_are_sent(wire: QueueWire, queue: Queue) -> None:
    wire.rejected = {"<7>": 99}
    assert await queue.send_many(BODIES) == {"<7>": "InternalError"}
    assert sorted(message.text for message in wire.waiting) == sorted(set(BODIES) - {"<7>"})


@pytest.mark.parametrize("fault", ["refused", "500", "lost"])
async def test_a_request_with_a_transient_error_is_repeated(wire: QueueWire, queue: Queue, fault: Any) -> None:
    wire.faults = [fault]
    assert await queue.send_many(BODIES[:3]) == {}
    assert sent(wire) == set(BODIES[:3])


async def test_a_refused_request_does_not_keep_the_other_batches_back(wire: QueueWire, queue: Queue) -> None:
    wire.faults = ["access_denied"]
    unsent = await queue.send_many(BODIES)
    assert sent(wire) | set(unsent) == set(BODIES)
    assert len(sent(wire)) >= 15
    assert all("AccessDenied" in reason for reason in unsent.values())


async def test_how_many_wait_is_counted_or_unknown(wire: QueueWire, queue: Queue) -> None:
    await queue.send_many(BODIES[:3])
    assert await queue.count_waiting() == 3
    wire.faults = ["access_denied"]
    assert await queue.count_waiting() is None
