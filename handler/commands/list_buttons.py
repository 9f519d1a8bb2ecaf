"""The buttons that turn the pages of lists: their `custom_id` says all that the next page needs. Pure.

It comes back as it was sent, or old, or replayed by who saw it: it is checked like any input. It names nobody: "mine" is
of whoever presses.
"""

import re
from typing import Final, Literal

import msgspec

from handler.commands.texts import UNKNOWN_BUTTON
from handler.errors import InvalidRequest
from handler.runtime.characters import shows_something
from handler.runtime.utf16 import utf16_units
from handler.sessions.overview.choose import State
from handler.store.listing import is_place

LIST_BUTTON: Final = "list"
FIND_BUTTON: Final = "find"
MAX_TEXT_UNITS: Final = 40  # of a text to find: with the place it fits into a `custom_id`

Towards = Literal["older", "newer"]
_SIGNS: Final[dict[Towards, str]] = {"older": "<", "newer": ">"}
_TURN: Final = re.compile(rf"(?P<state>{'|'.join(State)})?(?P<mine>,mine)?(?P<sign>[<>])(?P<place>.*)")
_SEPARATOR: Final = "|"  # between a place and a text


class Wanted(msgspec.Struct, frozen=True):
    """Which sessions a list shows."""

    state: State | None = None
    mine: bool = False


class Turn(msgspec.Struct, frozen=True):
    """To which page of a list a button leads."""

    wanted: Wanted
    towards: Towards
    place: str


def turn_id(wanted: Wanted, towards: Towards, place: str) -> str:
    mine = ",mine" if wanted.mine else ""
    return f"{LIST_BUTTON}:{wanted.state or ''}{mine}{_SIGNS[towards]}{place}"


def read_turn(argument: str) -> Turn:
    """Raises InvalidRequest."""
    parts = _TURN.fullmatch(argument)
    if parts is None or not is_place(parts["place"]):
        raise InvalidRequest("a button with no such page", message=UNKNOWN_BUTTON)
    wanted = Wanted(State(parts["state"]) if parts["state"] else None, mine=parts["mine"] is not None)
    return Turn(wanted, "older" if parts["sign"] == _SIGNS["older"] else "newer", parts["place"])


def further_id(text: str, place: str) -> str:
    return f"{FIND_BUTTON}:{place}{_SEPARATOR}{text}"


def read_further(argument: str) -> tuple[str, str]:
    """The text to find and the place behind which the page begins, "" for the newest. Raises InvalidRequest."""
    place, _, text = argument.partition(_SEPARATOR)
    if (place and not is_place(place)) or not shows_something(text) or utf16_units(text) > MAX_TEXT_UNITS:
        raise InvalidRequest("a button with no such page", message=UNKNOWN_BUTTON)
    return text, place
