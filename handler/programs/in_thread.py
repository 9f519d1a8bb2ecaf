"""Do something in a session's thread, which is opened for it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from handler.commands.outcomes import open_and_log
from handler.discord import refusals
from handler.discord.permissions import Permission
from handler.errors import DiscordRefused, InvalidRequest, RefusedByAutoMod, SessionNotFound, TimedOut
from handler.programs.requests import SessionRequest
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.store.items import Session

T = TypeVar("T")

NEEDED: Final = (Permission.SEND_MESSAGES_IN_THREADS,)
MAX_ROUNDS: Final = 3  # the thread may be archived or deleted between open and work: twice in a second is no accident
# The thread is not as it was read.
START_OVER: Final = frozenset({refusals.THREAD_ARCHIVED, refusals.THREAD_LOCKED, refusals.UNKNOWN_CHANNEL})


async def in_thread(
    sessions: Sessions, request: SessionRequest, owner: str, work: Callable[[Session], Awaitable[T]]
) -> T:
    """Open the session as `ensure` does, but leave a thread alone that a person archived; then do the work.

    `owner`: of the claim. Raises the errors of `Sessions.open`, and what the work raises.
    """
    for _ in range(MAX_ROUNDS):
        opened = await open_and_log(sessions, open_request(sessions.context.names, request, owner))
        try:
            return await work(opened.session)
        except DiscordRefused as refusal:
            if refusal.code not in START_OVER:
                raise
    raise TimedOut("the thread kept changing")


@contextmanager
def explained(needed: Sequence[Permission], *, deleted: str, refused: str) -> Iterator[None]:
    """Say what it means that Discord refused a message there. `deleted`: that it is gone; `refused`: that its words are."""
    try:
        yield
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_MESSAGE:
            raise SessionNotFound(str(refusal), message=deleted) from refusal
        error = refusals.translate(refusal, needed)
        if isinstance(error, InvalidRequest | RefusedByAutoMod):
            error = type(error)(str(refusal), message=refused)
        raise error from refusal


def open_request(names: Names, request: SessionRequest, owner: str) -> OpenRequest:
    return OpenRequest(
        name=names.parse(request.session_name),
        parent_channel_id=request.parent_channel_id,
        requester=Requester(owner=owner),
        private=request.private,
        respects_archiving=True,
    )
