"""Short names for what is long or secret. Pure."""

import hashlib
import re
from typing import Final

HASH_LENGTH: Final = 24  # hexadecimal digits, 96 bits: nobody meets two of the same, by chance or on purpose

_HASH: Final = re.compile(rf"[0-9a-f]{{{HASH_LENGTH}}}")


def hash_of(*parts: str) -> str:
    """The same for the same parts, and for no others."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:HASH_LENGTH]


def is_hash(text: str) -> bool:
    """Whether the text can be one."""
    return _HASH.fullmatch(text) is not None
