"""Messages that the bot posts in channels and threads: they mention nobody, show no link previews and fit. Pure."""

import hashlib
from typing import Any, Final

from handler.discord.fitting import MAX_CONTENT
from handler.discord.markdown import shorten

MAX_NONCE_LENGTH: Final = 25  # characters (Discord docs, "Message", Create Message)
SUPPRESS_EMBEDS: Final = 1 << 2  # message flag (Discord docs, "Message"): no previews of links


def message_body(content: str) -> dict[str, Any]:
    """The body of Create Message."""
    return {"content": shorten(content, MAX_CONTENT), "allowed_mentions": {"parse": []}, "flags": SUPPRESS_EMBEDS}


def message_nonce(*parts: str) -> str:
    """A nonce that is the same for everyone who posts the message that these parts identify."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:MAX_NONCE_LENGTH]
