"""Which of the protocol's steps a change of a session's or a question's item is (docs/protocol.md, docs/questions.md). Pure."""

from collections.abc import Mapping
from typing import Any, Final

Attributes = Mapping[str, Any]
# What differs at each write and says nothing to a reader.
_NOISE: Final = frozenset({"version", "updated_at"})


def step_of(old: Attributes, new: Attributes) -> str:
    """The step that turned one item into the other; both as plain values, empty where there is no item."""
    if not new:
        return "deleted"
    if "question" in new or "closes_at" in new:
        return "question: " + str(new.get("state", "changed"))
    before, after = old.get("status", "vacant"), new.get("status")
    if old and new.get("generation") != old.get("generation"):
        return "the generation ends"
    if (before, after) == ("vacant", "creating"):
        return "claim"
    if before == "creating" and after == "vacant":
        return "drop the claim"
    if before == "creating" and after == "open":
        return "commit"
    if after == "creating":
        if "source_message_id" in new and "source_message_id" not in old:
            return "record the source message"
        return "take over, or renew the lease"
    if before != after:
        return {"open": "open", "closed": "close"}.get(str(after), str(after))
    return "update"


def changes_of(old: Attributes, new: Attributes) -> dict[str, list[Any]]:
    """The attributes that differ: each with what it was and what it is; None where it is absent."""
    names = sorted({*old, *new} - _NOISE - {"pk", "sk"})
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def plain_values(image: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item in DynamoDB's JSON as plain values."""
    return {name: _plain(value) for name, value in image.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "L":
            return [_plain(each) for each in content]
        case "M":
            return plain_values(content)
        case "NULL":
            return None
        case _:
            return content
