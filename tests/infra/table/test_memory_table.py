"""The memory table says what DynamoDB says: its documentation, and Amazon's DynamoDB Local where moto says otherwise."""

import re
from typing import Any, Final

import pytest

from handler.aws.dynamodb import ConditionFailed, InvalidCall, TransactionFailed
from infra.table.memory_table import MemoryTable

KEY: Final = {"pk": "A", "sk": "1"}
ITEM: Final = {**KEY, "n": 1, "s": "x", "b": True}


def table_with(*items: dict[str, Any]) -> MemoryTable:
    return MemoryTable("sessions", items)


def ask(table: MemoryTable, operation: str, **parameters: Any) -> dict[str, Any]:
    return table.apply(operation, {"TableName": table.name, **placeholders(parameters), **parameters})


def update(table: MemoryTable, expression: str, *, values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {"ExpressionAttributeValues": values} if values else {}
    return ask(table, "update_item", Key=KEY, UpdateExpression=expression, **given, **more)


def placeholders(parameters: dict[str, Any]) -> dict[str, Any]:
    """The names that the expressions mention, each standing for itself."""
    texts = " ".join(str(text) for name, text in parameters.items() if name.endswith("Expression"))
    names = {name: name[1:] for name in re.findall(r"#\w+", texts)}
    return {"ExpressionAttributeNames": names} if names else {}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_item", {"Key": {"pk": "A"}}),
        ("get_item", {"Key": {**KEY, "n": 1}}),
        ("get_item", {"Key": KEY, "ExpressionAttributeNames": {"#a": "a"}}),
        ("get_item", {"Key": KEY, "Unknown": 1}),
        ("put_item", {"Item": {"pk": "A"}}),
        ("put_item", {"Item": {"pk": "", "sk": "1"}}),
        ("put_item", {"Item": {"pk": 1, "sk": "1"}}),
        ("put_item", {"Item": KEY, "ReturnValues": "ALL_OLD"}),
        ("put_item", {"Item": KEY, "ExpressionAttributeValues": {}}),
        ("query", {"KeyConditionExpression": "sk = :v"}),
        ("query", {"KeyConditionExpression": "pk < :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND #n = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v OR sk = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND sk <> :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND sk = :v AND sk = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v", "IndexName": "WatchIndex"}),
        (
            "query",
            {"KeyConditionExpression": "#watch_guild_id = :v", "IndexName": "WatchIndex", "ConsistentRead": True},
        ),
        ("query", {"KeyConditionExpression": "pk = :v", "IndexName": "Another"}),
        ("query", {"KeyConditionExpression": "pk = :v", "Limit": 0}),
        ("query", {"KeyConditionExpression": "pk = :v", "ExclusiveStartKey": {"pk": "B", "sk": "1"}}),
    ],
)
def test_a_request_that_dynamodb_refuses_is_refused(operation: str, parameters: dict[str, Any]) -> None:
    if operation == "query":
        parameters = {**parameters, "ExpressionAttributeValues": {":v": "A"}}
    with pytest.raises(InvalidCall):
        ask(table_with(ITEM), operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("scan", {}),
        ("query", {"KeyConditionExpression": "pk = :v", "FilterExpression": "#s = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND sk BETWEEN :v AND :v"}),
        ("get_item", {"Key": KEY, "TableName": "another"}),
        ("delete_item", {"Key": KEY, "ConditionExpression": "#a.b = :c"}),
    ],
)
def test_what_the_store_has_no_use_for_is_refused(operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidCall):
        ask(table_with(ITEM), operation, **parameters)


def test_a_value_that_is_no_text_number_or_flag_is_refused() -> None:
    with pytest.raises(TypeError, match="topic"):
        ask(table_with(), "put_item", Item={**KEY, "topic": None})


# Batches and transactions.


def batch(table: MemoryTable, *keys: dict[str, Any]) -> dict[str, Any]:
    return table.apply("batch_get_item", {"RequestItems": {table.name: {"Keys": list(keys)}}})


def test_a_batch_of_more_than_100_keys_or_of_one_key_twice_is_refused() -> None:
    keys = [{"pk": "A", "sk": str(number)} for number in range(101)]
    assert batch(table_with(ITEM), *keys[:100])["Responses"] == {"sessions": [ITEM]}
    for refused in (keys, [KEY, KEY], []):
        with pytest.raises(InvalidCall):
            batch(table_with(ITEM), *refused)


