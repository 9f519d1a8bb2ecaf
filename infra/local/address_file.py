"""Small files in the user's cache that tell commands in other terminals where the running stacks are, one for each stack."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from infra.interactions import DEVELOPMENT_CHANNEL_ID
from infra.local.stack import Stack

ADDRESSES: Final = frozenset({"gateway", "discord", "invocations", "aws"})
# A listener on this machine takes a connection at once, even if it is busy.
CONNECT_SECONDS: Final = 2.0


@contextmanager
def publish_addresses(stack: Stack) -> Iterator[None]:
    """Keep the stack's file while it runs. Raises OSError if the cache cannot be written."""
    path = _folder() / f"{_port(stack.gateway.url)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    urls = {"gateway": stack.gateway.url, "discord": stack.discord.url, "invocations": stack.invocations.url}
    urls["aws"] = stack.aws_url
    written = path.with_suffix(".new")
    written.write_text(json.dumps(urls))
    written.replace(path)  # at once: a command that read half of it would take the stack for a killed one
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_stacks() -> dict[int, dict[str, str]]:
    """The addresses of each running stack, by the port of its endpoint. Files of stacks that were killed are removed."""
    stacks = {}
    for path in sorted(_folder().glob("*.json")):
        addresses = _read(path)
        if addresses is not None and _listens(addresses["gateway"]):
            stacks[_port(addresses["gateway"])] = addresses
        else:
            path.unlink(missing_ok=True)
    return stacks


def program_variables(addresses: Mapping[str, str]) -> dict[str, str]:
    """The environment in which programs with boto3 or the AWS CLI, and the examples, meet that stack."""
    return {
        "AWS_ENDPOINT_URL_LAMBDA": addresses["invocations"],
        "AWS_ENDPOINT_URL_SFN": addresses["aws"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ONETHREAD_FUNCTION": "arn:aws:lambda:us-east-1:000000000000:function:ApiFunction",  # as the stack's output has it
        "ONETHREAD_CHANNEL": DEVELOPMENT_CHANNEL_ID,
    }


def _read(path: Path) -> dict[str, str] | None:
    try:
        addresses = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return addresses if isinstance(addresses, dict) and addresses.keys() >= ADDRESSES else None


def _listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", _port(url)), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "onethread" / "local"
