"""What is on record of a user: one reading of the table.

Ids of Discord's are never used twice, so wherever the number stands as a whole, it is the user. Items that are the user's
own are removed: how many sessions a member has had created, and private sessions with all that names them. In all others
the id becomes 0, which is nobody's, and is taken off lists.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from handler.store.private import PRIVATE
from handler.store.table import Table
from infra.deployment.walk import Walk, kind_of

NOBODY: Final = "0"
SOMEBODY: Final = "somebody"  # where people read a name: who closed a session may be a program, which has one
REMOVED: Final = "the whole item"
CHANGED_MEANWHILE: Final = "changed meanwhile"


class User:
    """The user with that id."""

    def __init__(self, user_id: str) -> None:
        self._id = user_id
        self._whole = re.compile(rf"(?<![0-9]){user_id}(?![0-9])")

    def owns(self, item: Mapping[str, Any]) -> bool:
        """Whether the item is the user's own, by its key or by that of the private session that it belongs to."""
        if item["sk"] == f"MEMBER#{self._id}":
            return True
        keys = (item["sk"], item.get("session_key") or "")
        return any(key.startswith(PRIVATE) and key.rpartition("#")[2] == self._id for key in keys)

    def without(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes that name the user, as they are without: None if nothing is left."""
        changes: dict[str, Any] = {}
        for name, value in item.items():
            if name in ("pk", "sk"):
                continue
            if isinstance(value, str) and self._whole.search(value):
                changes[name] = self._whole.sub(SOMEBODY if name == "closed_by" else NOBODY, value)
            elif isinstance(value, list) and self._id in value:
                changes[name] = [one for one in value if one != self._id] or None
        return changes


async def forget(walk: Walk, table: Table, user_id: str, *, dry_run: bool) -> Counter[str]:
    """Remove and change what names the user. How many items, by kind and by what became or would become of them."""
    user, progress = User(user_id), walk.progress
    async for page in walk.pages(0):
        for item in page:
            if (done := await _forget_in(user, table, item, dry_run=dry_run)) is not None:
                progress.add("counted", f"{kind_of(item)}: {done}")
    return Counter(progress.of("counted"))


async def _forget_in(user: User, table: Table, item: Mapping[str, Any], *, dry_run: bool) -> str | None:
    key = {"pk": item["pk"], "sk": item["sk"]}
    if user.owns(item):
        if not dry_run:
            await table.delete(key)
        return REMOVED
    changes = user.without(item)
    if not changes:
        return None
    names = ", ".join(sorted(changes))
    if dry_run or await _change(table, key, item, changes):
        return names
    return f"{names}, {CHANGED_MEANWHILE}"


async def _change(table: Table, key: Mapping[str, str], item: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Write the changes if nobody has changed these attributes since they were read."""
    return await table.try_update(
        key,
        condition=" AND ".join(f"#{name} = :read_{name}" for name in changes),
        sets={name: value for name, value in changes.items() if value is not None},
        removes=[name for name, value in changes.items() if value is None],
        values={f"read_{name}": item[name] for name in changes},
    )
