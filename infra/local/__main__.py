"""`make run`: start the local stack, play the tour, and serve until Ctrl-C (or end there, if nobody is at a terminal)."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

from infra.local.screen import Screen
from infra.local.stack import Ports, Stack, StartFailed

STOPPED: Final = 130  # what shells say of a program that Ctrl-C ended
# Warm environments that stay after the tour; a crowd's fifty would only take memory.
STAYING: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    screen = Screen()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts in the background without it
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _run(options, screen)
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        screen.note("stopped")
        return STOPPED


def _run(options: argparse.Namespace, screen: Screen) -> int:
    screen.title("Onethread: one session name, one thread", "everything runs on this machine; Discord is simulated")
    ports = Ports(options.port, options.discord_port, options.aws_port, options.lambda_port)
    if options.verbose:
        logging.basicConfig(format="%(message)s")
        logging.getLogger("infra.local").setLevel(logging.INFO)
    stack = Stack(ports=ports, verbose=options.verbose)
    with screen.waiting("starting"):
        stack.start()
    try:
        from infra.local.running import announced

        with announced(stack):
            held = options.no_tour or _tour(stack, screen)
            if options.no_tour or sys.stdin.isatty():
                _serve(stack, screen, options.tick)
        return 0 if held else 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough: what it asked for is being done
        stack.close()


def _tour(stack: Stack, screen: Screen) -> bool:
    from infra.local.tour import Tour
    from infra.local.tour_steps import STEPS

    held = Tour(stack, screen).play(STEPS)
    if not held:
        screen.note(f"Something did not hold. The functions' logs: {stack.keep_logs()}")
    return held


def _serve(stack: Stack, screen: Screen, tick: float) -> None:
    from infra.local.event_sources import Schedule

    stack.pools["WebhookFunction"].shrink(STAYING)
    _say_where(stack, screen)
    schedule = Schedule(stack.pools["ReconcilerFunction"].invoke, tick)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        screen.blank()
    finally:
        schedule.stop()


def _say_where(stack: Stack, screen: Screen) -> None:
    screen.blank()
    screen.rows(
        [
            ("endpoint", f"{stack.gateway.url}/interactions"),
            ("public key", stack.public_key),
            ("Discord", stack.discord.api_url),
            ("AWS", f"{stack.aws_url}   (DynamoDB, SQS, SSM)"),
            ("Lambda", f"{stack.invocations.url}   (EnsureFunction and the others)"),
            ("logs", str(stack.log_path) if not stack.verbose else "here"),
        ]
    )
    screen.blank()
    screen.note("Try it from another terminal:")
    python = sys.executable
    screen.rows(
        [
            ("open", f"{python} -m infra.local.ask open 1a06a43"),
            ("with curl", f"{python} -m infra.local.ask curl 1a06a43 | sh"),
            ("as a program", f"{python} -m infra.local.ask ensure 1a06a43"),
            ("as a moderator", f"{python} -m infra.local.ask --help"),
            ("in a container", "docs/local-events.md"),
        ]
    )
    screen.note("Ctrl-C ends it.")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    for name, what in (("", "the interactions endpoint"), ("discord-", "the simulated Discord"), ("aws-", "AWS")):
        parser.add_argument(
            f"--{name}port", type=int, default=0, metavar="PORT", help=f"of {what}; any free one if not given"
        )
    parser.add_argument("--lambda-port", type=int, default=0, metavar="PORT", help="of Lambda's own API; the same")
    parser.add_argument("--no-tour", action="store_true", help="only serve")
    parser.add_argument("--tick", type=float, default=5.0, metavar="SECONDS", help="the reconciler's schedule (5)")
    parser.add_argument("--verbose", action="store_true", help="show the functions' logs here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
