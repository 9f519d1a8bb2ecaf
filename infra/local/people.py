"""The people of the local stack, and what they may do in its channels."""

from typing import Final

from infra.interactions import DEVELOPMENT_USER_ID, MEMBER_PERMISSIONS, MODERATOR_PERMISSIONS
from infra.local.discord_client import User
from infra.simulator.permissions import permission_bits

YOU: Final = User(DEVELOPMENT_USER_ID, "you")
MONA: Final = User("1300000000000000001", "mona")
OMAR: Final = User("1300000000000000002", "omar")
VERA: Final = User("1300000000000000003", "vera (moderator)", MODERATOR_PERMISSIONS)
# A guest reads and uses commands, but can neither write nor create threads by hand.
_WITHHELD: Final = permission_bits(["SEND_MESSAGES", "CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"])
GUEST: Final = User("1300000000000000004", "guest", MEMBER_PERMISSIONS & ~_WITHHELD)

BY_NAME: Final = {user.name.partition(" ")[0]: user for user in (YOU, MONA, OMAR, VERA, GUEST)}
