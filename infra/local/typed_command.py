"""A command as it is typed in a terminal: its words, then its options. Pure.

    session close name=1a06a43 lock=true
    session add user=mona
    "Open session here"

What an option takes is read from the definitions that are registered with Discord.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.commands.definitions import COMMANDS
from infra.commands.limits import MESSAGE, kind_of
from infra.commands.option_types import BOOLEAN, INTEGER, SUBCOMMAND, USER
from infra.local import people

_YES: Final = ("true", "yes", "on", "1")
_NO: Final = ("false", "no", "off", "0")


def read_command(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The command's words, and its options by name. Raises ValueError, which says what is wrong."""
    given = dict(word.partition("=")[::2] for word in words if "=" in word)
    path = " ".join(word for word in words if "=" not in word)
    defined = _paths().get(path)
    if defined is None:
        raise ValueError(f"no command is called {path!r}: {', '.join(_paths())}")
    unknown = [name for name in given if name not in defined]
    if unknown:
        raise ValueError(f"{path!r} has no option {unknown[0]!r}: {', '.join(defined) or 'it has none'}")
    return path, {name: _read_value(name, text, defined[name]) for name, text in given.items()}


def is_in_menu(path: str) -> bool:
    """Whether it is a command in a message's menu."""
    return any(kind_of(command) == MESSAGE and command["name"] == path for command in COMMANDS)


def is_for_moderators(path: str) -> bool:
    words = path.split()
    return any(command["name"] == words[0] and "default_member_permissions" in command for command in COMMANDS)


def _paths() -> Mapping[str, dict[str, int]]:
    """The options of each command, with their types."""
    found = {}
    for command in COMMANDS:
        for part in command.get("options", [{"type": None}]):
            path = f"{command['name']} {part['name']}" if part["type"] == SUBCOMMAND else command["name"]
            found[path] = {option["name"]: option["type"] for option in part.get("options", [])}
    return found


def _read_value(name: str, text: str, kind: int) -> Any:
    if kind == USER:
        return people.BY_NAME[text].id if text in people.BY_NAME else text
    if kind == INTEGER:
        return int(text)
    if kind != BOOLEAN:
        return text
    if text.lower() not in (*_YES, *_NO):
        raise ValueError(f"{name} is true or false, not {text!r}")
    return text.lower() in _YES
