"""Who sees a private session. To everybody else it does not exist. Pure."""

from collections.abc import Collection, Iterable

from handler.sessions.model import Requester
from handler.store.items import Session, Status
from handler.store.private import PROGRAM


def may_see(session: Session, *, user_id: str | None, role_ids: Collection[str] = (), moderates: bool = False) -> bool:
    """Whether a user sees the session: its creator, a member or role on record, or a moderator (Manage Threads).

    `user_id` None: a program. Programs see what programs have created. Everybody sees a session that is not private.
    """
    if not session.private or moderates or session.creator_id == user_id:
        return True
    return user_id in session.member_ids or not set(session.role_ids).isdisjoint(role_ids)


def is_visible_to(session: Session, requester: Requester) -> bool:
    role_ids, moderates = requester.user_roles, requester.moderates
    return may_see(session, user_id=requester.user_id, role_ids=role_ids, moderates=moderates)


def choose_private(sessions: Iterable[Session], requester: Requester) -> Session | None:
    """Of the private sessions of one name, the one that the requester means; None: one of the requester's own is to be made.

    A living one comes before one that lost its thread, then the requester's own, then the one of the lowest creator's id.
    What others had, and lost its thread, is nobody's but theirs.
    """
    seen = [session for session in sessions if _is_meant(session, requester)]
    return min(seen, key=lambda session: _rank(session, requester), default=None)


def _is_meant(session: Session, requester: Requester) -> bool:
    if session.status is Status.VACANT:
        return session.creator_id == requester.user_id
    return is_visible_to(session, requester)


def _rank(session: Session, requester: Requester) -> tuple[bool, bool, int]:
    is_others = session.creator_id != requester.user_id
    return session.status is Status.VACANT, is_others, int(session.creator_id or PROGRAM)
