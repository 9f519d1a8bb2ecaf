"""What a member may do in a channel: Discord's order of roles and overwrites (Discord docs, "Permission Overwrites")."""

from typing import Any

import pytest

from handler.discord.permissions import Permission
from infra.doctor.permissions import in_channel, in_guild

VIEW, SEND, HISTORY = Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES, Permission.READ_MESSAGE_HISTORY


def guild(everyone: int, bots: int = 0) -> dict[str, Any]:
    return {"id": "1", "owner_id": "2", "roles": [_role("1", everyone), _role("7", bots), _role("8", ~0 & 0xFF)]}


def _role(role_id: str, permissions: int) -> dict[str, str]:
    return {"id": role_id, "permissions": str(permissions)}


def overwrite(target: str, *, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": target, "type": 1 if target == "9" else 0, "allow": str(allow), "deny": str(deny)}


def test_a_member_has_what_everyone_and_its_roles_have() -> None:
    assert in_guild(guild(VIEW, SEND), "9", ["7"]) == VIEW | SEND


def test_an_owner_and_an_administrator_may_do_everything_whatever_a_channel_says() -> None:
    for base in (in_guild(guild(0), "2", []), in_guild(guild(0, Permission.ADMINISTRATOR), "9", ["7"])):
        assert in_channel(base, {"permission_overwrites": [overwrite("1", deny=VIEW)]}, "1", "9", []) == ~0


@pytest.mark.parametrize(
    ("overwrites", "expected"),
    [
        ([], VIEW | SEND),
        ([overwrite("1", deny=SEND)], VIEW),
        ([overwrite("7", allow=SEND), overwrite("1", deny=SEND)], VIEW | SEND),  # a role's over everyone's
        ([overwrite("7", deny=SEND), overwrite("8", allow=SEND)], VIEW | SEND),  # of roles, what one allows
        ([overwrite("9", deny=SEND), overwrite("7", allow=SEND)], VIEW),  # a member's over a role's
        ([overwrite("6", deny=SEND)], VIEW | SEND),  # somebody else's role
        ([overwrite("1", deny=VIEW, allow=HISTORY)], 0),  # who does not see it may do nothing there
    ],
)
def test_overwrites_are_applied_in_discords_order(overwrites: list[dict[str, Any]], expected: int) -> None:
    channel = {"permission_overwrites": overwrites}
    assert in_channel(VIEW | SEND, channel, "1", "9", ["7", "8"]) == expected
