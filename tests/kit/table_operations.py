"""Random operations on a small table, as hypothesis draws them: what the Store may say, said in every way.

Left out is what moto answers otherwise than DynamoDB: it fails on an order between types, finds two absent attributes
equal and True equal to 1, and returns the key with UPDATED_NEW. The directed tests have these.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

ITEM_KEYS: Final = [{"pk": pk, "sk": sk} for pk in ("A", "B") for sk in ("1", "12", "2")]
TYPES: Final = {"n": "number", "m": "number", "s": "text", "t": "text", "b": "flag", "watch_guild_id": "id"}
VALUES: Final = {
    "number": st.integers(-1, 2),
    "text": st.sampled_from(["", "1", "12", "x"]),
    "flag": st.booleans(),
    "id": st.sampled_from(["G1", "G2"]),
}
RIVALS: Final = {  # what a value of each type is compared with
    "number": VALUES["number"] | VALUES["text"],
    "text": VALUES["text"] | VALUES["number"] | VALUES["flag"],
    "flag": VALUES["flag"] | VALUES["text"],
    "id": VALUES["id"] | VALUES["number"],
}
ORDERED: Final = ["<", "<=", ">", ">="]

Draw = Callable[[st.SearchStrategy[Any]], Any]
Request = tuple[str, dict[str, Any]]


class Writer:
    """Writes the expressions of one request, and notes the names and values that they mention."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def attribute(self, *names: str) -> str:
        """An attribute, by its own name or by a placeholder."""
        name: str = self.pick(*(names or TYPES))
        if self.draw(st.booleans()):
            return name
        self.names[f"#{name}"] = name
        return f"#{name}"

    def value(self, value: Any) -> str:
        token = f":v{len(self.values)}"
        self.values[token] = value
        return token

    def drawn(self, strategy: "st.SearchStrategy[Any]") -> str:
        return self.value(self.draw(strategy))

    def parameters(self, **parts: Any) -> dict[str, Any]:
        """The request, with the names and values that it mentions and no others; what is None is left out."""
        given = {name: part for name, part in parts.items() if part is not None}
        text = " ".join(part for name, part in given.items() if name.endswith("Expression"))
        tokens = set(re.findall(r"[#:]\w+", text))
        for kind, defined in (("Names", self.names), ("Values", self.values)):
            if used := {token: of for token, of in defined.items() if token in tokens}:
                given[f"ExpressionAttribute{kind}"] = used
        return given

    # Conditions.

    def filter(self) -> str:
        """A condition that mentions no attribute of a key."""
        return f"{self._equality('n', 's')} {self.pick('AND', 'OR')} {self._equality('b', 'm')}"

    def condition(self, depth: int = 2) -> str:
        kind = self.pick("leaf", "leaf", "and", "or", "not", "group") if depth else "leaf"
        if kind in ("and", "or"):
            word = self.pick(kind, kind.upper())
            return f"{self.condition(depth - 1)} {word} {self.condition(depth - 1)}"
        if kind == "not":
            return f"NOT {self._leaf()}"
        if kind == "group":
            return f"({self.condition(depth - 1)} AND {self._leaf()})"
        return self._leaf()

    def _leaf(self) -> str:
        leaves = (self._presence, self._equality, self._order, self._between, self._in, self._text, self._two)
        leaf: str = self.pick(*leaves)()
        return leaf

    def _presence(self) -> str:
        return f"{self.pick('attribute_exists', 'attribute_not_exists')}({self.attribute('pk', *TYPES)})"

    def _equality(self, *names: str) -> str:
        name = self.pick(*(names or TYPES))
        return f"{self.attribute(name)} {self.pick('=', '<>')} {self.drawn(RIVALS[TYPES[name]])}"

    def _order(self) -> str:
        kind = self.pick("number", "text")
        return f"{self._of(kind)} {self.pick(*ORDERED)} {self.drawn(VALUES[kind])}"

    def _between(self) -> str:
        kind = self.pick("number", "text")
        low, high = sorted(self.draw(st.tuples(VALUES[kind], VALUES[kind])))
        return f"{self._of(kind)} BETWEEN {self.value(low)} AND {self.value(high)}"

    def _in(self) -> str:
        name = self.pick(*TYPES)
        listed = ", ".join(self.drawn(RIVALS[TYPES[name]]) for _ in range(self.pick(1, 2)))
        return f"{self.attribute(name)} IN ({listed})"

    def _text(self) -> str:
        text = self.draw(st.sampled_from(["1", "12", "x"]))
        return f"{self.pick('begins_with', 'contains')}({self.attribute('s', 't', 'n')}, {self.value(text)})"

    def _two(self) -> str:
        one, other = self.draw(st.sampled_from([("n", "m"), ("m", "n"), ("s", "t"), ("t", "s")]))
        compared = f"{self.attribute(one)} {self.pick('=', '<>', *ORDERED)} {self.attribute(other)}"
        return f"(attribute_exists({self.attribute(one)}) AND {compared})"

    def _of(self, kind: str) -> str:
        return self.attribute(*(name for name, its in TYPES.items() if its == kind))

    # Updates.

    def update(self) -> str:
        targets = self.draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=4, unique=True))
        sections: dict[str, list[str]] = {}
        for target in targets:
            section = self.pick("SET", "SET", "REMOVE", *(["ADD"] if TYPES[target] == "number" else []))
            sections.setdefault(section, []).append(self._clause(section, target))
        return " ".join(f"{section} {', '.join(clauses)}" for section, clauses in sections.items())

    def _clause(self, section: str, target: str) -> str:
        name = self.attribute(target)
        if section == "REMOVE":
            return name
        fresh = self.drawn(VALUES[TYPES[target]])
        if section == "ADD":
            return f"{name} {fresh}"
        forms = [fresh, f"if_not_exists({name}, {fresh})"]
        if TYPES[target] == "number":
            other = self.attribute("n", "m")
            forms += [other, f"{other} {self.pick('+', '-')} {fresh}", f"if_not_exists({other}, {fresh}) + {fresh}"]
        return f"{name} = {self.pick(*forms)}"


