"""Conditions and updates mean what they mean in DynamoDB: its documentation, and its DynamoDB Local where moto differs."""

from typing import Any

import pytest

from handler.aws.dynamodb import ConditionFailed, InvalidCall
from tests.kit.asking import ITEM, KEY, ask, table_with, update


def holds(condition: str, **values: Any) -> bool:
    """Whether a write on that condition succeeds on ITEM."""
    given = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
    try:
        ask(table_with(ITEM), "delete_item", Key=KEY, ConditionExpression=condition, **given)
    except ConditionFailed:
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("gone <> :v", {"v": "x"}),
        ("gone <> lost", {}),
        ("NOT gone = :v", {"v": "x"}),
        ("NOT gone < :v", {"v": "x"}),
        ("NOT gone IN (:v)", {"v": "x"}),
        ("NOT begins_with(gone, :v)", {"v": "x"}),
        ("s <> :v", {"v": 1}),
        ("s = :v OR NOT n = :w AND s = :w", {"v": "x", "w": 2}),
        ("not s = :v or s between :v and :v", {"v": "x"}),
        ("(s = :v) AND (attribute_exists(n))", {"v": "x"}),
    ],
)
def test_a_condition_holds_as_it_does_in_dynamodb(condition: str, values: dict[str, Any]) -> None:
    assert holds(condition, **values)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("gone = :v", {"v": "x"}),
        ("gone = lost", {}),
        ("gone < :v", {"v": "x"}),
        ("gone IN (:v)", {"v": "x"}),
        ("n = :v", {"v": True}),
        ("b = :v", {"v": 1}),
        ("s < n", {}),
        ("s < b", {}),
        ("begins_with(n, :v)", {"v": "1"}),
        ("contains(s, :v)", {"v": 1}),
    ],
)
def test_a_condition_fails_as_it_does_in_dynamodb(condition: str, values: dict[str, Any]) -> None:
    assert not holds(condition, **values)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("", {}),
        ("s", {}),
        ("s = :v AND", {"v": "x"}),
        ("s = :v)", {"v": "x"}),
        ("s == :v", {"v": "x"}),
        ("s = s", {}),
        ("s IN (s, :v)", {"v": "x"}),
        ("((s = :v))", {"v": "x"}),
        ("status = :v", {"v": "x"}),
        ("b < :v", {"v": True}),
        ("begins_with(s, :v)", {"v": 1}),
        ("Begins_With(s, :v)", {"v": "x"}),
        ("attribute_exists(:v)", {"v": "x"}),
        ("n BETWEEN :v AND :w", {"v": 3, "w": 1}),
        ("n BETWEEN :v AND :w", {"v": 1, "w": "1"}),
        ("s = :undefined", {"v": "x"}),
        ("#undefined = :v", {"v": "x"}),
        ("s = :v", {"v": "x", "unused": "x"}),
    ],
)
def test_a_condition_that_dynamodb_refuses_is_refused(condition: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidCall):
        holds(condition, **values)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SET q = gone", None),
        ("SET q = gone + :v", 1),
        ("SET q = s + :v", 1),
        ("SET q = n + :v", "x"),
        ("SET q = n + :v + :v", 1),
        ("SET q = if_not_exists(gone, lost)", None),
        ("SET pk = :v", "x"),
        ("REMOVE sk", None),
        ("SET q = :v SET r = :v", 1),
        ("SET q = :v, q = :v", 1),
        ("SET q = :v REMOVE q", 1),
        ("SET q = :v,", 1),
        ("ADD s :v", 1),
        ("ADD n :v", "x"),
        ("DROP n", None),
        ("SET watch_guild_id = :v", 1),
        ("SET watch_guild_id = :v", ""),
        ("SET status = :v", 1),
    ],
)
def test_an_update_that_dynamodb_refuses_is_refused_and_changes_nothing(expression: str, value: Any) -> None:
    table = table_with(ITEM)
    given = {} if value is None else {"ExpressionAttributeValues": {":v": value}}
    with pytest.raises(InvalidCall):
        update(table, expression, **given)
    assert table.items() == [ITEM]


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("UPDATED_NEW", {"n": 2, "q": "y"}),
        ("UPDATED_OLD", {"n": 1, "s": "x"}),
        ("ALL_NEW", {**KEY, "n": 2, "b": True, "q": "y"}),
        ("ALL_OLD", ITEM),
    ],
)
def test_an_update_returns_what_was_asked_for(returns: str, expected: dict[str, Any]) -> None:
    answer = update(
        table_with(ITEM),
        "SET q = :y ADD n :one REMOVE s",
        ExpressionAttributeValues={":y": "y", ":one": 1},
        ReturnValues=returns,
    )
    assert answer == {"Attributes": expected}


def test_all_right_hand_sides_of_an_update_read_the_old_item() -> None:
    table = table_with({**KEY, "n": 1, "m": 2})
    update(table, "SET n = m, m = n")
    assert table.items() == [{**KEY, "n": 2, "m": 1}]
