"""Discord's limits on what a message shows, and lists that are made to fit them. Pure.

Discord does not say whether it counts characters or UTF-16 units: what fits in units fits in characters too.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from handler.runtime.utf16 import utf16_units

MAX_CONTENT: Final = 2000  # units of a message's text (Discord docs, "Message", content)
MAX_DESCRIPTION: Final = 4096  # units of an embed's text (Discord docs, "Message", embed limits)
MAX_LAYOUT: Final = 4000  # units of all texts of a layout (Discord docs, "Components", IS_COMPONENTS_V2)
MAX_LABEL: Final = 80  # units of a button's label (Discord docs, "Components")


def fit_lines(lines: Sequence[str], max_units: int, more: Callable[[int], str] | None = None) -> list[str]:
    """The first lines, as many as fit when joined by a character. `more` makes the line that counts those left out.

    Nothing is left if not even that line fits.
    """
    totals = [0, *accumulate(utf16_units(line) + 1 for line in lines)]
    for kept in range(len(lines), -1, -1):
        hidden = len(lines) - kept
        last = [more(hidden)] if more is not None and hidden else []
        if totals[kept] + sum(utf16_units(line) + 1 for line in last) - 1 <= max_units:
            return [*lines[:kept], *last]
    return []
