"""The texts of ``/session-admin status``. Pure; see `handler.commands.texts`.

The answer is a layout, which has room for 4000 characters: every list shows a few and counts the rest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from handler.discord import components, markdown, permissions
from handler.discord.models import POST_PARENTS, ChannelType
from handler.discord.permissions import Permission
from handler.discord.responses import Message, layout, message
from handler.errors import permission_title, quantity
from handler.runtime.clock import iso, parse_iso
from handler.sessions.overview.server import ServerStatus
from handler.store.guilds import read_counts
from handler.store.items import Session

LET_THROUGH_BUTTON: Final = "let-through"
MAX_SHOWN: Final = 5  # of a list: as many as are read on a phone
MAX_NAME_UNITS: Final = 60  # of a session's name. Escaped it can be twice as long
ACTIVE_LIMIT: Final = 1000  # threads of a server, about: Discord does not say it, users found it

# What each permission of the bot is for, in the order in which people should grant them.
PURPOSES: Final[Mapping[Permission, str]] = {
    Permission.VIEW_CHANNEL: "to see the channel and its threads",
    Permission.SEND_MESSAGES: "to post what a thread is started from",
    Permission.READ_MESSAGE_HISTORY: "to find the threads that exist already",
    Permission.CREATE_PUBLIC_THREADS: "to start threads",
    Permission.CREATE_PRIVATE_THREADS: "to start private sessions",
    Permission.SEND_MESSAGES_IN_THREADS: "to reopen archived threads and write in them",
    Permission.MANAGE_THREADS: "to lock, unlock and delete threads and to close duplicates",
    Permission.VIEW_AUDIT_LOG: "to see who archived, locked or deleted a thread, and to keep sessions open",
}
# What the counts of a run are called; those of other names are of no use to moderators.
_COUNTED: Final = {
    "looked_at": "looked at",
    "UpdateSession": "updated",
    "Commit": "finished",
    "EndGeneration": "deleted threads noticed",
    "failed": "failed",
}


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when the command was used, and what the bot may do there."""

    channel_id: str
    kind: int | None  # None: not known
    granted: int | None  # the bot's permissions; None: not known
    application_id: str
    now: datetime


def server_status(status: ServerStatus, here: Here) -> Message:
    """What is missing comes first; then what is held back and out of reach; then what the last run did."""
    parts = [*_missing(status, here), *_held(status, here), *_out_of_reach(status), *_last_run(status)]
    shown = components.container(*(components.text(part) for part in parts))
    if not status.held or _is_let_through(status, here):
        return layout(shown)
    button = components.button("Let through", LET_THROUGH_BUTTON, style=components.DANGER)
    return layout(shown, components.row(button))


def let_through(held: int) -> Message:
    if not held:
        return message("Nothing is held back any more.")
    return message(
        f"I'll believe {quantity(held, 'deletion')} and what else I find deleted within the next hour. The next check "
        "does it, in a few minutes; each thread is looked for once more."
    )


def _missing(status: ServerStatus, here: Here) -> Iterator[str]:
    if status.active_threads is None:
        yield f"❌ I'm not a member of this server, so I can't see its threads. [Invite me]({_invitation(here)})."
        return
    granted, channel = here.granted, markdown.channel_mention(here.channel_id)
    lacking = [] if granted is None else [p for p in PURPOSES if not permissions.has(granted, p) and _matters(p, here)]
    if not lacking:
        yield f"✅ I have all permissions that I need in {channel}."
        return
    lines = [f"- **{permission_title(p.name or '')}** {PURPOSES[p]}" for p in lacking]
    yield "\n".join([f"❌ I'm missing permissions in {channel}. Ask an admin to grant them to my role:", *lines])


def _matters(permission: Permission, here: Here) -> bool:
    """Whether the permission is of use in channels of that kind."""
    if permission is Permission.CREATE_PUBLIC_THREADS:
        return here.kind not in POST_PARENTS
    return permission is not Permission.CREATE_PRIVATE_THREADS or here.kind in (ChannelType.TEXT, None)


def _invitation(here: Here) -> str:
    asked = f"client_id={here.application_id}&scope=bot+applications.commands&permissions={sum(PURPOSES)}"
    return f"https://discord.com/oauth2/authorize?{asked}"


def _held(status: ServerStatus, here: Here) -> Iterator[str]:
    if not status.held:
        return
    names = _names((s for s in status.held if s.parent_channel_id == here.channel_id), len(status.held))
    head = (
        f"⏸️ {quantity(len(status.held), 'thread')} seem deleted all at once. That may be a fault at Discord, so I wait."
    )
    if _is_let_through(status, here):
        foot = "Somebody has let them through: the next check believes it."
    else:
        foot = "If they are really gone, and you can't wait for half an hour, let them through."
    yield "\n".join([head, *names, foot])


def _is_let_through(status: ServerStatus, here: Here) -> bool:
    return (status.guild.let_through_until or "") > iso(here.now)


def _out_of_reach(status: ServerStatus) -> Iterator[str]:
    if status.lost:
        shown = [markdown.channel_mention(channel.channel_id) for channel in status.lost[:MAX_SHOWN]]
        more = _more(len(status.lost) - len(shown))
        yield f"⚠️ Channels that are gone or that I can't see: {', '.join([*shown, *more])}. Their sessions stay on record."
    if status.unreachable and status.active_threads is not None:
        number = quantity(len(status.unreachable), "session")
        yield f"⚠️ I can't read the threads of {number}. They stay on record, and I ask again from time to time."


def _last_run(status: ServerStatus) -> Iterator[str]:
    if status.active_threads is not None:
        yield f"Active threads in this server: {status.active_threads:,} of about {ACTIVE_LIMIT:,}."
    guild = status.guild
    if not status.is_known:
        yield "No session was opened in this server yet. `/session open` starts one."
    elif guild.parked and guild.due_at is not None:
        when = markdown.timestamp(parse_iso(guild.due_at))
        yield f"At my last check I couldn't read this server. I try again {when}, or when somebody opens a session."
    elif guild.reconciled_at is None:
        yield "My first check of this server comes in a few minutes."
    else:
        when = markdown.timestamp(parse_iso(guild.reconciled_at))
        counts = read_counts(guild)
        said = [f"{counts[name]:,} {words}" for name, words in _COUNTED.items() if counts.get(name)]
        yield f"Last noted check: {when}" + (f": {', '.join(said)}." if said else ".")


def _names(sessions: Iterable[Session], total: int) -> Sequence[str]:
    """The sessions of this channel; those of others are counted, because not every moderator sees them."""
    shown = [
        f"- {markdown.bold(markdown.shorten(s.session_name, MAX_NAME_UNITS))} "
        f"{markdown.channel_mention(s.discord_thread_id or '')}"
        for s in list(sessions)[:MAX_SHOWN]
    ]
    return [*shown, *(f"- {more}" for more in _more(total - len(shown)))]


def _more(hidden: int) -> list[str]:
    return [f"… and {hidden:,} more"] if hidden > 0 else []
