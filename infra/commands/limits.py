"""What Discord would refuse in a command's definition, found before it is sent.

Limits: Discord docs, "Application Commands" (naming, options, localization, limits).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

NAME: Final = re.compile(r"[-_'\w]{1,32}")  # and lower-case wherever a letter has a lower case
MAX_DESCRIPTION: Final = 100
MAX_OPTIONS: Final = 25
MAX_STRING: Final = 6000  # the longest text that an option may ask for
MAX_COMMAND: Final = 8000  # characters of all names, descriptions and values of one command
MAX_COMMANDS: Final = 100  # chat input commands of one scope
NESTING: Final = frozenset({1, 2})  # subcommand and subcommand group: they hold options, and are chosen, not required


def faults(definitions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every fault of a scope's definitions, each with the path of the command or option that has it; none is best."""
    found = [fault for definition in definitions for fault in _of_command(definition)]
    names = [definition["name"] for definition in definitions]
    found += [f"/{name} is defined twice" for name in sorted(set(names)) if names.count(name) > 1]
    if len(definitions) > MAX_COMMANDS:
        found.append(f"{len(definitions)} commands are more than {MAX_COMMANDS}")
    return found


def _of_command(definition: Mapping[str, Any]) -> Iterator[str]:
    path = f"/{definition['name']}"
    yield from _of_part(definition, path)
    if (size := weight(definition)) > MAX_COMMAND:
        yield f"{path} has {size} characters, more than {MAX_COMMAND}"


def _of_part(part: Mapping[str, Any], path: str) -> Iterator[str]:
    name, description, options = part["name"], part.get("description", ""), part.get("options", [])
    if not NAME.fullmatch(name) or name != name.lower():
        yield f"{path}: a name is 1 to 32 lower-case letters, digits, - or _"
    if not 1 <= len(description) <= MAX_DESCRIPTION:
        yield f"{path}: a description has 1 to {MAX_DESCRIPTION} characters, not {len(description)}"
    if len(options) > MAX_OPTIONS:
        yield f"{path}: {len(options)} options are more than {MAX_OPTIONS}"
    yield from _of_options(options, path)
    yield from _of_lengths(part, path)


def _of_options(options: Sequence[Mapping[str, Any]], path: str) -> Iterator[str]:
    names = [option["name"] for option in options]
    if len(set(names)) < len(names):
        yield f"{path}: two options have one name"
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        yield f"{path}: required options come first"
    if len({option["type"] in NESTING for option in options}) > 1:
        yield f"{path}: subcommands cannot stand beside other options"
    for option in options:
        yield from _of_part(option, f"{path} {option['name']}")


def _of_lengths(part: Mapping[str, Any], path: str) -> Iterator[str]:
    least, most = part.get("min_length", 0), part.get("max_length", MAX_STRING)
    if not 0 <= least <= most <= MAX_STRING or most < 1:
        yield f"{path}: a text's length goes from 0 to {MAX_STRING}, least before most"


def weight(part: Mapping[str, Any]) -> int:
    """The characters that Discord counts: names, descriptions and values of a command and of all that is in it."""
    own = sum(len(str(part.get(field, ""))) for field in ("name", "description", "value"))
    return own + sum(weight(inner) for inner in (*part.get("options", ()), *part.get("choices", ())))
