"""A table with a file behind it: what was answered stays when the process is killed."""

from collections.abc import Sequence

import msgspec

from infra.table.memory_table import Change, MemoryTable
from infra.table.saved_rows import SavedRows, Unreadable

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str | int | bool | list[str]]).decode


def open_table(name: str, rows: SavedRows) -> MemoryTable:
    """The table as the file has it. Each write is in the file before the table has it. Raises Unreadable."""
    try:
        table = MemoryTable(name, (_decode(value) for _, value in rows.read()))
    except msgspec.DecodeError as fault:
        raise Unreadable(f"an item cannot be read: {fault}") from None

    def save(changes: Sequence[Change]) -> None:
        rows.write({key: None if new is None else _encode(new.values) for key, _, new, _ in changes})

    table.on_commit = save
    return table