def transact(table: MemoryTable, *actions: tuple[str, dict[str, Any]]) -> None:
    items = [{kind: {"TableName": table.name, **parameters}} for kind, parameters in actions]
    table.apply("transact_write_items", {"TransactItems": items})


def test_a_lost_transaction_changes_nothing_and_tells_each_reason_in_order() -> None:
    table = table_with(ITEM)
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(TransactionFailed) as lost:
        transact(
            table,
            ("Put", {"Item": {"pk": "B", "sk": "1"}}),
            ("Delete", {"Key": KEY, **absent, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
            ("ConditionCheck", {"Key": {"pk": "C", "sk": "1"}, "ConditionExpression": "attribute_exists(pk)"}),
        )
    assert lost.value.reasons == (("None", None), ("ConditionalCheckFailed", ITEM), ("ConditionalCheckFailed", None))
    assert table.items() == [ITEM]


def test_a_transaction_applies_all_of_its_actions() -> None:
    table = table_with(ITEM, {"pk": "C", "sk": "1"})
    transact(
        table,
        ("Put", {"Item": {"pk": "B", "sk": "1"}}),
        ("Update", {"Key": KEY, "UpdateExpression": "REMOVE #n, #b", **placeholders({"Expression": "#n #b"})}),
        ("Delete", {"Key": {"pk": "C", "sk": "1"}}),
        ("ConditionCheck", {"Key": {"pk": "D", "sk": "1"}, "ConditionExpression": "attribute_not_exists(pk)"}),
    )
    assert table.items() == [{**KEY, "s": "x"}, {"pk": "B", "sk": "1"}]


@pytest.mark.parametrize(
    "actions",
    [
        [("Put", {"Item": KEY}), ("Delete", {"Key": KEY})],
        [("Put", {"Item": {"pk": "A", "sk": str(number)}}) for number in range(101)],
        [("Put", {"Item": KEY, "ReturnValues": "ALL_OLD"})],
        [("ConditionCheck", {"Key": KEY})],
        [("Get", {"Key": KEY})],
        [],
    ],
)
def test_a_transaction_that_dynamodb_refuses_is_refused(actions: list[tuple[str, dict[str, Any]]]) -> None:
    table = table_with()
    with pytest.raises(InvalidCall):
        transact(table, *actions)
    assert table.items() == []


# Sizes: DynamoDB's quotas.

KILOBYTE: Final = 1024


def test_an_item_may_have_400_kilobytes_with_its_names() -> None:
    names = len("pk" + "A" + "sk" + "1" + "text")
    largest = {**KEY, "text": "x" * (400 * KILOBYTE - names)}
    table = table_with()
    ask(table, "put_item", Item=largest)
    with pytest.raises(InvalidCall, match="size"):
        ask(table, "put_item", Item={**largest, "text": largest["text"] + "x"})
    with pytest.raises(InvalidCall, match="size"):
        update(table, "SET #b = :flag", values={":flag": True})
    assert table.items() == [largest]


@pytest.mark.parametrize(("name", "most"), [("pk", 2048), ("sk", 1024), ("watch_guild_id", 2048), ("due_at", 1024)])
def test_a_key_may_have_so_many_bytes(name: str, most: int) -> None:
    half = "é" * (most // 2)  # two bytes each
    ask(table_with(), "put_item", Item={**KEY, name: half})
    with pytest.raises(InvalidCall, match=name):
        ask(table_with(), "put_item", Item={**KEY, name: half + "x"})


def test_a_transaction_may_write_4_megabytes() -> None:
    large = {"text": "x" * 390 * KILOBYTE}
    puts = [("Put", {"Item": {"pk": "A", "sk": str(number), **large}}) for number in range(11)]
    table = table_with()
    transact(table, *puts[:10])
    with pytest.raises(InvalidCall, match="bytes"):
        transact(table, *puts)


def test_an_expression_may_have_4_kilobytes() -> None:
    with pytest.raises(InvalidCall, match="bytes"):
        holds(" OR ".join(["attribute_exists(pk)"] * 200))


def test_a_page_has_at_most_a_megabyte_and_says_where_it_ends() -> None:
    items = [{"pk": "A", "sk": f"{number:02}", "text": "x" * 300 * KILOBYTE} for number in range(7)]
    table = table_with(*items)
    condition = {"KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": "A"}}
    first = ask(table, "query", **condition)
    assert (first["Count"], first["LastEvaluatedKey"]) == (3, {"pk": "A", "sk": "02"})
    second = ask(table, "query", ExclusiveStartKey=first["LastEvaluatedKey"], **condition)
    third = ask(table, "query", ExclusiveStartKey=second["LastEvaluatedKey"], **condition)
    assert first["Items"] + second["Items"] + third["Items"] == items
    assert "LastEvaluatedKey" not in third


# Its order.


def found(table: MemoryTable, guild: str) -> list[str]:
    """The partition keys of what the index shows of that guild."""
    given = {"KeyConditionExpression": "#watch_guild_id = :v", "ExpressionAttributeValues": {":v": guild}}
    return [item["pk"] for item in ask(table, "query", IndexName="WatchIndex", **given)["Items"]]


def test_an_index_follows_each_change_of_its_items() -> None:
    table = table_with({**KEY, "watch_guild_id": "G"}, {"pk": "C", "sk": "1", "watch_guild_id": "G"})
    assert found(table, "G") == ["A", "C"]
    ask(table, "put_item", Item={"pk": "B", "sk": "1", "watch_guild_id": "G"})
    update(table, "SET #watch_guild_id = :other", values={":other": "H"})
    assert (found(table, "G"), found(table, "H")) == (["B", "C"], ["A"])
    ask(table, "delete_item", Key={"pk": "C", "sk": "1"})
    update(table, "REMOVE #watch_guild_id")
    assert (found(table, "G"), found(table, "H")) == (["B"], [])
    table.lose()
    assert found(table, "G") == []


def test_the_indexes_of_a_fork_and_its_origin_change_apart() -> None:
    origin = table_with({**KEY, "watch_guild_id": "G"})
    assert found(origin, "G") == ["A"]
    fork = origin.fork()
    ask(fork, "put_item", Item={"pk": "B", "sk": "1", "watch_guild_id": "G"})
    ask(origin, "put_item", Item={"pk": "C", "sk": "1", "watch_guild_id": "G"})
    assert (found(fork, "G"), found(origin, "G")) == (["A", "B"], ["A", "C"])


# What follows the table: its file, say.


def test_each_write_is_told_before_the_table_has_it_and_only_if_it_changes_something() -> None:
    table, told = table_with(ITEM), []

    def tell(changes: Any) -> None:
        told.append(
            [(change.key, change.old and change.old.values, change.new and change.new.values) for change in changes]
        )
        assert table.items() == before

    table.on_commit, before = tell, table.items()
    ask(table, "get_item", Key=KEY)
    with pytest.raises(ConditionFailed):
        ask(table, "delete_item", Key=KEY, ConditionExpression="attribute_not_exists(pk)")
    transact(
        table,
        ("Put", {"Item": {"pk": "B", "sk": "1"}}),
        ("ConditionCheck", {"Key": KEY, "ConditionExpression": "attribute_exists(pk)"}),
    )
    before = table.items()
    ask(table, "delete_item", Key=KEY)
    assert told == [[(("B", "1"), None, {"pk": "B", "sk": "1"})], [(("A", "1"), ITEM, None)]]


def test_a_write_that_cannot_be_told_changes_nothing() -> None:
    table = table_with(ITEM)

    def fail(changes: Any) -> None:
        raise OSError("no space left on device")

    table.on_commit = fail
    with pytest.raises(OSError, match="no space"):
        ask(table, "delete_item", Key=KEY)
    assert table.items() == [ITEM]


# For explorers.


def test_a_fork_and_its_origin_change_apart() -> None:
    origin = table_with(ITEM)
    fork = origin.fork()
    update(fork, "REMOVE #s")
    update(origin, "REMOVE #n")
    assert (origin.items(), fork.items()) == ([{**KEY, "s": "x", "b": True}], [{**KEY, "n": 1, "b": True}])


def test_the_fingerprint_tells_the_content_and_nothing_else() -> None:
    table, other = table_with(ITEM), table_with({"pk": "Z", "sk": "1"}, dict(reversed(ITEM.items())))
    before = table.fingerprint
    other.lose(("Z", "1"))
    assert other.fingerprint == before
    update(table, "SET #n = :two", values={":two": 2})
    assert table.fingerprint != before
    update(table, "SET #n = :one", values={":one": 1})
    assert table.fingerprint == before
    assert table_with({**ITEM, "n": True}).fingerprint != before


def test_what_a_caller_does_with_an_answer_does_not_reach_the_table() -> None:
    table = table_with(ITEM)
    ask(table, "get_item", Key=KEY)["Item"]["n"] = 5
    update(table, "SET #n = :one", values={":one": 1}, ReturnValues="ALL_NEW")["Attributes"].clear()
    assert table.items() == [ITEM]


def test_a_lost_table_holds_nothing() -> None:
    table = table_with(ITEM, {"pk": "B", "sk": "1"})
    table.lose()
    assert (table.items(), table.fingerprint) == ([], table_with().fingerprint)


# Expressions.


def holds(condition: str, **values: Any) -> bool:
    """Whether a write on that condition succeeds on ITEM."""
    given = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
    try:
        ask(table_with(ITEM), "delete_item", Key=KEY, ConditionExpression=condition, **given)
    except ConditionFailed:
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("#gone <> :v", {"v": "x"}, True),
        ("#s <> :v", {"v": 1}, True),
        ("#s = :v OR #n = :w AND #s = :w", {"v": "x", "w": 2}, True),
        ("(#s = :v) AND (attribute_exists(#n))", {"v": "x"}, True),
        ("attribute_not_exists(#gone) AND attribute_exists(pk)", {}, True),
        ("#n >= :v AND #n < :w", {"v": 1, "w": 2}, True),
        ("#gone = :v", {"v": "x"}, False),
        ("#gone < :v", {"v": "x"}, False),
        ("#n = :v", {"v": True}, False),
        ("#b = :v", {"v": 1}, False),
        ("#s < :v", {"v": 1}, False),
        ("#b < :v", {"v": 1}, False),
    ],
)
def test_a_condition_holds_or_fails_as_in_dynamodb(condition: str, values: dict[str, Any], expected: bool) -> None:
    assert holds(condition, **values) is expected


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("", {}),
        ("#s", {}),
        ("#s = :v AND", {"v": "x"}),
        ("#s = :v)", {"v": "x"}),
        ("#s == :v", {"v": "x"}),
        ("((#s = :v))", {"v": "x"}),
        ("status = :v", {"v": "x"}),
        ("#b < :v", {"v": True}),
        ("Attribute_Exists(#s)", {}),
        ("attribute_exists(:v)", {"v": "x"}),
        ("#s = :undefined", {"v": "x"}),
        ("#s = :v", {"v": "x", "unused": "x"}),
        ("NOT #s = :v", {"v": "x"}),
        ("#s IN (:v)", {"v": "x"}),
    ],
)
def test_a_condition_that_dynamodb_or_the_store_does_not_know_is_refused(
    condition: str, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidCall):
        holds(condition, **values)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SET pk = :v", "x"),
        ("REMOVE sk", None),
        ("SET #q = :v SET #r = :v", 1),
        ("SET #q = :v, #q = :v", 1),
        ("SET #q = :v REMOVE #q", 1),
        ("SET #q = :v,", 1),
        ("ADD #n :v", 1),
        ("SET #n = #n + :v", "x"),
        ("SET #s = #s + :v", 1),
        ("SET #q = #q + :v", 1),
        ("SET #n = :v + #n", 1),
        ("SET #n = #n - :v", 1),
        ("SET #n = #n + :v, #n = :v", 1),
        ("DROP #n", None),
        ("", None),
        ("SET #watch_guild_id = :v", 1),
        ("SET #watch_guild_id = :v", ""),
        ("SET status = :v", 1),
    ],
)
def test_an_update_that_dynamodb_or_the_store_does_not_know_is_refused(expression: str, value: Any) -> None:
    table = table_with(ITEM)
    with pytest.raises(InvalidCall):
        update(table, expression, values=None if value is None else {":v": value})
    assert table.items() == [ITEM]


def test_an_update_sets_keeps_removes_and_returns_the_whole_item() -> None:
    answer = update(
        table_with(ITEM),
        "SET #n = if_not_exists(#n, :new), #q = if_not_exists(#q, :new), #r = #n + :new REMOVE #s",
        values={":new": 2},
        ReturnValues="ALL_NEW",
    )
    assert answer == {"Attributes": {**KEY, "n": 1, "b": True, "q": 2, "r": 3}}
