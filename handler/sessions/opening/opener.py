"""The opener: one open in progress. Every function in `opening/` works for one."""

from dataclasses import dataclass

from handler.sessions.context import Context
from handler.sessions.model import OpenRequest
from handler.sessions.settings import Settings
from handler.store.items import Session


@dataclass(slots=True)
class Opener:
    """What is opened, and what this open has met in all its rounds: for the answer, and to know when to give up."""

    context: Context
    request: OpenRequest
    after_deletion: bool = False
    waited: bool = False
    claimed: bool = False  # it has made a claim, and not only taken one over or resumed it
    attempts: int = 0  # to create a thread without an anchor, whose outcome is not known
    counted: bool = False  # that claim among the member's creations
    messages_lost: int = 0  # source messages that were deleted before their thread was started
    made_room: bool = False  # by archiving another session, or found none to archive
    known_settings: Settings | None = None  # of the session's channel, once its item was read
    asked: OpenRequest | None = (
        None  # what was asked for, while the session that has the chosen message is opened instead
    )
    recorded_chosen: bool = False  # the chosen message as a source message

    def turn_back(self, session: Session | None) -> bool:
        """Whether to open what was asked for after all: the session to which the chosen message led has it no more."""
        asked = self.asked
        if asked is None or asked.message_id is None or (session is not None and session.has(asked.message_id)):
            return False
        self.request, self.asked = asked, None
        return True

    @property
    def owner(self) -> str:
        """The owner of its leases."""
        return self.request.requester.owner

    async def settings(self, channel_id: str) -> Settings:
        """What holds in the session's channel. Its item is read only if that has not been done yet."""
        if self.known_settings is None:
            self.known_settings = self.context.settings_of(await self.context.store.channels.get(channel_id))
        return self.known_settings

    @property
    def reason(self) -> str:
        """What the server's audit log says of its changes. The member comes first: a long reason is cut."""
        return f"Asked for by {self.request.requester}, session {self.request.name.key}"
