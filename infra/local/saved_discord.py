"""The simulated Discord's state in a file: every change is there before anybody is answered.

So after a kill it has whatever the table may know of. Interactions and rate limits, which matter for minutes, are forgotten.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any, Final, TypeVar

import msgspec

from infra.simulator.forkable import ForkableDict
from infra.simulator.models import AuditEntry, Channel, Guild, Message, Nonce, RateRule, Thread, User
from infra.simulator.state import State, Switches
from infra.table.saved_rows import Key as RowKey
from infra.table.saved_rows import SavedRows, Unreadable

# The attributes of the state, with the types of their values, or of their keys and values.
VALUES: Final[Mapping[str, Any]] = {
    "switches": Switches,
    "endpoint_url": str | None,
    "install": bytes,
    "reported_missing": frozenset[str],
    "search_index": tuple[Thread, ...] | None,
    "last_id": int,
}
DICTS: Final[Mapping[str, tuple[Any, Any]]] = {
    "users": (str, User),
    "guilds": (str, Guild),
    "channels": (str, Channel),
    "threads": (str, Thread),
    "messages": (str, Message),
    "nonces": (tuple[str, str], Nonce),
    "commands": (str, bytes),
    "rules": (tuple[str, str], RateRule),
}
AUDIT: Final = "audit"  # saved entry by entry: a guild's log only grows at its end, or goes as a whole
FORGOTTEN: Final = ("interactions", "windows")
_VALUE: Final = ""  # the second key of a value's row

K = TypeVar("K")
V = TypeVar("V")
_encode = msgspec.json.Encoder().encode


class _Watched(ForkableDict[K, V]):
    """Notes which of its keys were written."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[K] = set()

    def put(self, key: K, value: V) -> None:
        self.changed.add(key)
        super().put(key, value)

    def put_all(self, items: Iterable[tuple[K, V]]) -> None:
        all_items = tuple(items)
        self.changed.update(key for key, _ in all_items)
        super().put_all(all_items)

    def discard(self, key: K) -> None:
        self.changed.add(key)
        super().discard(key)

    def clear(self) -> None:
        self.changed.update(key for key, _ in self.items())
        super().clear()


class SavedState:
    """Brings the state to what the file has, and keeps the file up. Raises Unreadable; then the state is undefined."""

    def __init__(self, state: State, rows: SavedRows) -> None:
        self._state = state
        self._rows = rows
        self._values: dict[str, Any] = {}  # as they are in the file
        self._audited: dict[str, int] = {}  # how many entries of each guild are in the file
        self._watched: dict[str, _Watched[Any, Any]] = {name: _Watched() for name in (*DICTS, AUDIT)}
        before = {name: list(getattr(state, name).items()) for name in DICTS}
        for name, watched in self._watched.items():
            setattr(state, name, watched)
        self._restore()
        for name, items in before.items():
            self._watched[name].put_all(items)

    def save(self) -> None:
        """Write what has changed since the last time. Raises sqlite3.Error."""
        rows: dict[RowKey, bytes | None] = {}
        values = {name: getattr(self._state, name) for name in VALUES}
        for name, value in values.items():
            if name not in self._values or self._values[name] != value:
                rows[name, _VALUE] = _encode(value)
        for name in DICTS:
            watched = self._watched[name]
            for key in watched.changed:
                value = watched.get(key)
                rows[name, _name(key)] = None if value is None else _encode(value)
        lengths = self._add_audit(rows)
        if rows:
            self._rows.write(rows)
        self._values = values
        self._audited |= lengths
        for watched in self._watched.values():
            watched.changed.clear()

    def _add_audit(self, rows: dict[RowKey, bytes | None]) -> dict[str, int]:
        """Add the rows of what the audit logs have more, or no longer. Returns their lengths."""
        log = self._watched[AUDIT]
        lengths = {}
        for guild_id in log.changed:
            entries, saved = log.get(guild_id) or (), self._audited.get(guild_id, 0)
            for number in range(saved, len(entries)):
                rows[AUDIT, _name((guild_id, number))] = _encode(entries[number])
            for number in range(len(entries), saved):
                rows[AUDIT, _name((guild_id, number))] = None
            lengths[guild_id] = len(entries)
        return lengths

    def _restore(self) -> None:
        found: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for (part, name), value in self._rows.read():
            found[part].append((name, value))
        try:
            for name, kind in VALUES.items():
                for _, value in found[name]:
                    self._values[name] = _decode(kind, value)
                    setattr(self._state, name, self._values[name])
            for name, kinds in DICTS.items():
                self._put_all(name, [(_decode(kinds[0], key), _decode(kinds[1], value)) for key, value in found[name]])
            self._restore_audit(found[AUDIT])
        except msgspec.DecodeError as fault:
            raise Unreadable(f"the simulated Discord was saved by another version ({fault})") from None
        for watched in self._watched.values():
            watched.changed.clear()

    def _put_all(self, name: str, items: list[tuple[Any, Any]]) -> None:
        if name != "threads":
            self._watched[name].put_all(items)
            return
        archived: dict[tuple[str, bool], list[Thread]] = defaultdict(list)
        for _, thread in items:
            if thread.archived:
                archived[thread.parent_id, thread.is_private].append(thread)
            else:
                self._state.put_thread(thread)
        for threads in archived.values():
            self._state.put_archived_threads(threads)

    def _restore_audit(self, rows: list[tuple[str, bytes]]) -> None:
        logs: dict[str, dict[int, AuditEntry]] = defaultdict(dict)
        for key, value in rows:
            guild_id, number = _decode(tuple[str, int], key)
            logs[guild_id][number] = _with_tuples(_decode(AuditEntry, value))
        for guild_id, entries in logs.items():
            self._watched[AUDIT].put(guild_id, tuple(entries[number] for number in sorted(entries)))
            self._audited[guild_id] = len(entries)


class SavingLock:
    """A lock under which everything is done to the state: it is saved before anybody else, or any caller, sees it."""

    def __init__(self, saved: SavedState) -> None:
        self._saved = saved
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._saved.save()
        finally:
            self._lock.release()


def _name(key: Any) -> str:
    return _encode(key).decode()


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _decode(kind: Any, text: str | bytes) -> Any:
    return _decoder(kind).decode(text)


def _with_tuples(entry: AuditEntry) -> AuditEntry:
    """JSON has no tuples, and what the state holds can be hashed."""
    changes = [replace(c, old=_tuple(c.old), new=_tuple(c.new)) for c in entry.changes]
    return replace(entry, changes=tuple(changes))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
