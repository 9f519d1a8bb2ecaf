"""The people of a private session: who is added to its thread, and how the thread tells what it is. Best effort.

Whoever opens the session is added each time: without that, the link leads them nowhere. Members and roles that the request
names are put on record and added if the requester may say who is in. A repeat does all of it again.
"""

import contextlib
from collections.abc import Iterable
from typing import Any, Final

from handler.discord.messages import message_nonce
from handler.discord.models import Channel
from handler.errors import OnethreadError
from handler.runtime.concurrency import gather, gather_limited
from handler.runtime.deadline import run_for
from handler.sessions.opening.opener import Opener
from handler.sessions.threads.choices import choose
from handler.sessions.threads.source_message import describe_session
from handler.store.items import Session

ADD_SECONDS: Final = 3.0  # no answer waits longer for it: a few requests, one after another
AT_ONCE: Final = 5  # members added side by side: Discord limits them together
SILENT: Final = 1 << 12  # message flag: nobody is notified (Discord docs, "Message", SUPPRESS_NOTIFICATIONS)


async def add_people(opener: Opener, session: Session, thread: Channel) -> None:
    """Add the requester, and whom the request names, to the private thread, which is open."""
    request, requester = opener.request, opener.request.requester
    if not _may_add(opener, session):
        await _add(opener, thread, filter(None, [requester.user_id]))
        return
    users = dict.fromkeys(filter(None, [requester.user_id, *request.members]))
    await gather(_record(opener, session), _add(opener, thread, users), _mention(opener, thread, request.roles))


async def describe(opener: Opener, session: Session, thread: Channel) -> None:
    """Post the message that describes the session in its new thread. Its nonce keeps it from being there twice."""
    body = describe_session(opener.context.names, session)
    await _post(opener, thread, body, message_nonce(thread.id, "description"))


def _may_add(opener: Opener, session: Session) -> bool:
    requester = opener.request.requester
    return requester.moderates or session.creator_id == requester.user_id


async def _add(opener: Opener, thread: Channel, user_ids: Iterable[str]) -> None:
    async def add(user_id: str) -> None:
        with contextlib.suppress(OnethreadError):
            await opener.context.discord.add_thread_member(thread.id, user_id)

    with contextlib.suppress(OnethreadError):
        jobs = [add(user_id) for user_id in user_ids]
        await run_for(opener.context.clock, ADD_SECONDS, gather_limited(AT_ONCE, jobs))


async def _record(opener: Opener, session: Session) -> None:
    """Put the members and roles that are new on record."""
    request = opener.request

    def changes(read: Session) -> dict[str, Any]:
        named = {"member_ids": (read.member_ids, request.members), "role_ids": (read.role_ids, request.roles)}
        return {name: [*dict.fromkeys((*old, *new))] for name, (old, new) in named.items() if not set(new) <= set(old)}

    with contextlib.suppress(OnethreadError):
        await choose(opener.context, session, changes)


async def _mention(opener: Opener, thread: Channel, role_ids: Iterable[str]) -> None:
    """Mention the roles: in a private thread Discord adds whoever has one of them."""
    roles = sorted(set(role_ids))
    if not roles:
        return
    body = {
        "content": " ".join(f"<@&{role}>" for role in roles),
        "allowed_mentions": {"parse": [], "roles": roles},
        "flags": SILENT,
    }
    await _post(opener, thread, body, message_nonce(thread.id, *roles))


async def _post(opener: Opener, thread: Channel, body: dict[str, Any], nonce: str) -> None:
    with contextlib.suppress(OnethreadError):
        posting = opener.context.discord.post_message(thread.id, body, nonce=nonce)
        await run_for(opener.context.clock, ADD_SECONDS, posting)
