"""Discord's markdown: escape users' text, and write mentions and timestamps. Pure.

Discord docs, "Message Formatting". A backslash before a character that is no letter, digit or white space shows that
character as it is, except inside code: do not put escaped text between backticks.
"""

import re
from datetime import datetime
from typing import Final, Literal

from handler.runtime.utf16 import utf16_units

ELLIPSIS: Final = "…"
_ZERO_WIDTH_SPACE: Final = "\u200b"  # invisible, and no part of a mention

# Characters that change the direction of the text that follows, even of ours.
_DIRECTIONS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")  # includes all line breaks
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")  # cannot be sent
# What begins or ends emphasis, code, spoilers, quotes, headings, lists, links, mentions and emoji. An escaped colon
# also keeps a URL from becoming a link with a preview, and an escaped slash an invitation without `https:`.
_ACTIVE: Final = re.compile(r"[\\`*_~|>#\-+\[\]()<:/]")
_ESCAPED: Final = re.compile(r"\\(.)")
_NUMBERED: Final = re.compile(r"^(\d+)\.")  # at the start of a line this makes a list


def escape(text: str) -> str:
    """The text on one line, without markdown, links or mentions.

    White space and control characters become single spaces. The result can be several times as long as the text.
    """
    text = _CONTROLS.sub(" ", _SURROGATES.sub("\ufffd", text.translate(_DIRECTIONS))).strip()
    text = _ACTIVE.sub(r"\\\g<0>", text)
    text = _NUMBERED.sub(r"\1\\.", text)
    return text.replace("@", "@" + _ZERO_WIDTH_SPACE)


def unescape(text: str) -> str:
    """The text that `escape` was given, but for its white space."""
    return _ESCAPED.sub(r"\1", text.replace(_ZERO_WIDTH_SPACE, ""))


def shorten(text: str, max_units: int) -> str:
    """The text, cut to that many UTF-16 units (as Discord counts) and ended with an ellipsis if it is longer.

    No character is cut in half. If an escape is cut in half, its backslash escapes the ellipsis, which shows nothing.
    """
    if utf16_units(text) <= max_units:
        return text
    kept, length = [], 1  # the ellipsis
    for character in text:
        length += utf16_units(character)
        if length > max_units:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS if max_units > 0 else ""


def bold(text: str) -> str:
    """Users' text, escaped and bold."""
    return f"**{escape(text)}**"


def channel_mention(channel_id: str) -> str:
    """A link to a channel or thread, shown as its name."""
    return f"<#{channel_id}>"


def timestamp(moment: datetime, style: Literal["t", "T", "d", "D", "f", "F", "R"] = "R") -> str:
    """A moment in the reader's own time zone and language; `R` is relative ("in 3 minutes")."""
    return f"<t:{int(moment.timestamp())}:{style}>"
