"""Whether IAM allows a request: identity policies, evaluated.

IAM docs, "Policy evaluation logic": an explicit Deny wins, then any Allow, and what nothing allows is denied. Of conditions the
template uses StringEquals alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Need:
    """What a request needs: an action on a resource. `context`: the request's condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def allows(statements: Iterable[Mapping[str, Any]], need: Need) -> bool:
    """Whether these statements allow what is needed. Raises ValueError for what is not known here."""
    effects = {statement["Effect"] for statement in statements if _applies(statement, need)}
    return "Allow" in effects and "Deny" not in effects


def listed(value: Any) -> list[Any]:
    """IAM takes one value in place of a list of one."""
    return value if isinstance(value, list) else [value]


def _applies(statement: Mapping[str, Any], need: Need) -> bool:
    if unknown := set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise ValueError(f"{', '.join(sorted(unknown))} in a statement is not known here")
    return (
        any(_matches(action.lower(), need.action.lower()) for action in listed(statement["Action"]))
        and any(_matches(resource, need.resource) for resource in listed(statement["Resource"]))
        and all(_holds(operator, keys, need) for operator, keys in statement.get("Condition", {}).items())
    )


def _matches(pattern: str, value: str) -> bool:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _holds(operator: str, keys: Mapping[str, Any], need: Need) -> bool:
    if operator != "StringEquals":
        raise ValueError(f"the condition operator {operator} is not known here")
    return all(need.context.get(key) in listed(values) for key, values in keys.items())
