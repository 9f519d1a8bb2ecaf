"""A queue's sender: what it sends, and that no fault keeps back more than it has to."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from boto3.session import Session

from handler.aws import clients
from handler.aws.sqs import Queue
from infra.virtual_time import START
from tests.kit.aws_wire import QUEUE_URL, QueueWire
from tests.kit.dynamodb import aws_session, moto_in_place_of_aws

BODIES = [f"<{number}>" for number in range(1, 26)]
GROUPS = {body: f"group {index % 3}" for index, body in enumerate(BODIES)}


@pytest.fixture
def wire() -> QueueWire:
    return QueueWire(now=lambda: START)


@pytest.fixture
def queue(wire: QueueWire) -> Iterator[Queue]:
    session = aws_session()
    wire.connect(session)
    with closing(Queue(clients.build_client(session, "sqs", read_timeout=1.0), QUEUE_URL)) as queue:
        yield queue


def sent(wire: QueueWire) -> set[str]:
    return {message.text for message in wire.waiting}


async def test_messages_are_sent_ten_at_a_time(wire: QueueWire, queue: Queue) -> None:
    assert await queue.send_many(GROUPS) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [5, 10, 10]
    assert {message.text: message.group for message in wire.waiting} == GROUPS


async def test_without_messages_there_is_no_request(wire: QueueWire, queue: Queue) -> None:
    assert await queue.send_many({}) == {}
    assert wire.requests == []


async def test_an_entry_that_is_refused_once_is_sent_again_and_the_others_are_not(
    wire: QueueWire, queue: Queue
) -> None:
    wire.rejected = {"<7>": 1}
    assert await queue.send_many(GROUPS) == {}
    assert sorted(message.text for message in wire.waiting) == sorted(BODIES)
    assert sorted(wire.sizes) == [1, 5, 10, 10]
    assert {message.text: message.group for message in wire.waiting} == GROUPS


async def test_an_entry_that_stays_refused_is_returned_and_the_others_are_sent(wire: QueueWire, queue: Queue) -> None:
    wire.rejected = {"<7>": 99}
    assert await queue.send_many(GROUPS) == {"<7>": "InternalError"}
    assert sorted(message.text for message in wire.waiting) == sorted(set(BODIES) - {"<7>"})


@pytest.mark.parametrize("fault", ["refused", "500", "lost"])
async def test_a_request_with_a_transient_error_is_repeated(wire: QueueWire, queue: Queue, fault: Any) -> None:
    wire.faults = [fault]
    assert await queue.send_many(dict.fromkeys(BODIES[:3], "one")) == {}
    assert sent(wire) == set(BODIES[:3])


async def test_a_refused_request_does_not_keep_the_other_batches_back(wire: QueueWire, queue: Queue) -> None:
    wire.faults = ["access_denied"]
    unsent = await queue.send_many(GROUPS)
    assert sent(wire) | set(unsent) == set(BODIES)
    assert len(sent(wire)) >= 15
    assert all("AccessDenied" in reason for reason in unsent.values())


async def test_how_many_wait_is_counted_or_unknown(wire: QueueWire, queue: Queue) -> None:
    await queue.send_many(dict.fromkeys(BODIES[:3], "one"))
    assert await queue.count_waiting() == 3
    wire.faults = ["access_denied"]
    assert await queue.count_waiting() is None


def test_a_standard_queue_of_moto_takes_the_group_of_a_message_and_of_an_entry() -> None:
    with moto_in_place_of_aws():
        sqs = Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x").client("sqs")
        url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        with closing(Queue(sqs, url)) as queue:
            assert asyncio.run(queue.send("<a>", group="1", delay_seconds=0))
            assert asyncio.run(queue.send_many({"<b>": "2"})) == {}
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"])
    assert {(m["Body"], m["Attributes"]["MessageGroupId"]) for m in received["Messages"]} == {
        ("<a>", "1"),
        ("<b>", "2"),
    }
