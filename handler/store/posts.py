"""Post items: which message a program's request to post has become, so that a repeat posts nothing.

begin    the request is on record before its message is posted: who comes later learns that there may be one, and since
         when. With a key, the message of that key is to show this content from now on, in the same transaction
finish   the message is on record. The first one stays
refuse   Discord does not take the content with which the message of a key was to begin: another one takes its place
forget   the message of a key was deleted: another one, with the next number, takes its place

The message of a key is posted with the content of the request that came first, whoever posts it, and is edited then. So it is
known by that content until its id is on record.

The items expire. That of a key goes with the last request for it.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Key
from handler.store.reading import Item, read_item
from handler.store.table import Lost, Table

KEPT: Final = timedelta(days=30)  # as long as what is vacant: no program repeats a request for longer
_ALWAYS: Final = "attribute_exists(pk) OR attribute_not_exists(pk)"
_NO_MESSAGE: Final = "attribute_not_exists(#message_id)"
_SAME_MESSAGE: Final = "#message_id = :read_message"
_SAME_FIRST: Final = "#first_body = :read_first"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A request to post; or the message of a key, and the request that it is to show."""

    begun_at: str
    thread_id: str  # where the message is posted
    content_hash: str  # of what was asked for
    body: str | None = None  # of a key: what the message is to show, as JSON
    first_body: str | None = None  # of a key: with what the message is posted
    number: int = 0  # of a key: how many messages it had before
    message_id: str | None = None

    @classmethod
    def from_item(cls, item: Item) -> "Post":
        """Raises UnreadableItem."""
        return read_item(item, item, cls)


class PostStore:
    """What programs post in a channel's sessions. `request` and `key` are hashes that name the session, too."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, channel_id: str, request: str) -> Post | None:
        return _read(await self._table.get(_item_key(channel_id, request)))

    async def begin(
        self, channel_id: str, request: str, post: Post, *, key: str | None, body: str, now: datetime
    ) -> Post | None:
        """Put the request on record, with what its key is to show. None if that was done; else the request on record."""
        attributes = {**msgspec.to_builtins(post), "expires_at": int((now + KEPT).timestamp())}
        attributes = {name: value for name, value in attributes.items() if value is not None}
        operations = [self._table.build_put({**_item_key(channel_id, request), **attributes}, condition=clauses.ABSENT)]
        if key is not None:
            sets: dict[str, Any] = {
                "content_hash": post.content_hash,
                "expires_at": attributes["expires_at"],
                "body": body,
            }
            defaults = {"number": 0, "begun_at": post.begun_at, "thread_id": post.thread_id, "first_body": body}
            update = self._table.build_update
            operations.append(update(_item_key(channel_id, key), condition=_ALWAYS, sets=sets, defaults=defaults))
        reasons = await self._table.transact(*operations)
        return None if reasons is None else _read(reasons[0])

    async def finish(self, channel_id: str, request: str, message_id: str, thread_id: str) -> str:
        """Record the message, if none is; the id of the one that is on record then."""
        sets: dict[str, Any] = {"message_id": message_id, "thread_id": thread_id}
        try:
            await self._table.update(_item_key(channel_id, request), condition=_NO_MESSAGE, sets=sets)
        except Lost as lost:
            known = _read(lost.item)
            return known.message_id if known is not None and known.message_id else message_id
        return message_id

    async def refuse(self, channel_id: str, key: str, first: str, body: str) -> None:
        await self._table.try_update(
            _item_key(channel_id, key),
            condition=f"{_NO_MESSAGE} AND {_SAME_FIRST}",
            sets={"first_body": body},
            values={"read_first": first},
        )

    async def forget(self, channel_id: str, key: str, message_id: str, *, body: str, now: datetime) -> None:
        await self._table.try_update(
            _item_key(channel_id, key),
            condition=_SAME_MESSAGE,
            sets={"begun_at": iso(now), "first_body": body},
            adds={"number": 1},
            removes=["message_id"],
            values={"read_message": message_id},
        )


def _item_key(channel_id: str, request: str) -> Key:
    return {"pk": f"CHANNEL#{channel_id}", "sk": f"POST#{request}"}


def _read(item: Item | None) -> Post | None:
    return Post.from_item(item) if item else None
