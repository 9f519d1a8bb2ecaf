"""The table's stream invokes a function as Lambda does, and the bus takes what EventBridge takes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from infra.local import stream_source
from infra.local.bus import LocalBus
from infra.local.event_filter import wants
from infra.local.functions import Result
from infra.local.stream_source import StreamPoller
from infra.local.template import StreamSource, Template
from infra.table.memory_table import MemoryTable
from infra.table.stream import SHARDS, Stream
from tests.kit.eventually import eventually

SOURCE = StreamSource(
    "Publisher", batch_size=2, patterns=({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "SESSION#"}]}}}},)
)
ENTRY = {"Source": "onethread", "DetailType": "SessionOpened", "Detail": "{}", "EventBusName": "bus"}


def put(table: MemoryTable, sk: str, **attributes: Any) -> None:
    table.apply("put_item", {"TableName": table.name, "Item": {"pk": "CHANNEL#1", "sk": sk, **attributes}})


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> MemoryTable:
    monkeypatch.setattr(stream_source, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(stream_source, "RETRY_SECONDS", 0.001)
    return MemoryTable()


def numbers(event: Any) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"].lstrip("0") for record in event["Records"]]


def follow(table: MemoryTable, answers: Sequence[Any], writes: int) -> list[list[str]]:
    """What a function is delivered that gives these answers, and then none that names a failure."""
    stream = Stream("sessions")
    table.on_commit = stream.add
    for number in range(writes):
        put(table, f"SESSION#{number}")
    put(table, "CHANNEL")
    delivered: list[list[str]] = []

    def invoke(event: Any) -> Result:
        delivered.append(numbers(event))
        return answers[len(delivered) - 1] if len(delivered) <= len(answers) else Result({"batchItemFailures": []})

    poller = StreamPoller(stream.read, SOURCE, invoke)
    try:
        eventually(lambda: len(delivered) > len(answers) and delivered[-1][-1:] == [str(writes)])
    finally:
        poller.close()
    return delivered


def test_records_come_in_order_and_only_those_of_the_filter(table: MemoryTable) -> None:
    assert follow(table, [], 5) == [["1", "2"], ["3", "4"], ["5"]]


def test_a_batch_comes_again_from_the_first_record_that_failed(table: MemoryTable) -> None:
    failed = Result({"batchItemFailures": [{"itemIdentifier": f"{2:021d}"}]})
    assert follow(table, [failed, Result(error={"errorType": "x"})], 3) == [["1", "2"], ["2", "3"], ["2", "3"]]


def test_now_and_then_a_batch_comes_twice(table: MemoryTable) -> None:
    delivered = follow(table, [], 2 * stream_source.TWICE_EVERY + 1)
    assert delivered.count(["13", "14"]) == 2


def test_all_changes_of_a_partition_are_in_one_shard_with_both_images() -> None:
    table, stream = MemoryTable(), Stream("sessions", lambda: 5.0)
    table.on_commit = stream.add
    put(table, "SESSION#a", topic="x")
    put(table, "SESSION#a", topic="x")  # nothing changes
    put(table, "SESSION#a", topic="y")
    table.lose(("CHANNEL#1", "SESSION#a"))
    (records,) = [found for shard in range(SHARDS) if (found := stream.read(shard, 0, 9))]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    change = records[1]["dynamodb"]
    assert (change["OldImage"]["topic"], change["NewImage"]["topic"]) == ({"S": "x"}, {"S": "y"})
    assert "NewImage" not in records[2]["dynamodb"]


def test_the_template_names_what_the_stream_invokes() -> None:
    (source,) = Template().stream_sources()
    assert source.function == "PublisherFunction"
    assert (
        1 <= len(source.patterns) <= 5
    )  # AWS docs, "Control which events Lambda sends to your function": without a higher quota


def test_the_bus_keeps_what_it_takes_and_refuses_an_entry_alone() -> None:
    bus = LocalBus()
    bad = {**ENTRY, "Detail": "not JSON"}
    answered = bus.answer("PutEvents", {"Entries": [ENTRY, bad, {**ENTRY, "Source": ""}]}).document
    assert answered["FailedEntryCount"] == 2
    assert [result.get("ErrorCode") for result in answered["Entries"]] == [None, "MalformedDetail", "InvalidArgument"]
    assert bus.since(0) == [{"source": "onethread", "detail-type": "SessionOpened", "detail": {}}]


@pytest.mark.parametrize("entries", [None, [], [ENTRY] * 11, [{**ENTRY, "Detail": json.dumps("x" * 262_144)}]])
def test_the_bus_refuses_a_request_that_eventbridge_refuses(entries: Any) -> None:
    assert LocalBus().answer("PutEvents", {"Entries": entries}).status == 400


RECORD: dict[str, Any] = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"state": {"S": "open"}, "n": {"N": "1"}}}}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"state": {"S": [{"prefix": "op"}]}}}}, True),
        ({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"state": {"S": ["over"]}}}}, False),
        ({"dynamodb": {"NewImage": {"state": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"other": {"S": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"OldImage": {"state": {"S": ["open"]}}}}, False),
    ],
)
def test_a_filter_lets_through_what_fits_one_of_its_patterns(pattern: dict[str, Any], passes: bool) -> None:
    assert wants([pattern], RECORD) is passes
    assert wants([{"eventName": ["REMOVE"]}, pattern], RECORD) is passes


def test_a_rule_that_the_filter_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="is unknown to the local stack"):
        wants([{"eventName": [{"suffix": "Y"}]}], RECORD)
