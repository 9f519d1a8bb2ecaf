"""Who is to leave a private session, because the role by which it was theirs is gone. Pure.

Nobody tells the bot whom the mention of a role has added, but the audit log tells who loses a role.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from handler.discord.models import Channel
from handler.sessions.reconcile.actions import RemoveMember
from handler.sessions.reconcile.observation import Observation

MAX_REMOVALS: Final = 50  # in one run: two requests each


def plan_lost_roles(observation: Observation) -> Iterator[RemoveMember]:
    """The members to remove from active threads. Whom somebody added by name stays."""
    return islice(_losses(observation), MAX_REMOVALS)


def _losses(observation: Observation) -> Iterator[RemoveMember]:
    for session in observation.sessions:
        thread = observation.find_state(session.discord_thread_id or "")
        if not session.role_ids or not isinstance(thread, Channel) or thread.archived:
            continue
        for user_id, roles in observation.lost_roles.items():
            if not roles.isdisjoint(session.role_ids) and user_id not in (session.creator_id, *session.member_ids):
                yield RemoveMember(session, user_id)
