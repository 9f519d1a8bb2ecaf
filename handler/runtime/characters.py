"""Characters that nobody sees, and how to leave them out. Pure.

The table is a literal, so that a session's key stays the same when the runtime's Unicode version changes; Python's
`unicodedata` does not carry Default_Ignorable_Code_Point. A test compares it with the Unicode Character Database.
"""

import re
import unicodedata
from typing import Final

# Default_Ignorable_Code_Point: invisible wherever they stand (Unicode, DerivedCoreProperties.txt).
_IGNORABLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# The other format characters (general category Cf). Some are drawn around what follows them.
_FORMAT: Final = r"\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
_CONTROLS: Final = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # those that are no white space
_NULL_NOTEHEAD: Final = "\U0001d159"  # a note without a head: the only symbol that is drawn as nothing
_BRAILLE_BLANK: Final = "\u2800"  # drawn as a space, though Unicode calls it a symbol

_INVISIBLE: Final = re.compile(f"[{_IGNORABLE}{_FORMAT}{_CONTROLS}{_NULL_NOTEHEAD}]")

# What is invisible itself and changes how its neighbours look: joiners (emoji, Persian, Indic scripts), variation
# selectors, and the format characters that are drawn.
_SHAPING: Final = r"\u200c\u200d\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef" + _FORMAT.replace(
    r"\ufff9-\ufffb", ""
)
# A flag of a region is a black flag, its code in tags, and the tag that ends it.
_REGION_FLAG: Final = r"(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)"
_MEANINGLESS: Final = re.compile(rf"{_REGION_FLAG}|(?![{_SHAPING}]){_INVISIBLE.pattern}")


def drop_invisible(text: str) -> str:
    """The text without any character that nobody sees. A braille blank becomes a space."""
    return _INVISIBLE.sub("", text.replace(_BRAILLE_BLANK, " "))


def clean(text: str) -> str:
    """The text on one line as it may be shown: single spaces, and only such invisible characters as shape their neighbours.

    No character that changes the direction of other text is left.
    """
    return " ".join(_MEANINGLESS.sub(lambda kept: kept[1] or "", text.replace(_BRAILLE_BLANK, " ")).split())


def shows_something(text: str) -> bool:
    """Whether people see anything: a letter, digit, sign or symbol. Marks alone have nothing to stand on."""
    return any(
        unicodedata.category(c)[0] in "LNPS" or "\U0001f000" <= c < "\U00020000"  # also emoji newer than Python
        for c in drop_invisible(text)
    )
