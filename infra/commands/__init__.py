"""The slash commands as data, as Discord wants them registered (Discord docs, "Application Commands")."""

from typing import Any, Final

from infra.commands.session import SESSION

COMMANDS: Final[tuple[dict[str, Any], ...]] = (SESSION,)
