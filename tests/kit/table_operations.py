"""Random operations on a small table, as hypothesis draws them: what the Store may write, in every way.

Left out is what moto answers differently from DynamoDB: it fails on an order between types and finds True equal to 1. The
directed tests have these.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

ITEM_KEYS: Final = [{"pk": pk, "sk": sk} for pk in ("A", "B") for sk in ("1", "12", "2")]
VALUES: Final = {
    "n": st.integers(-1, 2),
    "s": st.sampled_from(["", "1", "12", "x"]),
    "b": st.booleans(),
    "l": st.lists(st.sampled_from(["1", "2"]), max_size=2),
    "watch_guild_id": st.sampled_from(["G1", "G2"]),
}
RIVALS: Final = {  # what a value of each attribute is compared with
    "n": VALUES["n"] | VALUES["s"],
    "s": VALUES["s"] | VALUES["n"] | VALUES["b"],
    "b": VALUES["b"] | VALUES["s"],
    "l": VALUES["l"] | VALUES["s"],
    "watch_guild_id": VALUES["watch_guild_id"] | VALUES["n"],
}
ORDERED: Final = ["<", "<=", ">", ">="]

Draw = Callable[[st.SearchStrategy[Any]], Any]
Request = tuple[str, dict[str, Any]]


class Writer:
    """Writes the expressions of one request and remembers their values."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.values: dict[str, Any] = {}

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def value(self, value: Any) -> str:
        token = f":v{len(self.values)}"
        self.values[token] = value
        return token

    def parameters(self, **parts: Any) -> dict[str, Any]:
        """The request with the names and values that it mentions and no others. None is left out."""
        given = {name: part for name, part in parts.items() if part is not None}
        text = " ".join(part for name, part in given.items() if name.endswith("Expression"))
        names = {token: token[1:] for token in re.findall(r"#\w+", text)}
        values = {token: value for token, value in self.values.items() if re.search(rf"{token}\b", text)}
        given |= {"ExpressionAttributeNames": names} if names else {}
        return given | ({"ExpressionAttributeValues": values} if values else {})

    def condition(self, depth: int = 2) -> str:
        kind = self.pick("leaf", "leaf", "AND", "OR", "group") if depth else "leaf"
        if kind in ("AND", "OR"):
            return f"{self.condition(depth - 1)} {kind} {self.condition(depth - 1)}"
        if kind == "group":
            return f"({self.condition(depth - 1)} OR {self._leaf()})"
        return self._leaf()

    def _leaf(self) -> str:
        name, kind = self.pick(*VALUES), self.pick("presence", "equality", "order")
        if kind == "presence":
            return f"{self.pick('attribute_exists', 'attribute_not_exists')}({self.pick('pk', f'#{name}')})"
        if kind == "equality":
            return f"#{name} {self.pick('=', '<>')} {self.value(self.draw(RIVALS[name]))}"
        name = self.pick("n", "s")
        return f"#{name} {self.pick(*ORDERED)} {self.value(self.draw(VALUES[name]))}"

    def update(self) -> str:
        targets = self.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4, unique=True))
        removes = [f"#{name}" for name in targets if self.pick(True, False, False)]
        sets = [self._clause(name) for name in targets if f"#{name}" not in removes]
        parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
        return " ".join(filter(None, parts))

    def _clause(self, name: str) -> str:
        fresh = self.value(self.draw(VALUES[name]))
        added = [f"#{name} + {fresh}"] if name == "n" else []
        return f"#{name} = {self.pick(fresh, f'if_not_exists(#{name}, {fresh})', *added)}"


def _item(draw: Draw, key: dict[str, str]) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(list(VALUES)), unique=True))
    return {**key, **{name: draw(VALUES[name]) for name in names}}


def _action(draw: Draw, kind: str, key: dict[str, str]) -> dict[str, Any]:
    """The parameters of a Put, Update, Delete or ConditionCheck of that item."""
    writer = Writer(draw)
    conditioned = kind == "ConditionCheck" or draw(st.booleans())
    return writer.parameters(
        Key=None if kind == "Put" else key,
        Item=_item(draw, key) if kind == "Put" else None,
        UpdateExpression=writer.update() if kind == "Update" else None,
        ConditionExpression=writer.condition() if conditioned else None,
        ReturnValuesOnConditionCheckFailure=writer.pick(None, "ALL_OLD"),
    )


@st.composite
def writes(draw: Draw) -> Request:
    kind = draw(st.sampled_from(["Put", "Update", "Update", "Delete"]))
    parameters = _action(draw, kind, draw(st.sampled_from(ITEM_KEYS)))
    returns = {"ReturnValues": "ALL_NEW"} if kind == "Update" and draw(st.booleans()) else {}
    return f"{kind.lower()}_item", {**parameters, **returns}


@st.composite
def transactions(draw: Draw) -> Request:
    keys = draw(st.permutations(ITEM_KEYS))[: draw(st.integers(1, 4))]
    kinds = ["Put", "Update", "Delete", "ConditionCheck"]
    actions = [(kind, _action(draw, kind, key)) for key in keys for kind in [draw(st.sampled_from(kinds))]]
    return "transact_write_items", {"TransactItems": [{kind: parameters} for kind, parameters in actions]}


@st.composite
def reads(draw: Draw) -> Request:
    if draw(st.booleans()):
        return "get_item", {"Key": draw(st.sampled_from(ITEM_KEYS)), "ConsistentRead": True}
    return "batch_get_item", {"Keys": draw(st.permutations(ITEM_KEYS))[: draw(st.integers(1, 4))]}


@st.composite
def queries(draw: Draw) -> Request:
    writer = Writer(draw)
    index = writer.pick(None, "WatchIndex")
    partition, sort = ("pk", "sk") if index is None else ("#watch_guild_id", "pk")
    text = f"{partition} = {writer.value(writer.pick(*('AB' if index is None else ('G1', 'G2'))))}"
    bound = writer.value(writer.pick(*(("1", "12", "2") if index is None else ("A", "B"))))
    compared = (f"{sort} {sign} {bound}" for sign in ("=", *ORDERED))
    shape = writer.pick(None, f"begins_with({sort}, {bound})", *compared)
    return "query", writer.parameters(
        IndexName=index,
        KeyConditionExpression=text if shape is None else f"{text} AND {shape}",
        Limit=writer.pick(None, 1, 2, 3),
        ScanIndexForward=writer.pick(None, False),
    )


REQUESTS: Final = st.lists(st.one_of(writes(), writes(), writes(), transactions(), reads(), queries()), max_size=12)
