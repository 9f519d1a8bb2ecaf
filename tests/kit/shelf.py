"""A store over the real seam, boto3 and moto, and the sessions that its tests begin with."""

import functools
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from handler.aws.dynamodb import to_wire
from handler.runtime.clock import iso
from handler.store.items import Session
from handler.store.sessions import Adoption
from handler.store.store import Store
from handler.store.writes import Write
from tests.kit.dynamodb import DynamoWire
from tests.kit.virtual_time import START, LoopClock, run

GUILD: Final = "1"
CHANNEL: Final = "10"
KEY: Final = "1a06a43"
MESSAGE: Final = "700"
OTHER_MESSAGE: Final = "701"
THREAD: Final = "800"
LATER: Final = START + timedelta(minutes=1)
SEEN: Final = {"thread_name": "Session 1a06a43", "archived": False, "locked": False}
SEEN_ARCHIVED: Final = {**SEEN, "archived": True, "archived_at": iso(START)}


class Shelf:
    """A store, and the sessions that the tests begin with."""

    def __init__(self, wire: DynamoWire) -> None:
        self.wire = wire
        self.store = Store(call=wire.call(LoopClock()), table=wire.table)

    def item(self, key: str = KEY) -> dict[str, Any]:
        return next(item for item in self.wire.items() if item["sk"] == f"SESSION#{key}")

    def pointer(self, thread_id: str) -> dict[str, Any] | None:
        return next((item for item in self.wire.items() if item["pk"] == f"THREAD#{thread_id}"), None)

    def put_item(self, item: dict[str, Any]) -> None:
        self.wire.client.put_item(**to_wire({"TableName": self.wire.table, "Item": item}))

    def lose_item(self, pk: str, sk: str) -> None:
        self.wire.client.delete_item(**to_wire({"TableName": self.wire.table, "Key": {"pk": pk, "sk": sk}}))

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


def shelved(test: Callable[[Shelf], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of an async function that takes a shelf."""

    async def play(shelf: Shelf) -> None:
        await test(shelf)

    @functools.wraps(test)
    def runs() -> None:
        with DynamoWire() as wire:
            run(play(Shelf(wire)))

    del runs.__wrapped__  # pytest would read the parameters of the function beneath
    return runs
