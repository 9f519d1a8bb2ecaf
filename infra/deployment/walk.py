"""Read the whole table, page by page and slowly, for programs of an operator. No function of Lambda does this.

Each page is one Scan of a few hundred items, some 50 read units. Between two pages there is a pause, so that people who use
the table meanwhile do not notice. With a file, a walk that was stopped goes on where it was.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from handler.aws.dynamodb import Call
from infra.deployment.errors import OperatorError
from infra.deployment.program import Sleep

PAUSE_SECONDS: Final = 0.2
PAGE_ITEMS: Final = 500  # some 300 KB: a slow line takes them within the client's time-out
Item = dict[str, Any]


class Progress(msgspec.Struct):
    """How far a walk came. `found`: what it found by then, by a name of the walker's."""

    of_run: str = ""  # what the walk is for
    round: int = 0  # how many times the table was read to its end
    after: dict[str, str] | None = None  # the key of the last item that was read
    pages: int = 0
    items: int = 0
    found: dict[str, list[str]] = msgspec.field(default_factory=dict)

    def add(self, name: str, *values: str) -> None:
        self.found.setdefault(name, []).extend(values)

    def of(self, name: str) -> list[str]:
        return self.found.get(name, [])


class Walk:
    """`what` it is for; `file`: where the progress is kept, None: nowhere. Raises OperatorError for a file of another walk."""

    def __init__(
        self, call: Call, table: str, what: str, file: Path | None = None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._call, self._table, self._file, self._sleep = call, table, file, sleep
        self.progress = Progress(of_run=what)
        if file is not None and file.exists():
            try:
                self.progress = msgspec.json.decode(file.read_bytes(), type=Progress)
            except msgspec.DecodeError:
                self.progress = Progress()
            if self.progress.of_run != what:
                raise OperatorError(f"{file} is not the progress of such a run.", "Name another file, or delete it.")

    async def pages(self, number: int) -> AsyncIterator[list[Item]]:
        """The pages of this round, from where the last run was stopped; none if it is over."""
        progress = self.progress
        while progress.round <= number:
            start = {} if progress.after is None else {"ExclusiveStartKey": progress.after}
            page = await self._call("scan", TableName=self._table, Limit=PAGE_ITEMS, **start)
            progress.pages += 1
            progress.items += len(page["Items"])
            yield page["Items"]
            progress.after = page.get("LastEvaluatedKey")
            if progress.after is None:
                progress.round = number + 1
            self._save()
            if progress.after is not None:
                await self._sleep(PAUSE_SECONDS)

    def _save(self) -> None:
        if self._file is not None:
            self._file.write_bytes(msgspec.json.encode(self.progress))

    def finish(self) -> None:
        """Everything is done: the file is not needed any more."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def kind_of(item: Item) -> str:
    """What an item is, by its key."""
    return _KINDS.get(item["sk"].partition("#")[0], "other item")


_KINDS: Final = {
    "CHANNEL": "channel",
    "GUILD": "server",
    "JOB": "job",
    "MEMBER": "member",
    "NAMESAKE": "namesake",
    "POST": "post",
    "PRIVATE": "private session",
    "QUESTION": "question",
    "SESSION": "session",
    "THREAD": "thread pointer",
}
