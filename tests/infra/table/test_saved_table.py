"""The table's file: what was answered stays, whatever becomes of the process."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.table import saved_rows
from infra.table.memory_table import MemoryTable
from infra.table.saved_rows import SavedRows, Unreadable
from infra.table.saved_table import open_table
from tests.kit.sam_template import ROOT

ITEM: dict[str, Any] = {"pk": "A", "sk": "1", "text": "é\u200b", "number": -3, "flag": False, "texts": ["b", "a"]}


def put(table: MemoryTable, item: dict[str, Any]) -> None:
    table.apply("put_item", {"TableName": "sessions", "Item": item})


def reopened(path: Path) -> list[dict[str, Any]]:
    rows = SavedRows(path)
    try:
        return open_table("sessions", rows).items()
    finally:
        rows.close()


def test_a_table_that_is_opened_again_holds_what_was_written_and_not_what_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "table"
    rows = SavedRows(path)
    table = open_table("sessions", rows)
    for number in ("1", "2", "3"):
        put(table, {**ITEM, "sk": number})
    table.apply("delete_item", {"TableName": "sessions", "Key": {"pk": "A", "sk": "2"}})
    table.lose(("A", "3"))
    rows.close()
    assert reopened(path) == [ITEM]


def test_a_process_that_is_killed_loses_nothing_that_it_answered_and_no_half_transaction(tmp_path: Path) -> None:
    path = tmp_path / "table"
    arguments = [sys.executable, "-m", "tests.infra.table.writer", str(path)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        answered = [writer.stdout.readline() for _ in range(200)]
        writer.kill()
        answered += writer.stdout.readlines()
    numbers = {line.strip() for line in answered if line.endswith("\n")}
    halves = [{item["sk"] for item in reopened(path) if item["pk"] == half} for half in ("A", "B")]
    assert halves[0] == halves[1]
    assert numbers <= halves[0]
    assert len(halves[0] - numbers) <= 1, "the one that was killed before it could say so"


def test_a_file_that_somebody_holds_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_rows, "WAIT_SECONDS", 0.0)
    held = SavedRows(tmp_path / "table")
    with pytest.raises(Unreadable, match="locked"):
        SavedRows(tmp_path / "table")
    held.close()
    SavedRows(tmp_path / "table").close()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 20])
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(Unreadable, match="table: file is not a database"):
        SavedRows(tmp_path / "table")


def test_an_item_of_another_kind_is_named(tmp_path: Path) -> None:
    rows = SavedRows(tmp_path / "table")
    rows.write({("A", "1"): b"[]"})
    with pytest.raises(Unreadable, match="an item cannot be read"):
        open_table("sessions", rows)
    rows.close()


def test_a_write_that_does_not_reach_the_file_does_not_reach_the_table(tmp_path: Path) -> None:
    rows = SavedRows(tmp_path / "table")
    table = open_table("sessions", rows)
    rows.close()
    with pytest.raises(sqlite3.ProgrammingError):
        put(table, ITEM)
    assert table.items() == []
