"""`make run`: start the local stack, play the tour, and serve until Ctrl-C. Without a terminal it ends after the tour."""

import argparse
import logging
import math
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from infra.command_line import Parser, fail, parse_port
from infra.local.folder import remembered
from infra.local.screen import Screen
from infra.local.stack import Ports, Stack, StartFailed

STOPPED: Final = 130  # the status that shells show for a program that Ctrl-C ended
# Warm environments that stay after the tour. The crowd's fifty would only take memory.
WARM: Final = 2
EVENTS_SECONDS: Final = 0.5  # between two looks at what programs are told
MIN_TICK_SECONDS: Final = 1  # below it the schedule would do little else than fire
MAX_TICK_SECONDS: Final = 86_400  # a day: nobody waits longer, and 0 turns it off


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    ports = (options.port, options.discord_port, options.aws_port, options.lambda_port, options.page_port)
    given = [port for port in ports if port]
    if twice := [port for port in given if given.count(port) > 1]:
        parser.error(f"port {twice[0]} is given twice: each part needs one of its own")
    screen = Screen()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background programs without it
    signal.signal(signal.SIGTERM, _stop)
    try:
        with nullcontext() if options.picture else remembered(fresh=options.fresh) as memory:
            return _run(options, screen, memory)
    except (StartFailed, OSError) as failure:
        return fail(failure)
    except KeyboardInterrupt:
        screen.hint("stopped")
        return STOPPED


def _run(options: argparse.Namespace, screen: Screen, memory: Path | None) -> int:
    screen.title("Onethread: one session name, one thread", "Everything runs on this machine. Discord is simulated.")
    if memory is None and options.picture is None:
        screen.hint("Another local stack is running: this one starts empty, and forgets everything when it ends.")
    ports = Ports(options.port, options.discord_port, options.aws_port, options.lambda_port)
    if options.verbose:
        logging.basicConfig(format="%(message)s")
        logging.getLogger("infra.local").setLevel(logging.INFO)
    stack = Stack(ports=ports, verbose=options.verbose, memory=memory)
    with screen.spinner("starting"):
        stack.start()
    try:
        if options.picture is not None:
            from infra.local.picture import draw

            return 0 if draw(stack, options.picture) else 1
        from infra.local.address_file import publish_addresses

        with publish_addresses(stack):
            passed = options.no_tour or _tour(stack, screen)
            if options.no_tour or sys.stdin.isatty():
                _serve(stack, screen, options)
        return 0 if passed else 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would interrupt the closing
        stack.close()


def _tour(stack: Stack, screen: Screen) -> bool:
    from infra.local.scenarios import SCENARIOS
    from infra.local.tour import Tour

    passed = Tour(stack, screen).play(SCENARIOS)
    if not passed:
        screen.hint(f"A check failed. The functions' logs are in {stack.keep_logs()}")
    return passed


def _serve(stack: Stack, screen: Screen, options: argparse.Namespace) -> None:
    from infra.local.event_sources import Schedule
    from infra.page.server import PageServer

    stack.pools["WebhookFunction"].shrink(WARM)
    with suppress(KeyboardInterrupt), ExitStack() as closing:
        closing.callback(screen.blank)
        page = PageServer(stack, port=options.page_port)
        closing.callback(page.close)
        schedule = Schedule(stack.pools["ReconcilerFunction"].invoke, options.tick)
        closing.callback(schedule.stop)
        seen = len(stack.events())
        _show_addresses(stack, screen, page.url)
        while True:
            time.sleep(EVENTS_SECONDS)
            news = stack.events(since=seen)
            seen += len(news)
            screen.events(news)


def _show_addresses(stack: Stack, screen: Screen, page: str) -> None:
    screen.blank()
    screen.rows(
        [
            ("page", page),
            ("endpoint", f"{stack.gateway.url}/interactions"),
            ("public key", stack.public_key),
            ("Discord", stack.discord.api_url),
            ("AWS", f"{stack.aws_url}   (DynamoDB, SQS, SSM, EventBridge, tasks)"),
            ("Lambda", f"{stack.invocations.url}   (ApiFunction and the others)"),
            ("logs", str(stack.log_path) if not stack.verbose else "here"),
        ]
    )
    screen.blank()
    screen.hint("Open the page in a browser, or try it from another terminal:")
    screen.rows(
        [
            ("open", 'make ask ARGS="open 1a06a43"'),
            ("with curl", 'make ask ARGS="curl 1a06a43" | sh'),
            ("as a program", 'make ask ARGS="ensure 1a06a43"'),
            ("ask people", """make example NAME=ask ARGS='"deploy 42" "Ship it?" yes no'"""),
            ("answer", 'make ask ARGS="press yes"'),
            ("as a moderator", 'make ask ARGS="--help"'),
            ("in a container", "docs/local-events.md"),
        ]
    )
    screen.hint("Press Ctrl-C to stop.")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if seconds != 0 and not MIN_TICK_SECONDS <= seconds <= MAX_TICK_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither 0 nor from {MIN_TICK_SECONDS} to {MAX_TICK_SECONDS} seconds"
        )
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m infra.local", description=__doc__)
    for prefix, listener in (
        ("", "the interactions endpoint"),
        ("discord-", "the simulated Discord"),
        ("aws-", "the emulated AWS"),
        ("lambda-", "Lambda's own API"),
    ):
        described = f"of {listener}; a free one if not given"
        parser.add_argument(f"--{prefix}port", type=parse_port, default=0, metavar="PORT", help=described)
    described = "of the page; the first free one from 8080 if not given"
    parser.add_argument("--page-port", type=parse_port, default=0, metavar="PORT", help=described)
    parser.add_argument("--no-tour", action="store_true", help="only serve")
    ticking = "how often the schedule fires (5); 0: only when told"
    parser.add_argument("--tick", type=_parse_seconds, default=5.0, metavar="SECONDS", help=ticking)
    parser.add_argument("--fresh", action="store_true", help="forget the threads and sessions of earlier runs first")
    parser.add_argument("--verbose", action="store_true", help="show the functions' logs here")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the tour's beginning as SVG, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
