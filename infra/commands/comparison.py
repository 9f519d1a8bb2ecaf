"""Compare the registered commands, which Discord returns with ids and defaults, with the definitions."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Fields that Discord adds to a registered command.
_ADDED_BY_DISCORD: Final = frozenset(
    {"id", "application_id", "guild_id", "version", "dm_permission", "default_permission"}
)
# Fields of global commands only; in a guild Discord leaves them out.
_GLOBAL_ONLY: Final = frozenset({"contexts", "integration_types"})
_PERMISSIONS: Final = "default_member_permissions"  # sent as a number, returned as a text
_DEFAULTS: Final[Mapping[str, Any]] = {"nsfw": False, "required": False, "autocomplete": False}


def for_scope(definitions: Sequence[Mapping[str, Any]], guild_id: str | None) -> list[dict[str, Any]]:
    """Definitions without the fields that their scope, a guild or everywhere, does not have."""
    dropped = _GLOBAL_ONLY if guild_id else frozenset()
    return [{key: value for key, value in definition.items() if key not in dropped} for definition in definitions]


def difference(registered: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> str:
    """What registering would change, as a unified diff; empty if nothing."""
    changed = difflib.unified_diff(
        _lines(registered), _lines(wanted), "registered now", "to be registered", lineterm="", n=3
    )
    return "\n".join(changed)


def _lines(commands: Sequence[Mapping[str, Any]]) -> list[str]:
    plain = sorted(
        (_plain(command) for command in commands), key=lambda command: (command.get("type", 1), command["name"])
    )
    return json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True).splitlines() if plain else []


def _plain(part: Any) -> Any:
    """Without ids, nulls, empty texts and lists, and default values."""
    if isinstance(part, list):
        return [_plain(inner) for inner in part]
    if not isinstance(part, Mapping):
        return part
    fields = {key: _plain(value) for key, value in part.items() if key not in _ADDED_BY_DISCORD}
    if isinstance(fields.get(_PERMISSIONS), str):
        fields[_PERMISSIONS] = int(fields[_PERMISSIONS])
    return {
        key: value
        for key, value in fields.items()
        if value not in (None, "", [], {}) and _DEFAULTS.get(key, ...) != value
    }
