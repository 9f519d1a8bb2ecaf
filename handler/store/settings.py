"""What moderators have set for a channel. Kept on the channel's item."""

from typing import ClassVar, Final, Literal

import msgspec

from handler.config import UnlockPolicy
from handler.discord.snowflakes import is_snowflake

# Minutes; Discord takes no others (Discord docs, "Channel", auto_archive_duration).
ArchiveAfter = Literal[60, 1440, 4320, 10080]
PERMITTED: Final = "permitted"
EVERYONE: Final = "everyone"


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one channel; None: as in the deployment."""

    open: str | None = msgspec.field(default=None, name="open_policy")  # `permitted`, `everyone` or the id of a role
    unlock: UnlockPolicy | None = msgspec.field(default=None, name="unlock_policy")
    archive_after: ArchiveAfter | None = msgspec.field(default=None, name="auto_archive_minutes")
    private: bool | None = msgspec.field(default=None, name="private_by_default")
    tag: str | None = msgspec.field(default=None, name="default_tag")  # the name of a forum's tag
    access_role: str | None = msgspec.field(default=None, name="access_role_id")

    ATTRIBUTES: ClassVar[dict[str, str]]  # of the item, by field

    def __post_init__(self) -> None:
        if self.open is not None and self.open not in (PERMITTED, EVERYONE) and not is_snowflake(self.open):
            raise ValueError("neither a policy nor the id of a role")


ChannelSettings.ATTRIBUTES = dict(
    zip(ChannelSettings.__struct_fields__, ChannelSettings.__struct_encode_fields__, strict=True)
)
