"""A process that writes one item after another, and says each number once it is answered. `python -m … FILE`."""

import sys
from itertools import count
from pathlib import Path

from infra.table.saved_rows import SavedRows
from infra.table.saved_table import open_table
from infra.table.wire import TableWire

if __name__ == "__main__":
    wire = TableWire(open_table("sessions", SavedRows(Path(sys.argv[1]))))
    for number in count():
        items = [{"pk": {"S": half}, "sk": {"S": str(number)}} for half in ("A", "B")]
        puts = [{"Put": {"TableName": "sessions", "Item": item}} for item in items]
        assert wire.answer("TransactWriteItems", {"TransactItems": puts}).status == 200
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
