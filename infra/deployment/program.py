"""The frame of an operator's program: what it meets outside of itself, and how it says what went wrong."""

import asyncio
import json
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


def attempt(work: Callable[[], int], *, again: str = "", as_json: bool = False) -> int:
    """Do a program's work; the exit status. What stops it is said, and what to do: `again`, how to go on.

    `as_json`: a program reads what is printed.
    """
    try:
        with only_errors():
            return work()
    except OperatorError as error:
        text, cure = str(error), error.cure
        shown = f"{text}\n  → {cure}"
    except BotTokenRefused:
        text, cure = "Discord does not accept the bot's token.", "Run: make setup, with the new one."
        shown = f"{text} {cure}"
    except (DiscordError, OnethreadError, InvalidCall) as error:
        text, cure = f"Stopped: {str(error).rstrip('.')}.", again
        shown = f"{text} {cure}".rstrip()
    except KeyboardInterrupt:
        print(f"\nStopped. {again}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    if as_json:
        print(json.dumps({"ok": False, "error": text, "cure": cure}, indent=2))
        return 1
    return fail(shown)
