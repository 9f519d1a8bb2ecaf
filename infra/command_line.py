"""What the programs of infra/ share: how they say what is wrong, in one line and without a traceback.

Exit status 2: the command line is wrong; 1: the program could not do it; 130: Ctrl-C stopped it.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

USAGE: Final = 2  # argparse's own
INTERRUPTED: Final = 130  # what a shell reports of a program that Ctrl-C ended
MAX_PORT: Final = 65_535


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, instead of beneath the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see --help)\n")


def parse_id(text: str) -> str:
    """An id of Discord's. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[1-9][0-9]{0,19}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id of Discord's, which is a number of up to 20 digits")
    return text


def parse_port(text: str) -> int:
    """A port to listen on; 0 is any free one. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number up to {MAX_PORT}, or 0 for any free one")
    return int(text)


@contextmanager
def only_errors() -> Iterator[None]:
    """Keep the handlers' lines out of what a person reads, except errors, and only for as long as the block runs."""
    from handler.runtime import telemetry

    level = telemetry.logger.log_level
    telemetry.configure("ERROR")
    try:
        yield
    finally:
        telemetry.logger.setLevel(level)


def fail(text: object) -> int:
    """Say why it did not work; returns the exit status."""
    print(text, file=sys.stderr)
    return 1
