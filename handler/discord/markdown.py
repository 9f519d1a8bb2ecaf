"""Discord's markdown: escape users' text, and write mentions and timestamps. Pure.

Discord docs, "Message Formatting". A backslash before a character that is no letter, digit or white space shows that
character as it is, except inside code: do not put escaped text between backticks.
"""

import re
from datetime import datetime
from typing import Final, Literal

from handler.runtime.characters import clean
from handler.runtime.utf16 import utf16_units

ELLIPSIS: Final = "…"

_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")  # cannot be sent
# What markdown makes of one line. A URL becomes a link with a preview, and a path after `discord.gg` an invitation.
_ACTIVE: Final = re.compile(
    r"[\\`*\[<]|\](?=\()"  # escapes, code, emphasis, links, mentions
    r"|(?<=<)[@#:/]"  # mentions again: Discord's server looks for them without regard to escapes
    r"|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])"  # emphasis, unless it stands within a word
    r"|~(?=~)|(?<=~)~|\|(?=\|)|(?<=\|)\|"  # strikes, spoilers
    r"|:(?=//|[\w+~-]+:)|(?<=\.gg)/|(?<=invite)/"  # URLs, emoji, invitations
    r"|^>|^#(?=#{0,2}(?: |$))|^-(?=[ #]|$)"  # quotes, headings, lists
)
_ESCAPED: Final = re.compile(r"\\([^0-9A-Za-z\s])")
_NUMBERED: Final = re.compile(r"^(\d+)\.(?= |$)")  # a list too
_URL: Final = re.compile(r"<https?://[^\s<>]+>|https?://[^\s<]+")


def escape(text: str, *, links: bool = False) -> str:
    """The text on one line, shown as it is: without markdown, links and mentions. With `links`, URLs stay links.

    A mention of everyone stays as it is: whoever sends the text says `allowed_mentions`. At most twice as long as the text.
    """
    text = clean(_SURROGATES.sub("\ufffd", text))
    shown, at = "", 0
    for url in _URL.finditer(text) if links else ():
        glued = text.startswith("<", url.end())  # its backslash would become part of the link
        shown += _escape(text[at : url.start()]) + url[0] + (" " if glued else "")
        at = url.end()
    return shown + _escape(text[at:])


def _escape(text: str) -> str:
    return _NUMBERED.sub(r"\1\\.", _ACTIVE.sub(r"\\\g<0>", text))


def unescape(text: str) -> str:
    """What people see of an escaped text: the text that `escape` was given, cleaned."""
    return _ESCAPED.sub(r"\1", text)


def shorten(text: str, max_units: int) -> str:
    """The text, cut to that many UTF-16 units (as Discord counts) and ended with an ellipsis if it is longer.

    No character is cut in half. Shorten a text before it is escaped: an escape could be cut in half.
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


def user_mention(user_id: str) -> str:
    """A user's name, which is a mention unless the message says that it mentions nobody."""
    return f"<@{user_id}>"


def role_mention(role_id: str) -> str:
    """A role, shown as its name."""
    return f"<@&{role_id}>"


def timestamp(moment: datetime, style: Literal["t", "T", "d", "D", "f", "F", "R"] = "R") -> str:
    """A moment in the reader's own time zone and language; `R` is relative ("in 3 minutes")."""
    return f"<t:{int(moment.timestamp())}:{style}>"
