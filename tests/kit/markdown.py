"""A reader of Discord's markdown: what people see of a message, and what they copy from it.

Written from Discord's documentation ("Message Formatting") and the rules of its clients' parser, apart from our own code.
"""

import re
from typing import Final

# At the beginning of a line.
_BLOCKS: Final = {
    "quote": r">>?>? ",
    "heading": r"#{1,3} ",
    "subtext": r"-# ",
    "list": r"[*-] ",
    "numbered list": r"\d+\.( |$)",
}
# Anywhere. An underscore within a word ends no emphasis.
_SPANS: Final = {
    "code": r"(`+)[^`]",
    "strong": r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)",
    "emphasis": r"\*(?=\S)((?:\\.|[^\\*])+?)\*|\b_((?:__|\\.|[^\\_])+?)_\b",
    "underline": r"__((?:\\.|[^\\])+?)__(?!_)",
    "strike": r"~~((?:\\.|[^\\])+?)~~",
    "spoiler": r"\|\|((?:\\.|[^\\])+?)\|\|",
    "link": r"\[[^\]]*\]\(",
    "mention": r"<[@#:/a-z]",
    "URL": r"https?://[^\s<]+[^<.,:;\"'\]\s]",
    "invitation": r"discord(\.gg|\.com/invite)/\w",
    "emoji": r":[\w+~-]+?:",
}
_ESCAPED: Final = re.compile(r"\\([^0-9A-Za-z\s])")


class Formatted(AssertionError):
    """Discord shows something else than the plain text."""


def read_plain(source: str) -> str:
    """What people see of one line that should be plain text. Raises Formatted."""
    shown, at = "", 0
    while at < len(source):
        if escaped := _ESCAPED.match(source, at):
            shown, at = shown + escaped[1], escaped.end()
            continue
        for name, pattern in (_SPANS | (_BLOCKS if at == 0 else {})).items():
            if re.match(pattern, source[at:], re.DOTALL):
                raise Formatted(f"{name} at {source[at:]!r} in {source!r}")
        shown, at = shown + source[at], at + 1
    return shown


def read_bold(content: str) -> str:
    """What people see of the first bold text, which should be plain inside."""
    bold = re.search(_SPANS["strong"], content, re.DOTALL)
    assert bold is not None, f"nothing is bold in {content!r}"
    return read_plain(bold[1])
