"""The Store of a guild, and the sessions that its tests begin with."""

from datetime import timedelta
from typing import Any, Final

from handler.runtime.clock import iso
from handler.store.adoption import Adoption
from handler.store.items import Session
from handler.store.store import Store
from handler.store.writes import Write
from infra.virtual_time import START
from tests.kit.dynamodb import DynamoWire
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD

VACANT_KEPT: Final = timedelta(days=30)
KEY: Final = "1a06a43"
MESSAGE: Final = "700"
OTHER_MESSAGE: Final = "701"
THREAD: Final = "800"
LATER: Final = START + timedelta(minutes=1)
SEEN: Final = {"thread_name": "Session 1a06a43", "archived": False, "locked": False}
SEEN_ARCHIVED: Final = {**SEEN, "archived": True, "archived_at": iso(START)}
VACANT_ITEM: Final = {
    "pk": "CHANNEL#10",
    "sk": "SESSION#1a06a43",
    "status": "vacant",
    "parent_channel_id": CHANNEL,
    "session_key": KEY,
    "session_name": KEY,
    "guild_id": GUILD,
    "expires_at": int((START + VACANT_KEPT).timestamp()),
}


class StoredSessions:
    """`table`: what is on record."""

    def __init__(self, guild: Guild) -> None:
        self.table = guild.table
        self._guild = guild

    @property
    def wire(self) -> DynamoWire:
        """Where the Store's calls end."""
        assert isinstance(self._guild.wire, DynamoWire)
        return self._guild.wire

    @property
    def store(self) -> Store:
        return self._guild.store

    async def claim(self, owner: str = "one", key: str = KEY, **more: Any) -> Write:
        given = {"session_name": key, "guild_id": GUILD, "created_by": None, "topic": None, "now": START, **more}
        return await self.store.claims.claim(CHANNEL, key, owner=owner, **given)

    async def claimed(self, owner: str = "one", key: str = KEY, **more: Any) -> Session:
        return (await self.claim(owner, key, **more)).mine

    async def recorded(self, message_id: str = MESSAGE, key: str = KEY) -> Session:
        return (await self.store.sessions.record(await self.claimed(key=key), message_id)).mine

    async def open(self, thread_id: str = MESSAGE, key: str = KEY) -> Session:
        return (await self.store.sessions.commit(await self.recorded(thread_id, key), thread_id, SEEN)).mine

    async def vacant(self, key: str = KEY) -> Session:
        return (await self.store.claims.drop(await self.claimed(key=key), owner="one", now=START)).mine

    async def adopt(self, session: Session | None, thread_id: str = THREAD, key: str = KEY, **more: Any) -> Write:
        given = {"session_name": key, "guild_id": GUILD, "pointer": None, "seen": SEEN, **more}
        adoption = Adoption(parent_channel_id=CHANNEL, session_key=key, thread_id=thread_id, **given)
        return await self.store.sessions.adopt(session, adoption)
