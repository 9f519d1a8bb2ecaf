"""Which of the protocol's steps a change of a session's or a question's item is (docs/protocol.md, docs/questions.md). Pure."""

from collections.abc import Mapping
from typing import Any

Attributes = Mapping[str, Any]


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
    names = sorted({*old, *new} - {"pk", "sk"})
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}
