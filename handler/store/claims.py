"""Claims: who may make a session's thread now. The part of the Store that moves a session to and from `creating`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Key, Session, Status, session_item_key
from handler.store.table import Attributes, Lost, Table


class Write(msgspec.Struct, frozen=True):
    """How a conditional write went. `session` is the item as it is now: ours if `won`, else the winner's (or None)."""

    won: bool
    session: Session | None
    pointer_taken: bool = False

    @property
    def mine(self) -> Session:
        """The item of a write that was won."""
        assert self.session is not None  # noqa: S101 - a won write always carries its item
        return self.session


class Claims:
    """Claims and their leases."""

    def __init__(self, table: Table, lease_seconds: float = clauses.LEASE_SECONDS) -> None:
        self._table = table
        self._lease = timedelta(seconds=lease_seconds)

    async def claim(
        self,
        parent_channel_id: str,
        session_key: str,
        *,
        session_name: str,
        guild_id: str,
        owner: str,
        created_by: str | None,
        topic: str | None,
        now: datetime,
    ) -> Write:
        """Claim an absent or vacant session. The first spelling and the first topic stay."""
        write = await self._update(
            session_item_key(parent_channel_id, session_key),
            condition=f"{clauses.ABSENT} OR {clauses.IS_VACANT}",
            sets={
                "status": Status.CREATING,
                "parent_channel_id": parent_channel_id,
                "session_key": session_key,
                "guild_id": guild_id,
                "watch_guild_id": guild_id,
                "created_by": created_by,
                **self._lease_for(owner, now),
            },
            firsts={"generation": 1, "session_name": session_name, "topic": topic},
            removes=["expires_at", *clauses.OF_A_LIFE],  # nothing of a former life goes on
            values={"vacant": Status.VACANT},
        )
        return also_won(write, lambda s: s.status is Status.CREATING and s.lease_owner == owner)

    async def take_over(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Take over a claim whose lease has ended, exactly as it was read."""
        write = await self._update(
            key_of(session),
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.lease_as_read(session)}",
            sets=self._lease_for(owner, now),
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "read_owner": session.lease_owner,
                "read_expiry": session.lease_expires_at,
            },
        )
        return also_won(write, lambda s: s.status is Status.CREATING and s.lease_owner == owner)

    async def keep(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Renew one's own lease."""
        return await self._update(
            key_of(session),
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.OWN_LEASE}",
            sets=self._lease_for(owner, now),
            values={"creating": Status.CREATING, "generation": session.generation, "owner": owner},
        )

    async def end_lease(self, session: Session, *, owner: str, now: datetime) -> None:
        """Let the next one take over at once: for who gives up with an error. What is recorded stays."""
        await self._update(
            key_of(session),
            condition=f"{clauses.STILL_CREATING} AND {clauses.OWN_LEASE}",
            sets={"lease_expires_at": iso(now)},
            values={"creating": Status.CREATING, "owner": owner},
        )

    async def drop_claim(self, session: Session, *, now: datetime, owner: str | None = None) -> Write:
        """End a claim that has left nothing behind: vacant again, same generation.

        One's own if `owner` is given; else somebody's, with the lease exactly as it was read.
        """
        lease = clauses.OWN_LEASE if owner else clauses.lease_as_read(session)
        return await self._update(
            key_of(session),
            condition=(
                f"{clauses.STILL_CREATING} AND {clauses.READ_GENERATION} AND {lease} AND {clauses.NOTHING_RECORDED}"
            ),
            sets=clauses.vacant(session.generation, now),
            removes=clauses.OF_A_LIFE,
            values={
                "creating": Status.CREATING,
                "owner": owner,
                "read_generation": session.generation,
                "read_owner": session.lease_owner,
                "read_expiry": session.lease_expires_at,
            },
        )

    async def raise_generation(self, session: Session, *, owner: str, now: datetime) -> Write:
        """The message of this generation's nonce was deleted: the next generation has another nonce."""
        return await self._update(
            key_of(session),
            condition=f"{clauses.STILL_CREATING} AND {clauses.READ_GENERATION} AND {clauses.NOTHING_RECORDED}",
            sets={"generation": session.generation + 1, **self._lease_for(owner, now)},
            values={"creating": Status.CREATING, "read_generation": session.generation},
        )

    def _lease_for(self, owner: str, now: datetime) -> dict[str, Any]:
        return {"lease_owner": owner, "lease_expires_at": iso(now + self._lease)}

    async def _update(self, key: Attributes, **parts: Any) -> Write:
        try:
            return Write(True, session_of(await self._table.update(key, **parts)))
        except Lost as lost:
            return Write(False, session_of(lost.item))


def session_of(item: Attributes | None) -> Session | None:
    return msgspec.convert(item, Session) if item else None


def also_won(write: Write, ours: Callable[[Session], bool]) -> Write:
    """A lost write whose winner is what we wanted to write: our own write, repeated after its answer was lost."""
    if not write.won and write.session is not None and ours(write.session):
        return Write(True, write.session)
    return write


def key_of(session: Session) -> Key:
    return session_item_key(session.parent_channel_id, session.session_key)
