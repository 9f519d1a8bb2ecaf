"""Discord's markdown: users' text that cannot break what is around it, and the few mentions that answers use. Pure.

Discord docs, "Message Formatting". A backslash before any character that is neither a letter, a digit nor white space
shows that character as it is, except inside code: escaped text has no place between backticks.
"""

import re
from datetime import datetime
from typing import Final, Literal

from handler.runtime.utf16 import utf16_units

ELLIPSIS: Final = "…"
_NOTHING: Final = "\u200b"  # shows nothing, and is no part of any mention

# Characters that turn the direction of the text after them, be it ours.
_DIRECTIONS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")  # line breaks of every kind among them
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")  # cannot be sent
# Everything that begins or ends emphasis, code, spoilers, quotes, headings, lists, links, mentions or emoji; the colon
# also keeps a URL from becoming a link with a preview, and the slash an invitation without `https:`.
_ACTIVE: Final = re.compile(r"[\\`*_~|>#\-+\[\]()<:/]")
_NUMBERED: Final = re.compile(r"^(\d+)\.")  # at the beginning of a line it would be a list


def escape(text: str) -> str:
    """The same words on one line, showing as they are: no markdown, no link, no mention.

    White space and control characters become single spaces, trimmed. The result can be several times as long.
    """
    text = _CONTROLS.sub(" ", _SURROGATES.sub("\ufffd", text.translate(_DIRECTIONS))).strip()
    text = _ACTIVE.sub(r"\\\g<0>", text)
    text = _NUMBERED.sub(r"\1\\.", text)
    return text.replace("@", "@" + _NOTHING)


def shorten(text: str, units: int) -> str:
    """At most that many UTF-16 units, as Discord counts, with an ellipsis where something was cut.

    No character beyond the BMP is cut in half. Where an escape is, its backslash escapes the ellipsis, and nobody sees it.
    """
    if utf16_units(text) <= units:
        return text
    kept, length = [], 1  # the ellipsis
    for character in text:
        length += utf16_units(character)
        if length > units:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS if units > 0 else ""


def channel_mention(channel_id: str) -> str:
    """A link to a channel or thread, shown with its name."""
    return f"<#{channel_id}>"


def timestamp(moment: datetime, style: Literal["t", "T", "d", "D", "f", "F", "R"] = "R") -> str:
    """A moment in each reader's own time zone and language; `R` is relative ("in 3 minutes")."""
    return f"<t:{int(moment.timestamp())}:{style}>"
