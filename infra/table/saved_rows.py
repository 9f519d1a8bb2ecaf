"""Rows in a file that survive the process: a value by two keys, in SQLite, written before anybody is answered.

What `write` has returned from stays when the process is killed. When the whole machine fails, the last writes may be lost,
all of a write or nothing: for local use that is enough, and waiting for the disk each time is slow.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

# A process that was killed may still hold the file for a moment.
WAIT_SECONDS: Final = 10.0

Key = tuple[str, str]


class Unreadable(Exception):
    """The file is none of this program's, or somebody else holds it; the text says which file and why."""


class SavedRows:
    """The file, which nobody else can open as long as it is open. One thread at a time may use it. Raises Unreadable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS rows (part TEXT, name TEXT, value BLOB, PRIMARY KEY (part, name)) WITHOUT ROWID"
            )
        except sqlite3.Error as fault:
            self._database.close()
            raise Unreadable(f"{path}: {fault}") from None

    def read(self) -> Iterator[tuple[Key, bytes]]:
        """All rows, by key. Raises Unreadable."""
        try:
            for part, name, value in self._database.execute("SELECT part, name, value FROM rows ORDER BY part, name"):
                yield (part, name), value
        except sqlite3.Error as fault:
            raise Unreadable(f"{self._path}: {fault}") from None

    def write(self, rows: Mapping[Key, bytes | None]) -> None:
        """Set these rows, all or none; None removes one. Raises sqlite3.Error, for example if the disk is full."""
        put = [(*key, value) for key, value in rows.items() if value is not None]
        removed = [key for key, value in rows.items() if value is None]
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", put)
            self._database.executemany("DELETE FROM rows WHERE part = ? AND name = ?", removed)

    def close(self) -> None:
        self._database.close()