def _item(draw: Draw, key: dict[str, str]) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(list(TYPES)), unique=True))
    return {**key, **{name: draw(VALUES[TYPES[name]]) for name in names}}


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


RETURNS: Final = {
    "Put": (None, "NONE", "ALL_OLD"),
    "Delete": (None, "NONE", "ALL_OLD"),
    "Update": (None, "NONE", "ALL_OLD", "ALL_NEW"),
}


@st.composite
def writes(draw: Draw) -> Request:
    kind = draw(st.sampled_from(["Put", "Update", "Update", "Delete"]))
    parameters = _action(draw, kind, draw(st.sampled_from(ITEM_KEYS)))
    returns = draw(st.sampled_from(RETURNS[kind]))
    return f"{kind.lower()}_item", {**parameters, **({"ReturnValues": returns} if returns else {})}


@st.composite
def transactions(draw: Draw) -> Request:
    keys = draw(st.permutations(ITEM_KEYS))[: draw(st.integers(1, 4))]
    kinds = ["Put", "Update", "Delete", "ConditionCheck"]
    actions = [(kind, _action(draw, kind, key)) for key in keys for kind in [draw(st.sampled_from(kinds))]]
    return "transact_write_items", {"TransactItems": [{kind: parameters} for kind, parameters in actions]}


@st.composite
def reads(draw: Draw) -> Request:
    key = {"Key": draw(st.sampled_from(ITEM_KEYS)), "ConsistentRead": True}
    if draw(st.booleans()):
        return "get_item", key
    return "batch_get_item", {"Keys": draw(st.permutations(ITEM_KEYS))[: draw(st.integers(1, 4))]}


@st.composite
def queries(draw: Draw) -> Request:
    writer = Writer(draw)
    index = writer.pick(None, "WatchIndex")
    partition, sort = ("pk", "sk") if index is None else ("watch_guild_id", "pk")
    text = f"{writer.attribute(partition)} = {writer.value(writer.pick(*('AB' if index is None else ('G1', 'G2'))))}"
    values = ("1", "12", "2") if index is None else ("A", "B")
    shape = writer.pick(None, "= {}", *(f"{sign} {{}}" for sign in ORDERED), "BETWEEN {} AND {}", "begins_with")
    if shape is not None:
        bounds = [writer.value(value) for value in sorted([writer.pick(*values), writer.pick(*values)])]
        name = writer.attribute(sort)
        text += (
            f" AND begins_with({name}, {bounds[0]})"
            if shape == "begins_with"
            else f" AND {name} {shape.format(*bounds)}"
        )
    return "query", writer.parameters(
        IndexName=index,
        KeyConditionExpression=text,
        FilterExpression=writer.filter() if draw(st.booleans()) else None,
        ScanIndexForward=writer.pick(None, True, False),
        Limit=writer.pick(None, 1, 2, 3),
    )


REQUESTS: Final = st.lists(st.one_of(writes(), writes(), writes(), transactions(), reads(), queries()), max_size=12)
