"""Places in ActivityIndex. Pure.

`listed_in` is the channel; its private sessions have a partition of their own. `activity` is a time and the thread's id, so each place is one session's, and a list goes on
exactly behind a place. The time is that of the last message or open on record, which may be an hour older than the truth.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_PLACE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#\d{1,20}")


def is_place(text: str) -> bool:
    """Whether the text can be a place in the index."""
    return _PLACE.fullmatch(text) is not None


def listing(
    listed_in: str, thread_id: str, changes: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The keys of the index that go with these changes of a session's item; none if they say nothing of activity.

    `known`: the attributes as they were.
    """
    names = ("last_activity_at", "opened_at")
    if not any(changes.get(name) for name in names):
        return {}
    known = known or {}
    times = [changes.get(name) or known.get(name) for name in names]
    return {"listed_in": listed_in, "activity": f"{max(filter(None, times))}#{thread_id}"}
