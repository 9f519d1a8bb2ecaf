"""A queue's sender: what it sends, and that no fault keeps back more than it has to."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from boto3.session import Session

from handler.aws import clients
from handler.aws.sqs import Queue
from tests.kit.aws_wire import QUEUE_URL, QueueWire
from tests.kit.virtual_time import START, run

BODIES = [f"<{number}>" for number in range(1, 26)]


@pytest.fixture
def wire() -> QueueWire:
    return QueueWire(lambda: START)


def use(wire: QueueWire, work: Callable[[Queue], Coroutine[Any, Any, Any]]) -> Any:
    session = Session(aws_access_key_id="made-up", aws_secret_access_key="made-up", region_name="us-east-1")
    wire.connect(session)
    queue = Queue(clients.build_client(session, "sqs", read_timeout=1.0), QUEUE_URL)
    try:
        return run(work(queue))
    finally:
        queue.close()


def sent(wire: QueueWire) -> set[str]:
    return {message.text for message in wire.waiting}


def test_messages_are_sent_ten_at_a_time(wire: QueueWire) -> None:
    assert use(wire, lambda queue: queue.send_many(BODIES)) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [5, 10, 10]


def test_without_messages_there_is_no_request(wire: QueueWire) -> None:
    assert use(wire, lambda queue: queue.send_many([])) == {}
    assert wire.requests == []


def test_an_entry_that_is_refused_once_is_sent_again_and_the_others_are_not(wire: QueueWire) -> None:
    wire.rejected = {"<7>": 1}
    assert use(wire, lambda queue: queue.send_many(BODIES)) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [1, 5, 10, 10]


def test_an_entry_that_stays_refused_is_returned_and_the_others_are_sent(wire: QueueWire) -> None:
    wire.rejected = {"<7>": 99}
    assert use(wire, lambda queue: queue.send_many(BODIES)) == {"<7>": "InternalError"}
    assert sorted(message.text for message in wire.waiting) == sorted(set(BODIES) - {"<7>"})


@pytest.mark.parametrize("fault", ["refused", "500", "lost"])
def test_a_request_with_a_transient_error_is_repeated(wire: QueueWire, fault: Any) -> None:
    wire.faults = [fault]
    assert use(wire, lambda queue: queue.send_many(BODIES[:3])) == {}
    assert sent(wire) == set(BODIES[:3])


def test_a_refused_request_does_not_keep_the_other_batches_back(wire: QueueWire) -> None:
    wire.faults = ["denied"]
    unsent = use(wire, lambda queue: queue.send_many(BODIES))
    assert sent(wire) | set(unsent) == set(BODIES)
    assert len(sent(wire)) >= 15
    assert all("AccessDenied" in reason for reason in unsent.values())


def test_how_many_wait_is_counted_or_unknown(wire: QueueWire) -> None:
    use(wire, lambda queue: queue.send_many(BODIES[:3]))
    assert use(wire, lambda queue: queue.count_waiting()) == 3
    wire.faults = ["denied"]
    assert use(wire, lambda queue: queue.count_waiting()) is None
