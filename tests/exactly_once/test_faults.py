"""Each remote call fails, in turn, in each way: there is one thread in the end, and every answer on the way makes sense."""

import pytest

from tests.exactly_once.acts import ACTS, CREATION, ENDED, Act, calls_of
from tests.exactly_once.faults import ALIKE, FAULTS, Fault
from tests.exactly_once.play import failures

# What depends on how boto3 tells it: all of DynamoDB's faults, once more with the real thing.
OF_DYNAMODB = [fault for fault in FAULTS if fault.wire == "dynamodb"]
# Of these, what a transaction tells in another way than a write, or does twice if its token is not kept.
OF_TRANSACTIONS = [
    f for f in OF_DYNAMODB if f.name in ("answer lost once", "times out once, lands later", "conflict once")
]

EACH = [(act, fault) for act in ACTS for fault in FAULTS if act is CREATION or not fault.alike]


def test_faults_that_are_named_are_in_the_list() -> None:
    assert {str(fault) for fault in FAULTS if fault.alike} == ALIKE
    assert len(OF_TRANSACTIONS) == 3


@pytest.mark.parametrize(("act", "fault"), EACH, ids=str)
def test_one_thread_remains_whatever_happens_to_each_call(act: Act, fault: Fault) -> None:
    failed = failures(act, fault, calls_of(act))
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize(
    ("act", "what", "fault"),
    [
        *((CREATION, "UpdateItem", fault) for fault in OF_DYNAMODB),
        *((ENDED, "TransactWriteItems", fault) for fault in OF_TRANSACTIONS),
    ],
    ids=str,
)
def test_one_thread_remains_with_boto3_and_moto_too(act: Act, what: str, fault: Fault) -> None:
    writes = [call for call in calls_of(act) if call.what == what]
    assert writes
    failed = failures(act, fault, (writes[-1],), table="moto")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_the_calls_that_are_attacked_are_those_that_are_made(act: Act) -> None:
    calls = calls_of(act)
    assert {call.wire for call in calls} == {"dynamodb", "discord"}
    assert all(any(fault.hits(call) for fault in FAULTS) for call in calls)
