"""One DynamoDB table in plain values: reads, conditional updates and transactions.

Expressions name attributes as `#name` and values as `:name`; an operation declares those that its expressions
mention. This module does not know what a session is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal

from handler.aws.dynamodb import Call, ConditionFailed, TransactionFailed
from handler.errors import StoreUnavailable

MAX_UNPROCESSED: Final = 5  # so many more requests than keys: DynamoDB leaves some unprocessed when it throttles
MAX_BATCH_GET: Final = 100  # DynamoDB's limit of keys in one BatchGetItem

Attributes = Mapping[str, Any]
Operation = dict[str, Any]
Order = Literal["<", "<=", ">"]  # how the sort key compares

_NAME: Final = re.compile(r"#(\w+)")
_VALUE: Final = re.compile(r":(\w+)")


class Lost(Exception):
    """A condition failed; `item` is the item as it is (None: there is none). It does not leave the Store."""

    def __init__(self, item: Attributes | None) -> None:
        super().__init__("a conditional write was lost")
        self.item = item


class Table:
    """The table of that name. All reads are strongly consistent."""

    def __init__(self, call: Call, name: str) -> None:
        self._call = call
        self._name = name

    async def get(self, key: Attributes) -> dict[str, Any] | None:
        answer = await self._call("get_item", TableName=self._name, Key=dict(key), ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    async def get_many(self, keys: Iterable[Attributes]) -> list[dict[str, Any]]:
        """The items of these keys that exist, in no order."""
        wanted = sorted((dict(key) for key in keys), key=lambda key: (key["pk"], key["sk"]))
        items: list[dict[str, Any]] = []
        for _ in range(len(wanted) + MAX_UNPROCESSED):
            if not wanted:
                return items
            batch, wanted = wanted[:MAX_BATCH_GET], wanted[MAX_BATCH_GET:]
            ask = {self._name: {"Keys": batch, "ConsistentRead": True}}
            answer = await self._call("batch_get_item", RequestItems=ask)
            items += answer["Responses"].get(self._name, [])
            wanted += answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
        raise StoreUnavailable("batch_get_item leaves keys unprocessed")

    async def query_prefix(self, pk: str, start: str, *, limit: int | None = None) -> list[dict[str, Any]]:
        """The items of a partition whose sort key begins with `start`; `limit` bounds their number."""
        return await self._query(
            limit,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :start)",
            ExpressionAttributeValues={":pk": pk, ":start": start},
            ConsistentRead=True,
        )

    async def query_index(
        self,
        index: str,
        partition: tuple[str, str],
        *,
        order: tuple[str, Order, str] | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> list[dict[str, Any]]:
        """The items of an index's partition, (attribute, value), in the index's order. The index lags: read again what matters.

        `order` bounds the sort key, as in ("due_at", "<=", now); `limit` bounds the number of items.
        """
        condition, values = "#partition = :partition", {":partition": partition[1]}
        names = {"#partition": partition[0]}
        if order is not None:
            condition, names["#order"], values[":bound"] = (
                f"{condition} AND #order {order[1]} :bound",
                order[0],
                order[2],
            )
        return await self._query(
            limit,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            **({"ScanIndexForward": False} if backwards else {}),
        )

    async def _query(self, limit: int | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """The items of all pages, until there are `limit`."""
        items: list[dict[str, Any]] = []
        if limit is not None:
            parameters["Limit"] = limit
        while True:
            page = await self._call("query", TableName=self._name, **parameters)
            items += page["Items"]
            if not page.get("LastEvaluatedKey") or (limit is not None and len(items) >= limit):
                return items
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def put(self, item: Attributes) -> None:
        await self._call("put_item", TableName=self._name, Item=dict(item))

    async def delete(self, key: Attributes) -> None:
        await self._call("delete_item", TableName=self._name, Key=dict(key))

    async def update(self, key: Attributes, **parts: Any) -> dict[str, Any]:
        """Carry out an update by itself and return the whole item. Raises Lost."""
        operation = self.build_update(key, **parts)["Update"]
        try:
            answer = await self._call("update_item", **operation, ReturnValues="ALL_NEW")
        except ConditionFailed as lost:
            raise Lost(lost.item) from None
        attributes: dict[str, Any] = answer["Attributes"]
        return attributes

    async def try_update(self, key: Attributes, **parts: Any) -> bool:
        """Whether the condition of the update held."""
        try:
            await self.update(key, **parts)
        except Lost:
            return False
        return True

    async def transact(self, *operations: Operation) -> list[Attributes | None] | None:
        """None: all operations are done. Else none is: for each the item that failed its condition ({}: no item), or None."""
        try:
            await self._call("transact_write_items", TransactItems=list(operations))
        except TransactionFailed as failed:
            return [(item or {}) if code == "ConditionalCheckFailed" else None for code, item in failed.reasons]
        return None

    def build_update(
        self,
        key: Attributes,
        *,
        condition: str,
        sets: Attributes,
        defaults: Attributes | None = None,
        adds: Attributes | None = None,
        removes: Sequence[str] = (),
        values: Attributes | None = None,
    ) -> Operation:
        """An Update. `defaults` are set where the attribute is absent; None is left out, of `sets` too.

        `adds` are added to attributes that are numbers.
        """
        sets = {name: value for name, value in sets.items() if value is not None}
        defaults = {name: value for name, value in (defaults or {}).items() if value is not None}
        changes = [f"#{name} = :{name}" for name in sets]
        changes += [f"#{name} = if_not_exists(#{name}, :{name})" for name in defaults]
        changes += [f"#{name} = #{name} + :{name}" for name in adds or ()]
        gone = [f"#{name}" for name in removes if name not in sets and name not in defaults]
        expression = f"SET {', '.join(changes)}" if changes else ""
        if gone:
            expression += f" REMOVE {', '.join(gone)}"
        parts = self._conditioned(condition, {**(values or {}), **sets, **defaults, **(adds or {})}, also=expression)
        return {"Update": {**parts, "Key": dict(key), "UpdateExpression": expression.strip()}}

    def build_put(self, item: Attributes, *, condition: str = "", values: Attributes | None = None) -> Operation:
        """A Put; without a condition it replaces whatever is there."""
        parts = self._conditioned(condition, values or {}) if condition else {"TableName": self._name}
        return {"Put": {**parts, "Item": dict(item)}}

    def build_delete(self, key: Attributes, *, condition: str, values: Attributes) -> Operation:
        return {"Delete": {**self._conditioned(condition, values), "Key": dict(key)}}

    def build_check(self, key: Attributes, *, condition: str, values: Attributes) -> Operation:
        return {"ConditionCheck": {**self._conditioned(condition, values), "Key": dict(key)}}

    def _conditioned(self, condition: str, values: Attributes, *, also: str = "") -> Operation:
        """Table and condition, with exactly the names and values that the expressions mention."""
        names = sorted(set(_NAME.findall(condition + " " + also)))
        used = sorted(set(_VALUE.findall(condition + " " + also)))
        parts: Operation = {
            "TableName": self._name,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if names:
            parts["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
        if used:
            parts["ExpressionAttributeValues"] = {f":{name}": _plain(values[name]) for name in used}
        return parts


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
