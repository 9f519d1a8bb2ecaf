"""Carry out a program's request: the table of operations, and what a request that ran out of time leaves."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec

from handler.programs.ask import ask, await_answer, cancel
from handler.programs.change import close, update
from handler.programs.ensure import ensure, ensure_request
from handler.programs.in_thread import open_request
from handler.programs.listing import list_sessions
from handler.programs.post import post
from handler.programs.read import get, replies
from handler.programs.requests import (
    Ask,
    Await,
    Cancel,
    Close,
    Ensure,
    Get,
    List,
    Post,
    Replies,
    Request,
    SessionRequest,
    Update,
)
from handler.runtime import telemetry
from handler.sessions.protocol import Sessions

# From the request and the id of the invocation to the answer. Every operation may be cancelled, and repeated by anyone.
Operation = Callable[[Sessions, Any, str], Coroutine[Any, Any, msgspec.Struct]]

OPERATIONS: Final[Mapping[type[Request], Operation]] = {
    Ensure: ensure,
    Get: get,
    Ask: ask,
    Await: await_answer,
    Cancel: cancel,
    List: list_sessions,
    Close: close,
    Update: update,
    Post: post,
    Replies: replies,
}


async def carry_out(sessions: Sessions, request: Request, request_id: str) -> msgspec.Struct:
    """The answer. Raises the errors of `handler.errors`."""
    if isinstance(request, SessionRequest):
        key = sessions.context.names.parse(request.session_name).key
        telemetry.set_fields(channel_id=request.parent_channel_id, session_key=key)
    return await OPERATIONS[type(request)](sessions, request, request_id)


async def give_up(sessions: Sessions, request: Request, request_id: str) -> None:
    """The caller will not come back: end its claim, if it has one, so that nobody waits for it."""
    names = sessions.context.names
    if isinstance(request, Ensure):
        await sessions.end_lease(ensure_request(names, request, request_id))
    elif isinstance(request, Post | Ask):
        await sessions.end_lease(open_request(names, request, request.request_id))
