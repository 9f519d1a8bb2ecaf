"""What a member of a server may do in a channel, from Discord's own objects (Discord docs, "Permissions"). Pure.

The bits in `allow` and `deny` of an overwrite, and in a role's `permissions`, are decimal texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from handler.discord.models import POST_PARENTS, ChannelType
from handler.discord.permissions import Permission
from handler.discord.refusals import NEEDED_TO_CREATE, NEEDED_TO_POST
from handler.errors import permission_title
from infra.interactions import BOT_PERMISSIONS

ALL: Final = ~0  # of an owner, and of an administrator
_ROLE, _MEMBER = 0, 1  # types of overwrites
_OF_THREADS: Final = Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS


def in_guild(guild: Mapping[str, Any], user_id: str, roles: Iterable[str]) -> int:
    """The permissions in the server as a whole."""
    held = {guild["id"], *roles}
    granted = 0
    for role in guild["roles"]:
        granted |= int(role["permissions"]) if role["id"] in held else 0
    return ALL if user_id == guild.get("owner_id") or granted & Permission.ADMINISTRATOR else granted


def in_channel(base: int, channel: Mapping[str, Any], guild_id: str, user_id: str, roles: Iterable[str]) -> int:
    """The permissions in a channel: overwrites of everyone, then of the roles at once, then of the member."""
    if base == ALL:
        return base
    overwrites: Sequence[Mapping[str, Any]] = channel.get("permission_overwrites") or ()
    of_roles = [o for o in overwrites if o["type"] == _ROLE and o["id"] in set(roles) and o["id"] != guild_id]
    for group in (
        [o for o in overwrites if o["id"] == guild_id],
        of_roles,
        [o for o in overwrites if o["type"] == _MEMBER and o["id"] == user_id],
    ):
        denied, allowed = 0, 0
        for overwrite in group:
            denied |= int(overwrite["deny"])
            allowed |= int(overwrite["allow"])
        base = base & ~denied | allowed
    return base if base & Permission.VIEW_CHANNEL else 0


def needed(kind: int) -> tuple[int, int]:
    """What the bot needs in a channel of that type to start sessions, and all that it uses there."""
    used = BOT_PERMISSIONS & ~Permission.VIEW_AUDIT_LOG
    if kind in POST_PARENTS:
        return _sum(NEEDED_TO_POST), used & ~_OF_THREADS
    if kind == ChannelType.ANNOUNCEMENT:
        used &= ~Permission.CREATE_PRIVATE_THREADS
    return _sum(NEEDED_TO_CREATE), used


def _sum(permissions: Iterable[Permission]) -> int:
    total = 0
    for permission in permissions:
        total |= permission
    return total


def names(bits: int) -> list[str]:
    """The permissions of these bits as Discord's client calls them."""
    return [permission_title(permission.name or "") for permission in Permission if permission & bits]
