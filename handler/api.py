"""`ApiFunction`: answers programs (agents, CI, other functions), which IAM principals invoke directly.

    {"operation": …, …}  → the answer of the operation: `handler.programs.requests`, `handler.programs.answers`
                         → {"error": {"kind", "message", "retryable", …}}, for a locked thread with "session" and "thread"

Errors are returned; only a fault of ours raises. A repeat with the same `request_id` is the same request: give each
request an id of its own.
"""

import contextlib
from typing import Any, Final

import msgspec

from handler import bootstrap
from handler.bootstrap import Environment
from handler.commands.outcomes import log_failure
from handler.config import ApiConfig
from handler.errors import ConfigurationError, OnethreadError, ThreadLocked, TimedOut
from handler.programs import answers, requests
from handler.programs.operations import carry_out, give_up
from handler.programs.requests import Request
from handler.runtime import telemetry
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_for, run_until
from handler.sessions.model import Opened

MARGIN_SECONDS: Final = 2.0  # before Lambda ends the invocation: for the grace, releasing the claim, and the answer
RELEASE_SECONDS: Final = 0.5  # two requests to DynamoDB, best effort


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One request of a program."""
    return bootstrap.invoke(ApiConfig, handle, event, context)


async def handle(environment: Environment[ApiConfig], event: Any, request_id: str, seconds: float) -> dict[str, Any]:
    """The answer to the request in `event`, within `seconds`. Raises OnethreadError, without details, for a fault of ours."""
    deadline = Deadline.after(environment.clock.now(), seconds - MARGIN_SECONDS)
    fields = {"stack": environment.config.stack_name, "function": "api", "request_id": request_id}
    with telemetry.log_request(**fields):
        try:
            request = requests.read(event)
            telemetry.set_fields(operation=type(request).__struct_config__.tag)
            return _plain(await _answer(environment, request, request_id, deadline))
        except ConfigurationError:
            raise
        except OnethreadError as error:
            log_failure(error)
            return _plain(_failure(error))
        except Exception:
            telemetry.log_fault()
        # Raised outside of the except block: Lambda shows the caller the whole chain of exceptions.
        raise OnethreadError(f"a fault of ours: see the log of request {request_id}")


def _plain(answer: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return plain


async def _answer(
    environment: Environment[ApiConfig], request: Request, request_id: str, deadline: Deadline
) -> msgspec.Struct:
    """The answer by the deadline. On time-out the caller will not retry, so release its claim."""
    work = environment.with_token(carry_out(environment.sessions, request, request_id))
    try:
        return await run_until(environment.clock, deadline, work, grace=GRACE_SECONDS)
    except TimedOut:
        with contextlib.suppress(OnethreadError):
            release = give_up(environment.sessions, request, request_id)
            await run_for(environment.clock, RELEASE_SECONDS, release)
        raise


def _failure(error: OnethreadError) -> answers.ErrorAnswer:
    """The error; for a locked thread, the thread too."""
    opened = error.opened if isinstance(error, ThreadLocked) else None
    return answers.failure(error, opened.session if isinstance(opened, Opened) else None)


bootstrap.prepare(ApiConfig)
