"""What a run of the reconciler knows about a guild: the table's records beside what Discord shows. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import msgspec

from handler.discord.models import MEMBER_ROLE_UPDATE, AuditAction, AuditEntry, Channel
from handler.store.items import ChannelItem, Namesake, Session

Pair = tuple[str, str]  # parent channel and session key


class Gone(msgspec.Struct, frozen=True):
    """The fetch was answered with 404 and code 10003."""


class OutOfReach(msgspec.Struct, frozen=True):
    """The fetch was answered with 403. Lost access is not a deletion."""


class Unclear(msgspec.Struct, frozen=True):
    """The fetch got no clear answer, or the run has made too many: nothing is concluded."""


ThreadState = Channel | Gone | OutOfReach | Unclear


@dataclass(frozen=True, kw_only=True)
class Observation:
    """All that a run knows about a guild. A thread is named by its id."""

    now: datetime
    sessions: tuple[Session, ...] = ()  # watched, due for a check, or owners of threads in the audit log or the list
    namesakes: tuple[Namesake, ...] = ()  # the watched ones
    guild_id: str = ""
    parked: Mapping[str, ChannelItem] = field(default_factory=dict)  # channels that did not answer
    active: Mapping[str, Channel] = field(default_factory=dict)  # the active list
    fetched: Mapping[str, ThreadState] = field(default_factory=dict)  # threads, and parent channels
    fetch_count: int = 0  # how many fetches the run has made or skipped as too many
    audit: tuple[AuditEntry, ...] | None = None  # since the last run, oldest first; None: the log cannot be read
    audit_read_to: str | None = None  # the id of the last entry that the log had; None: it had none
    checks_archived: bool = False  # runs check archived sessions in turn
    due_for_check: frozenset[str] = frozenset()  # archived threads whose turn it is
    read_after_list: frozenset[str] = frozenset()  # threads whose records may be newer than the active list
    must_fetch: frozenset[str] = frozenset()  # threads for which the active list must not be believed
    left_alone: frozenset[str] = frozenset()  # threads that were merged into others, or whose owner cannot be read
    unreadable: tuple[str, ...] = ()  # what was skipped, because its shape is not known: ids and keys
    application_id: str = ""
    bot_user_id: str | None = None  # known if the audit log has a lock, or if threads are to be deleted
    let_through: bool = False  # a person lets held deletions through

    def find_state(self, thread_id: str) -> ThreadState | None:
        """What Discord says about the thread; None if it has to be fetched."""
        listed = None if thread_id in self.must_fetch else self.active.get(thread_id)
        return self.fetched.get(thread_id) or listed

    @cached_property
    def parents(self) -> frozenset[str | None]:
        """The channels of the active threads: they can be read."""
        return frozenset(thread.parent_id for thread in self.active.values())

    def is_lost(self, channel_id: str) -> bool:
        """Whether a parent channel is known to be gone or out of reach, so that nothing is asked about its sessions."""
        if channel_id in self.parents:
            return False
        state = self.fetched.get(channel_id)
        return channel_id in self.parked if state is None else not isinstance(state, Channel)

    @cached_property
    def in_audit_log(self) -> frozenset[str]:
        """The threads that the audit log has entries about."""
        return self._audit_targets(*AuditAction)

    @cached_property
    def deleted_in_audit_log(self) -> frozenset[str]:
        """The threads whose deletion is in the audit log."""
        return self._audit_targets(AuditAction.THREAD_DELETE)

    @cached_property
    def lost_roles(self) -> dict[str, frozenset[str]]:
        """The roles that were taken from members since the last run, by the member's id. Some may be back again."""
        lost: dict[str, frozenset[str]] = {}
        for entry in self.audit or ():
            roles = entry.new_value("$remove") if entry.action_type == MEMBER_ROLE_UPDATE else None
            if entry.target_id is not None and isinstance(roles, list):
                ids = frozenset(str(role.get("id")) for role in roles if isinstance(role, dict))
                lost[entry.target_id] = lost.get(entry.target_id, frozenset()) | ids
        return lost

    @cached_property
    def locked_by(self) -> dict[str, str]:
        """Who locked each thread last, by the audit log. A lock by the bot is the application's."""
        locks = (
            e for e in self.audit or () if e.action_type == AuditAction.THREAD_UPDATE and e.new_value("locked") is True
        )
        who = {e.target_id: e.user_id for e in locks if e.target_id is not None and e.user_id is not None}
        return {t: self.application_id if user == self.bot_user_id else user for t, user in who.items()}

    def _audit_targets(self, *types: AuditAction) -> frozenset[str]:
        entries = (entry for entry in self.audit or () if entry.action_type in types)
        return frozenset(entry.target_id for entry in entries if entry.target_id is not None)

    def replace_sessions(self, pairs: Collection[Pair], fresh: Mapping[Pair, Session]) -> "Observation":
        """Put fresh records in the place of the sessions of these pairs.

        If a record has changed, or was first read after the active list, it may be newer than what Discord showed: its
        thread must be fetched, so that the observation is never older than the record.
        """
        before = {session.pair: session for session in self.sessions}
        unfetched = self.read_after_list - self.fetched.keys()
        newer = (s.thread_id for s in fresh.values() if s != before[s.pair] or s.thread_id in unfetched)
        must_fetch = frozenset(thread_id for thread_id in newer if thread_id)
        return replace(
            self,
            sessions=(*(s for s in self.sessions if s.pair not in pairs), *fresh.values()),
            must_fetch=must_fetch,
            fetched={thread_id: state for thread_id, state in self.fetched.items() if thread_id not in must_fetch},
        )
