"""The options that several of the local client's commands share: who uses it, and what is done with an answer."""

import argparse
from functools import partial

from infra.interactions import DEVELOPMENT_CHANNEL_ID
from infra.local import people
from infra.local.discord_client import User
from infra.simulator.permissions import PERMISSION_BITS


def add_use(kind: argparse.ArgumentParser) -> None:
    """What `use` takes."""
    kind.add_argument("words", nargs="+", metavar="WORD", help="its words and options: session close name=1a06a43")
    kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
    kind.add_argument("--message", metavar="ID", help="the message in whose menu it is used")
    kind.add_argument("--complete", action="store_true", help="show what is offered while the last option is typed")
    add_fill(kind)
    for act, described in (("press", "then press this button"), ("choose", "then choose this option")):
        kind.add_argument(
            f"--{act}",
            dest="then",
            action="append",
            default=[],
            metavar="LABEL",
            type=partial(_label, act),
            help=described,
        )


def add_fill(kind: argparse.ArgumentParser) -> None:
    """What a form is filled in with."""
    kind.add_argument("--fill", action="append", default=[], metavar="FIELD=TEXT", help="fill in a form, and send it")


def add_user(kind: argparse.ArgumentParser, default: User | None) -> None:
    """Who uses it, and with which rights."""
    known = ", ".join(people.BY_NAME)
    usual = default.name if default else "you, or vera for moderators' commands"
    described = f"who uses it: {known}, or the id of some other member ({usual})"
    kind.add_argument("--user", type=_parse_user, default=default, metavar="WHO", help=described)
    kind.add_argument(
        "--moderator", action="store_const", dest="user", const=people.VERA, help="the same as --user vera, a moderator"
    )
    kind.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(PERMISSION_BITS),
        metavar="PERMISSION",
        help="a permission that this user lacks, CREATE_PUBLIC_THREADS for example",
    )


def _label(act: str, label: str) -> tuple[str, str]:
    return act, label


def _parse_user(text: str) -> User:
    if text.isdecimal():
        return User(text, f"user {text}")
    if text not in people.BY_NAME:
        raise argparse.ArgumentTypeError(f"nobody is called {text}: {', '.join(people.BY_NAME)}, or an id")
    return people.BY_NAME[text]
