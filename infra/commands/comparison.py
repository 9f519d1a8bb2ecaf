"""What is registered against what is defined: Discord gives definitions back with ids and defaults filled in."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

# What Discord adds to a registered command and nobody defines.
GIVEN_BY_DISCORD: Final = frozenset(
    {"id", "application_id", "guild_id", "version", "dm_permission", "default_permission"}
)
# Only commands of the global scope have these; in a guild Discord leaves them out.
GLOBAL_ONLY: Final = frozenset({"contexts", "integration_types"})
PERMISSIONS: Final = "default_member_permissions"  # taken as a number, given back as a text
DEFAULTS: Final[Mapping[str, Any]] = {"nsfw": False, "required": False, "autocomplete": False}


def for_scope(definitions: Sequence[Mapping[str, Any]], guild_id: str | None) -> list[dict[str, Any]]:
    """Definitions without what their scope does not know: the global one knows all, a guild's not where they hold."""
    dropped = GLOBAL_ONLY if guild_id else frozenset()
    return [{key: value for key, value in definition.items() if key not in dropped} for definition in definitions]


def difference(registered: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> str:
    """What registering would change, as a text of lines that begin with ``-`` or ``+``; empty if nothing."""
    before, after = _lines(registered), _lines(wanted)
    changed = difflib.unified_diff(before, after, "registered now", "to be registered", lineterm="", n=3)
    return "\n".join(changed)


def _lines(commands: Sequence[Mapping[str, Any]]) -> list[str]:
    plain = sorted(
        (_plain(command) for command in commands), key=lambda command: (command.get("type", 1), command["name"])
    )
    return json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True).splitlines() if plain else []


def _plain(part: Any) -> Any:
    """Without what says nothing: ids, nulls, empty lists, and values that are the default."""
    if isinstance(part, list):
        return [_plain(inner) for inner in part]
    if not isinstance(part, Mapping):
        return part
    said = {key: _plain(value) for key, value in part.items() if key not in GIVEN_BY_DISCORD}
    if isinstance(said.get(PERMISSIONS), str):
        said[PERMISSIONS] = int(said[PERMISSIONS])
    return {
        key: value for key, value in said.items() if value not in (None, [], {}) and DEFAULTS.get(key, ...) != value
    }
