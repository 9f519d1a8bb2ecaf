"""The slash commands as data, as Discord wants them registered (Discord docs, "Application Commands")."""

from typing import Any, Final

from infra.commands.admin import SESSION_ADMIN
from infra.commands.session import SESSION

COMMANDS: Final[tuple[dict[str, Any], ...]] = (SESSION, SESSION_ADMIN)
