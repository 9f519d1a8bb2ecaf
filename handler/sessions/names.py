"""Session names: what people type, the key that identifies a session, and the name its thread bears.

`` Session 1a06a43 ``, ``1A06A43`` and ``session  1a06a43`` are one session: NFKC, without what nobody sees, white space
folded and trimmed, case-folded, until nothing changes; then the prefix, treated the same way, is cut as long as something
follows it.
"""

import unicodedata
from typing import Final

import msgspec

from handler.discord.snowflakes import MAX_DIGITS
from handler.errors import InvalidName
from handler.runtime.characters import clean, drop_invisible, shows_something
from handler.runtime.utf16 import utf16_units

MAX_THREAD_NAME_UNITS: Final = 100  # UTF-16 units; Discord docs, "Channel", name of a thread
MAX_SORT_KEY_BYTES: Final = 1024  # DynamoDB's limit for a sort key
# A namesake's sort key holds the session key and a snowflake: it is the longest there is.
SORT_KEY_OVERHEAD: Final = len("NAMESAKE#") + len("#") + MAX_DIGITS
MAX_SPELLING_LENGTH: Final = 4 * MAX_THREAD_NAME_UNITS  # characters; no folding makes a longer one short enough
MAX_TOPIC_LENGTH: Final = 300  # characters; keeps the source message readable when the thread is collapsed under it
MAX_REASON_LENGTH: Final = 300  # characters of why a session was closed; as much as a topic

# Characters that Discord may take out of a thread's name; it is not documented.
_TAKEN_OUT: Final = dict.fromkeys(map(ord, "/\\:"))
NOTHING_TO_SEE: Final = "A session needs a name that people can see: a ticket number, a run's ID or a few words."


class SessionName(msgspec.Struct, frozen=True):
    """A valid name."""

    key: str  # identifies the session in its channel
    spelling: str  # as it was written, without the prefix


class Names:
    """The names of one deployment, which depend on its prefix.

    A prefix that ends in a letter or digit, such as ``Ticket``, gets a space: ``ticketing`` is a name of its own.
    """

    def __init__(self, prefix: str) -> None:
        folded = fold(prefix)
        space = " " if folded and (prefix[-1:].isspace() or unicodedata.category(folded[-1])[0] in "LMN") else ""
        self.prefix = clean(prefix) + space
        self._folded = folded + space

    def parse(self, text: str) -> SessionName:
        """The name of the session that `text` names. Raises InvalidName, which says what is wrong."""
        if any(unicodedata.category(c) == "Cs" for c in text):
            raise InvalidName("lone surrogate", message="That session name contains broken characters. Type it again.")
        text = clean(text)
        if len(text) > MAX_SPELLING_LENGTH:
            raise InvalidName("far too long", message="That session name is too long. Choose a shorter one.")
        key = self.key(text)
        if not shows_something(key):
            raise InvalidName("empty", message=NOTHING_TO_SEE)
        spelling = self._spelling(text, key)
        units = utf16_units(self.prefix + spelling)
        if units > MAX_THREAD_NAME_UNITS:
            most = MAX_THREAD_NAME_UNITS - utf16_units(self.prefix)
            raise InvalidName(
                f"{units} UTF-16 units",
                message=f"That session name is too long: it can have at most {most} characters (an emoji counts as two).",
            )
        if len(key.encode()) + SORT_KEY_OVERHEAD > MAX_SORT_KEY_BYTES:
            raise InvalidName("sort key too long", message="That session name is too long. Choose a shorter one.")
        if not self.bears(self.thread_name(spelling), key):
            raise InvalidName(
                "not stable", message="That session name can't be the name of a thread. Choose another one."
            )
        return SessionName(key, spelling)

    def key(self, text: str) -> str:
        """The session key of a name; empty if there is nothing but the prefix, however often."""
        folded = fold(text)
        while self._folded and folded.startswith(self._folded):
            folded = folded[len(self._folded) :].strip()
        return "" if folded == self._folded.strip() else folded

    def beginning(self, text: str) -> str | None:
        """What the keys begin with of names that begin so: "" if all may, None if none can."""
        if len(text) > MAX_SPELLING_LENGTH or any(unicodedata.category(c) == "Cs" for c in text):
            return None
        key = self.key(text)
        return key if len(key.encode()) + SORT_KEY_OVERHEAD <= MAX_SORT_KEY_BYTES else None

    def thread_name(self, spelling: str) -> str:
        """The name of a session's thread."""
        return self.prefix + spelling

    def session_key_of(self, thread_name: str | None) -> str | None:
        """The key of the session whose name the thread bears; None if it is not named like a session."""
        if thread_name is None or not fold(thread_name).startswith(self._folded):
            return None
        try:
            return self.parse(thread_name).key
        except InvalidName:
            return None

    def bears(self, thread_name: str | None, key: str) -> bool:
        """Whether a thread of that name bears the name of the session `key`."""
        if thread_name is None or not fold(thread_name).startswith(self._folded):
            return False
        return self.key(thread_name) == key

    def reduced(self, key: str) -> str:
        """The key that is left if Discord takes characters out of the thread's name."""
        return " ".join(key.translate(_TAKEN_OUT).split())

    def letters(self, text: str) -> str:
        """The letters and digits of a name, folded: what is left of it whatever else Discord takes out of it."""
        return "".join(character for character in fold(text) if character.isalnum())

    def _spelling(self, text: str, key: str) -> str:
        """The longest end of `text` that folds to the key."""
        for start in range(len(text)):
            rest = text[start:].strip()
            if drop_invisible(rest[:1]) and fold(rest) == key:
                return rest
        return key


def fold(text: str) -> str:
    """NFKC, without what nobody sees, white space folded and trimmed, case-folded (Unicode: NFKC_Casefold).

    Until nothing changes: one pass can make more to fold.
    """
    while True:
        folded = " ".join(drop_invisible(unicodedata.normalize("NFKC", text)).split()).casefold()
        if folded == text:
            return folded
        text = folded
