"""What Discord would refuse in a command's definition, found before it is sent.

Limits: Discord docs, "Application Commands" (naming, options, localization, limits).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

# Types of commands (the same page).
CHAT_INPUT: Final = 1
MESSAGE: Final = 3  # in the menu of a message

MAX_DESCRIPTION_LENGTH: Final = 100
MAX_OPTIONS: Final = 25
MAX_TEXT_LENGTH: Final = 6000  # the longest text that an option may ask for
MAX_COMMAND_LENGTH: Final = 8000  # all names, descriptions and values of one command
# Commands of one scope, by their type: slash commands, and those in a message's menu.
MAX_COMMANDS: Final[Mapping[int, int]] = {CHAT_INPUT: 100, MESSAGE: 15}
MAX_NAME_LENGTH: Final = 32
_NAME: Final = re.compile(r"[-_'\w]{1,32}")
MAX_CHOICES: Final = 25
MAX_CHOICE_LENGTH: Final = 100  # of its name, and of its value if that is a text
# Types of options.
_SUBCOMMAND_TYPES: Final = frozenset({1, 2})  # subcommand and subcommand group
_TEXT: Final = 3
_TYPED: Final = frozenset({_TEXT, 4, 10})  # texts, whole numbers, numbers: people type them, or choose from a list
_OPTION_TYPES: Final = range(1, 12)  # the others are yes or no, users, channels, roles, both, files


def find_faults(definitions: Sequence[Mapping[str, Any]]) -> list[str]:
    """All faults of a scope's definitions, each with the path of the command or option."""
    found = [fault for definition in definitions for fault in _check_command(definition)]
    for kind, most in MAX_COMMANDS.items():
        names = [title(definition) for definition in definitions if kind_of(definition) == kind]
        found += [f"{name} is defined twice" for name in sorted(set(names)) if names.count(name) > 1]
        if len(names) > most:
            found.append(f"{len(names)} commands of type {kind} are more than {most}")
    return found


def kind_of(definition: Mapping[str, Any]) -> int:
    """The type of a command."""
    return int(definition.get("type", CHAT_INPUT))


def title(definition: Mapping[str, Any]) -> str:
    """The command as people see it: `/session`, or a name in a menu."""
    return f"/{definition['name']}" if kind_of(definition) == CHAT_INPUT else str(definition["name"])


def is_name(name: str) -> bool:
    """Whether a command or option may have this name: in lower case wherever a letter has one."""
    return _NAME.fullmatch(name) is not None and name == name.lower()


def command_length(part: Mapping[str, Any]) -> int:
    """The characters that Discord counts: names, descriptions and values of a command and of everything in it."""
    own = sum(len(str(part.get(field, ""))) for field in ("name", "description", "value"))
    inner = (*(part.get("options") or ()), *(part.get("choices") or ()))
    return own + sum(map(command_length, inner))


def _check_command(definition: Mapping[str, Any]) -> Iterator[str]:
    path = title(definition)
    if (kind := kind_of(definition)) == MESSAGE:
        yield from _check_menu_command(definition, path)
    elif kind == CHAT_INPUT:
        yield from _check_part(definition, path)
    else:
        yield f"{path}: commands of type {kind} are not known"
    if (length := command_length(definition)) > MAX_COMMAND_LENGTH:
        yield f"{path} has {length} characters, more than {MAX_COMMAND_LENGTH}"


def _check_menu_command(definition: Mapping[str, Any], path: str) -> Iterator[str]:
    if not 1 <= len(definition["name"]) <= MAX_NAME_LENGTH:
        yield f"{path}: a name in a menu has 1 to {MAX_NAME_LENGTH} characters"
    if definition.get("description") or definition.get("options"):
        yield f"{path}: a command in a menu has neither a description nor options"


def _check_part(part: Mapping[str, Any], path: str) -> Iterator[str]:
    description, options = part.get("description", ""), part.get("options", [])
    if not is_name(part["name"]):
        yield f"{path}: a name is 1 to 32 lower-case letters, digits, - or _"
    if not 1 <= len(description) <= MAX_DESCRIPTION_LENGTH:
        yield f"{path}: a description has 1 to {MAX_DESCRIPTION_LENGTH} characters, not {len(description)}"
    if len(options) > MAX_OPTIONS:
        yield f"{path}: {len(options)} options are more than {MAX_OPTIONS}"
    yield from _check_options(options, path)
    yield from _check_choices(part, path)
    shortest, longest = part.get("min_length", 0), part.get("max_length", MAX_TEXT_LENGTH)
    if not 0 <= shortest <= longest <= MAX_TEXT_LENGTH or longest < 1:
        yield f"{path}: a text's length goes from 0 to {MAX_TEXT_LENGTH}, min_length before max_length"


def _check_choices(part: Mapping[str, Any], path: str) -> Iterator[str]:
    """What may be said of an option's values depends on its type; a command has none of it."""
    choices, kind = part.get("choices", []), part["type"]
    if part.get("autocomplete") and choices:
        yield f"{path}: an option has choices, or is completed"
    if (choices or part.get("autocomplete")) and kind not in _TYPED:
        yield f"{path}: values of type {kind} are not chosen from a list"
    if not {"min_length", "max_length"}.isdisjoint(part) and kind != _TEXT:
        yield f"{path}: only texts have a length"
    if len(choices) > MAX_CHOICES:
        yield f"{path}: {len(choices)} choices are more than {MAX_CHOICES}"
    for field in ("name", "value"):
        given = [choice[field] for choice in choices]
        if len(set(given)) < len(given):
            yield f"{path}: two choices have one {field}"
        if not all(1 <= len(str(text)) <= MAX_CHOICE_LENGTH for text in given):
            yield f"{path}: a choice's {field} has 1 to {MAX_CHOICE_LENGTH} characters"


def _check_options(options: Sequence[Mapping[str, Any]], path: str) -> Iterator[str]:
    names = [option["name"] for option in options]
    if len(set(names)) < len(names):
        yield f"{path}: two options have one name"
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        yield f"{path}: required options come first"
    if len({option["type"] in _SUBCOMMAND_TYPES for option in options}) > 1:
        yield f"{path}: subcommands cannot stand beside other options"
    for option in options:
        if option["type"] not in _OPTION_TYPES:
            yield f"{path} {option['name']}: options of type {option['type']} are not known"
        yield from _check_part(option, f"{path} {option['name']}")
