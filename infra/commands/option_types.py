"""Types of options (Discord docs, "Application Commands", Application Command Option Type)."""

from typing import Final

SUBCOMMAND: Final = 1
STRING: Final = 3
INTEGER: Final = 4
BOOLEAN: Final = 5
USER: Final = 6
ROLE: Final = 8
