"""What is done for a member: what the member may do by hand, unless `OpenPolicy` is `everyone`. Pure.

The permissions are those of the signed interaction, so no request is needed. A program has none: IAM decides for it.
"""

from typing import Final

from handler.discord import permissions
from handler.discord.markdown import bold, channel_mention
from handler.discord.models import POST_PARENTS
from handler.discord.permissions import Permission
from handler.errors import NotAllowed, permission_title
from handler.sessions.model import OpenRequest, Requester

# A thread is started from a message that the bot posts for the member.
NEEDED_TO_START: Final = (Permission.SEND_MESSAGES, Permission.CREATE_PUBLIC_THREADS)
NEEDED_TO_POST: Final = (Permission.SEND_MESSAGES,)  # in forum and media channels it is shown as Create Posts


def may_start(request: OpenRequest, kind: int | None) -> bool:
    """Whether a thread may be started for the requester in a channel of that kind; None: a text channel."""
    return not _missing_to_start(request.requester, kind)


def require_starting(request: OpenRequest, kind: int | None) -> None:
    """Raise NotAllowed, naming each missing permission, if no thread may be started for the requester."""
    missing = _missing_to_start(request.requester, kind)
    if not missing:
        return
    if request.requester.in_thread and missing == [Permission.SEND_MESSAGES.name]:
        # Discord docs, "Permissions": a thread does not inherit Send Messages, so there it says nothing of the channel.
        text = f"In a thread I can't see whether you may write in {channel_mention(request.parent_channel_id)}. "
        raise NotAllowed(f"in a thread: {missing}", message=f"{text}To start a session, use the command there.")
    names = " and ".join(f"**{permission_title(name)}**" for name in missing)
    text = f"You need {names} here to start a session. Ask a moderator for it, or ask somebody else to open "
    raise NotAllowed(f"to start a thread: {missing}", message=f"{text}{bold(request.name.spelling)}.")


def require_reopening(request: OpenRequest, thread_id: str) -> None:
    """Raise NotAllowed if an archived thread may not be reopened for the requester: that takes the right to write in it."""
    granted, needed = request.requester.user_permissions, Permission.SEND_MESSAGES_IN_THREADS
    if granted is None or any(permissions.has(granted, p) for p in (needed, Permission.MANAGE_THREADS)):
        return
    text = f"{bold(request.name.spelling)} is archived: {channel_mention(thread_id)}. You need "
    message = f"{text}**{permission_title(needed.name or '')}** here to reopen it. Ask a moderator for it."
    raise NotAllowed(f"to reopen a thread: {needed.name}", message=message)


def _missing_to_start(requester: Requester, kind: int | None) -> list[str]:
    granted = requester.user_permissions
    needed = NEEDED_TO_POST if kind in POST_PARENTS else NEEDED_TO_START
    return [] if granted is None else permissions.missing(granted, needed)
