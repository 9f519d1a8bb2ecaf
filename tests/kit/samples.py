"""A session on record and a thread on Discord, as tests of pure decisions want them: whole, but for what is said."""

from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord.models import Channel, ThreadMetadata
from handler.store.items import Session, Status, session_from_item

NOW: Final = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
MADE_AT: Final = NOW - timedelta(hours=1)
CHANNEL: Final = "500"
KEY: Final = "1a06a43"


def snowflake(moment: datetime) -> str:
    """The smallest id of something that was made then."""
    since = moment - datetime.fromisoformat("2015-01-01T00:00:00+00:00")
    return str(since // timedelta(milliseconds=1) << 22)


THREAD_ID: Final = snowflake(MADE_AT)


def session(**given_: Any) -> Session:
    """A session with these attributes; open if no status is given."""
    whole = {
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
        "session_name": "1A06A43",
        "status": Status.OPEN,
        "generation": 3,
        "guild_id": "900",
        "discord_thread_id": THREAD_ID,
    }
    return session_from_item({**whole, **given_})


def thread(thread_id: str = THREAD_ID, **given_: Any) -> Channel:
    """A public thread; what belongs to its metadata may be given too."""
    names = ("archived", "locked", "archive_timestamp")
    metadata = ThreadMetadata(**{name: given_.pop(name) for name in names if name in given_})
    whole = {"type": 11, "name": "Session 1A06A43", "parent_id": CHANNEL, "thread_metadata": metadata}
    return Channel(id=thread_id, **{**whole, **given_})
