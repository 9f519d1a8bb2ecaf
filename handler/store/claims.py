"""Claims: who may make a session's thread now. These writes move a session to and from `creating`."""

from datetime import datetime, timedelta
from typing import Any

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import (
    GENERATION_ATTRIBUTES,
    Session,
    Status,
    session_attributes,
    session_from_item,
    session_item_key,
)
from handler.store.lease import LEASE_SECONDS
from handler.store.listing import listing
from handler.store.parts import Problem
from handler.store.pointers import point
from handler.store.private import Private, private_key
from handler.store.table import Attributes, Table
from handler.store.writes import Write, session_or_none, split_seen, update_session


class ClaimStore:
    """Claims and their leases."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lease = timedelta(seconds=LEASE_SECONDS)

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
        label: str | None = None,
        private: Private | None = None,
        now: datetime,
    ) -> Write:
        """Claim an absent or vacant session. The first spelling stays."""
        key = private_key(session_key, private.creator_id) if private else session_key
        write = await update_session(
            self._table,
            session_item_key(parent_channel_id, key),
            condition=f"{clauses.ABSENT} OR {clauses.IS_VACANT}",
            sets={
                "status": Status.CREATING,
                "parent_channel_id": parent_channel_id,
                "session_key": session_key,
                "guild_id": guild_id,
                "watch_guild_id": guild_id,
                "created_by": created_by,
                "topic": topic,
                "label": label,
                **(private.attributes if private else {}),
                **self._lease_for(owner, now),
            },
            defaults={"generation": 1, "session_name": session_name},
            removes=["expires_at", *GENERATION_ATTRIBUTES],  # nothing of a former generation stays
            values={"vacant": Status.VACANT},
        )
        return write.accept_own(lambda s: s.status is Status.CREATING and s.lease.owner == owner)

    async def take_over(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Take over a claim whose lease has ended, exactly as it was read."""
        write = await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.lease_as_read(session)}",
            sets=self._lease_for(owner, now),
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "read_owner": session.lease.owner,
                "read_expiry": session.lease.expires_at,
            },
        )
        return write.accept_own(lambda s: s.status is Status.CREATING and s.lease.owner == owner)

    async def renew(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Renew one's own lease."""
        return await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.OWN_LEASE}",
            sets=self._lease_for(owner, now),
            values={"creating": Status.CREATING, "generation": session.generation, "owner": owner},
        )

    async def attempt(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Record, before a thread without an anchor is asked for, that one may exist from now on. Renews one's own lease.

        Lost too if its own answer was lost and the write was repeated: then a thread is looked for first.
        """
        attempted = clauses.attempts_as_read(session)
        return await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.RECORDABLE} AND {clauses.OWN_LEASE} AND {attempted}",
            sets={"create_attempts": (session.create_attempts or 0) + 1, **self._lease_for(owner, now)},
            defaults={"create_attempted_at": iso(now)},
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "owner": owner,
                "read_attempts": session.create_attempts,
            },
        )

    async def forget_attempts(self, session: Session, *, owner: str) -> Write:
        """The last attempt was refused, and those before it have left no thread."""
        return await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.RECORDABLE} AND {clauses.OWN_LEASE} AND {clauses.ATTEMPTS_AS_READ}",
            sets={},
            removes=["create_attempted_at", "create_attempts"],
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "owner": owner,
                "read_attempts": session.create_attempts,
            },
        )

    async def commit_created(self, session: Session, thread_id: str, seen: Attributes) -> Write:
        """Open the session with a thread that was created without an anchor, and point that at it. First writer wins."""
        listed = listing(session.listed_in, thread_id, seen)
        sets, removes = split_seen({**seen, **listed}, session.guild_id)
        sets |= {"status": Status.OPEN, "discord_thread_id": thread_id}
        removes = ["lease_expires_at", "expires_at", *Problem.__struct_fields__, *removes]
        reasons = await self._table.transact(
            self._table.build_update(
                session.item_key,
                condition=clauses.RECORDABLE,
                sets=sets,
                removes=removes,
                values={"creating": Status.CREATING, "generation": session.generation},
            ),
            *point(self._table, thread_id, session.pair),
        )
        if reasons is None:
            known = {**session_attributes(session), **dict.fromkeys(removes), **sets}
            return Write(True, session_from_item({name: v for name, v in known.items() if v is not None}))
        if reasons[0] is None:
            return Write(False, session, pointer_taken=True)
        lost = Write(False, session_or_none(reasons[0]))
        return lost.accept_own(lambda s: s.discord_thread_id == thread_id and s.status is not Status.VACANT)

    async def end_lease(self, session: Session, *, owner: str, now: datetime) -> None:
        """End one's own lease, so that the next opener takes over at once. What is recorded stays."""
        await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.STILL_CREATING} AND {clauses.OWN_LEASE}",
            sets={"lease_expires_at": iso(now)},
            values={"creating": Status.CREATING, "owner": owner},
        )

    async def drop(self, session: Session, *, now: datetime, owner: str | None = None) -> Write:
        """Release a claim with which nothing was recorded, and no thread asked for since it was read.

        `owner`: one's own; else anybody's, with the lease exactly as it was read.
        """
        lease = clauses.OWN_LEASE if owner else clauses.lease_as_read(session)
        lease = f"{lease} AND {clauses.attempts_as_read(session)}"
        return await update_session(
            self._table,
            session.item_key,
            condition=(
                f"{clauses.STILL_CREATING} AND {clauses.READ_GENERATION} AND {lease} AND {clauses.NOTHING_RECORDED}"
            ),
            sets=clauses.vacant_attributes(session.generation, now),
            removes=GENERATION_ATTRIBUTES,
            values={
                "creating": Status.CREATING,
                "owner": owner,
                "read_generation": session.generation,
                "read_owner": session.lease.owner,
                "read_expiry": session.lease.expires_at,
                "read_attempts": session.create_attempts,
            },
        )

    async def raise_generation(self, session: Session, *, owner: str, now: datetime) -> Write:
        """Raise the generation: the message of its nonce was deleted, and the next one has another nonce."""
        return await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.STILL_CREATING} AND {clauses.READ_GENERATION} AND {clauses.NOTHING_RECORDED}",
            sets={"generation": session.generation + 1, **self._lease_for(owner, now)},
            values={"creating": Status.CREATING, "read_generation": session.generation},
        )

    def _lease_for(self, owner: str, now: datetime) -> dict[str, Any]:
        return {"lease_owner": owner, "lease_expires_at": iso(now + self._lease)}
