"""Carry out a program's request: the table of operations, and what a request that ran out of time leaves."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec

from handler.programs.ensure import ensure, open_request
from handler.programs.requests import Ensure, Request
from handler.sessions.protocol import Sessions

# From the request and the id of the invocation to the answer. Every operation may be cancelled, and repeated by anyone.
Operation = Callable[[Sessions, Any, str], Coroutine[Any, Any, msgspec.Struct]]

OPERATIONS: Final[Mapping[type[Request], Operation]] = {Ensure: ensure}


async def carry_out(sessions: Sessions, request: Request, request_id: str) -> msgspec.Struct:
    """The answer. Raises the errors of `handler.errors`."""
    return await OPERATIONS[type(request)](sessions, request, request_id)


async def give_up(sessions: Sessions, request: Request, request_id: str) -> None:
    """The caller will not come back: end its claim, if it has one, so that nobody waits for it."""
    if isinstance(request, Ensure):
        await sessions.end_lease(open_request(sessions.context.names, request, request_id))
