"""The filters between a stream and a function (AWS docs, "Control which events Lambda sends to your function").

Of the language of patterns it knows what template.yaml uses: whole texts, `prefix`, and `exists`.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def wants(patterns: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> bool:
    """Whether one of the patterns lets the record through."""
    return any(_matches(pattern, record) for pattern in patterns)


def _matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether every name of the pattern fits. A list of it allows each of its entries."""
    for name, wanted in pattern.items():
        found = record.get(name)
        if isinstance(wanted, dict):
            if not isinstance(found, Mapping) or not _matches(wanted, found):
                return False
        elif not any(_fits(rule, found) for rule in wanted):
            return False
    return True


def _fits(rule: Any, found: Any) -> bool:
    if isinstance(rule, str):
        return bool(found == rule)
    match rule:
        case {"prefix": str(prefix)}:
            return isinstance(found, str) and found.startswith(prefix)
        case {"exists": True}:
            return found is not None
    raise ValueError(f"{rule!r} in a filter is unknown to the local stack")
