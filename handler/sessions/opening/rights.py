"""What is done for a member: what the member may do by hand, unless the setting `open` says otherwise. Pure.

    permitted   the member's own permissions decide, as the signed interaction has them: no request is needed
    everyone    it is done for everybody
    a role      it is done for who has the role, and for moderators

A program has no permissions: IAM decides for it. The link of a thread that is open is given to everybody.
"""

from typing import Final

from handler.discord import permissions
from handler.discord.markdown import bold, channel_mention, role_mention
from handler.discord.models import POST_PARENTS
from handler.discord.permissions import Permission
from handler.errors import NotAllowed, permission_title
from handler.sessions.model import OpenRequest, Requester
from handler.store.settings import EVERYONE, PERMITTED

# A thread is started from a message that the bot posts for the member.
NEEDED_TO_START: Final = (Permission.SEND_MESSAGES, Permission.CREATE_PUBLIC_THREADS)
NEEDED_TO_START_PRIVATE: Final = (Permission.CREATE_PRIVATE_THREADS,)
NEEDED_TO_POST: Final = (Permission.SEND_MESSAGES,)  # in forum and media channels it is shown as Create Posts


def may_start(request: OpenRequest, policy: str, kind: int | None) -> bool:
    """Whether a thread may be started for the requester in a channel of that kind; None: a text channel.

    `policy`: the setting `open`.
    """
    return _has_role(request.requester, policy) and not _missing_to_start(request, policy, kind)


def require_starting(request: OpenRequest, policy: str, kind: int | None) -> None:
    """Raise NotAllowed, naming the role or each missing permission, if no thread may be started for the requester."""
    if not _has_role(request.requester, policy):
        text = f"Here only members with {role_mention(policy)} can start sessions. Ask one of them to open "
        raise NotAllowed(f"to start a thread: not of role {policy}", message=f"{text}{bold(request.name.spelling)}.")
    missing = _missing_to_start(request, policy, kind)
    if not missing:
        return
    if request.requester.in_thread and missing == [Permission.SEND_MESSAGES.name]:
        # Discord docs, "Permissions": a thread does not inherit Send Messages, so there it says nothing of the channel.
        text = f"In a thread I can't see whether you may write in {channel_mention(request.parent_channel_id)}. "
        raise NotAllowed(f"in a thread: {missing}", message=f"{text}To start a session, use the command there.")
    names = " and ".join(f"**{permission_title(name)}**" for name in missing)
    text = f"You need {names} here to start a session. Ask a moderator for it, or ask somebody else to open "
    raise NotAllowed(f"to start a thread: {missing}", message=f"{text}{bold(request.name.spelling)}.")


def require_reopening(request: OpenRequest, policy: str, thread_id: str) -> None:
    """Raise NotAllowed if an archived thread may not be reopened for the requester.

    By hand that takes the right to write in it.
    """
    text = f"{bold(request.name.spelling)} is archived: {channel_mention(thread_id)}. "
    if not _has_role(request.requester, policy):
        text += f"Here only members with {role_mention(policy)} can reopen sessions. Ask one of them."
        raise NotAllowed(f"to reopen a thread: not of role {policy}", message=text)
    granted, needed = _judged(request.requester, policy), Permission.SEND_MESSAGES_IN_THREADS
    if granted is None or any(permissions.has(granted, p) for p in (needed, Permission.MANAGE_THREADS)):
        return
    text += f"You need **{permission_title(needed.name or '')}** here to reopen it. Ask a moderator for it."
    raise NotAllowed(f"to reopen a thread: {needed.name}", message=text)


def _has_role(requester: Requester, policy: str) -> bool:
    """Whether the requester has the role, if it takes one."""
    if policy in (PERMITTED, EVERYONE) or requester.user_permissions is None:
        return True
    return policy in requester.user_roles or requester.moderates


def _missing_to_start(request: OpenRequest, policy: str, kind: int | None) -> list[str]:
    granted = _judged(request.requester, policy)
    needed = NEEDED_TO_POST if kind in POST_PARENTS else NEEDED_TO_START
    if request.private:
        needed = NEEDED_TO_START_PRIVATE
    return [] if granted is None else permissions.missing(granted, needed)


def _judged(requester: Requester, policy: str) -> int | None:
    """The permissions that decide; None: they do not matter."""
    return requester.user_permissions if policy == PERMITTED else None
