"""The frame of an operator's program: what it meets outside of itself, and how it says what went wrong."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
from boto3.session import Session

from handler.aws.dynamodb import InvalidCall
from handler.errors import BotTokenRefused, OnethreadError
from infra.command_line import INTERRUPTED, fail, only_errors
from infra.deployment.discord_api import DiscordError
from infra.deployment.errors import OperatorError

Now = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outside:
    """`session`: boto3's; None: the one that the options choose. `transport`: httpx's, to Discord."""

    environ: Mapping[str, str]
    session: Session | None = None
    transport: httpx.AsyncBaseTransport | None = None
    sleep: Sleep = asyncio.sleep
    now: Now = utc_now


OUTSIDE: Final = Outside(os.environ)


def attempt(work: Callable[[], int], *, again: str = "") -> int:
    """Do a program's work; the exit status. What stops it is said, and what to do: `again`, how to go on."""
    try:
        with only_errors():
            return work()
    except OperatorError as error:
        return fail(f"{error}\n  → {error.cure}")
    except BotTokenRefused:
        return fail("Discord does not accept the bot's token. Run: make setup, with the new one.")
    except (DiscordError, OnethreadError, InvalidCall) as error:
        return fail(f"Stopped: {str(error).rstrip('.')}. {again}".rstrip())
    except KeyboardInterrupt:
        print(f"\nStopped. {again}".rstrip(), file=sys.stderr)
        return INTERRUPTED
