"""Talk to the running local stack from another terminal: use the command, ask as a program, or be a moderator.

python -m infra.local.ask open 1a06a43 --topic "login bug"
python -m infra.local.ask curl 1a06a43 | sh
python -m infra.local.ask ensure 1a06a43
python -m infra.local.ask make "Session 1a06a43"
python -m infra.local.ask duplicates --merge
python -m infra.local.ask threads
python -m infra.local.ask lock 1574315867343159296
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from infra.interactions import (
    DEVELOPMENT_APPLICATION_ID,
    DEVELOPMENT_CHANNEL_ID,
    DEVELOPMENT_GUILD_ID,
    DEVELOPMENT_USER_ID,
    development_key,
    encode,
    interaction,
    schedule_event,
    sign,
)
from infra.local.people import Discord, Person, Place, Refused, Seen, call
from infra.local.running import find
from infra.local.screen import Screen

# As long as the worker may take, with one delivery of its message before.
PATIENCE_SECONDS: Final = 90.0
ACTS: Final = {
    "archive": "archive",
    "unarchive": "unarchive",
    "lock": "lock",
    "unlock": "unlock",
    "delete": "delete_thread",
}
Where = Mapping[str, str]


def main(arguments: Sequence[str] | None = None, *, screen: Screen | None = None) -> int:
    options = _parser().parse_args(arguments)
    where = find()
    if where is None:
        print("No local stack is running. Start one in another terminal with `make run`.", file=sys.stderr)
        return 1
    try:
        options.act(options, where, screen or Screen())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as fault:
        print(f"The local stack does not answer: {fault}. Start it anew with `make run`.", file=sys.stderr)
        return 1
    return 0


def _open(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    discord, place = _discord(where), Place(DEVELOPMENT_GUILD_ID, options.channel)
    person = Person(DEVELOPMENT_USER_ID, "you", moderates=options.moderator)
    _show(discord, discord.open(person, place, options.name, options.topic), where, screen)


def _administer(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    discord, place = _discord(where), Place(DEVELOPMENT_GUILD_ID, options.channel)
    moderator = Person(DEVELOPMENT_USER_ID, "you", moderates=True)
    seen = _show(discord, discord.administer(moderator, place, options.kind), where, screen)
    if seen.message is not None and seen.message.get("components") and options.merge:
        with screen.waiting("thinking…"):
            pressed = discord.press(moderator, place, seen.message)
        _show(discord, pressed, where, screen)


def _discord(where: Where) -> Discord:
    return Discord(
        control=where["discord"],
        endpoint=f"{where['gateway']}/interactions",
        application_id=DEVELOPMENT_APPLICATION_ID,
        key=development_key(),
    )


def _show(discord: Discord, seen: Seen, where: Where, screen: Screen) -> Seen:
    """Wait for the whole answer, and show it."""
    first = f"thinking… ({seen.first_after:.1f} s)" if seen.deferred else ""
    if seen.goes_on:
        with screen.waiting("thinking…"):
            seen = discord.read(seen, PATIENCE_SECONDS)
    screen.saw(seen.message, _names(where), first=first)
    screen.note(f"{seen.after:.2f} s")
    return seen


def _curl(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    """A command line for a shell; its signature holds for five minutes."""
    now = datetime.now(UTC)
    payload = interaction(
        options.name,
        topic=options.topic,
        channel_id=options.channel,
        guild_id=DEVELOPMENT_GUILD_ID,
        user_id=DEVELOPMENT_USER_ID,
        now=now,
    )
    body = encode(payload)
    headers = [
        f"--header {shlex.quote(f'{name}: {value}')}" for name, value in sign(body, development_key(), now).items()
    ]
    data = f"--data-raw {shlex.quote(body.decode())}"
    print(" \\\n  ".join(["curl --silent --show-error", *headers, data, f"{where['gateway']}/interactions"]))


def _ensure(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    request = {"session_name": options.name, "parent_channel_id": options.channel}
    request |= {"topic": options.topic} if options.topic else {}
    request |= {"unlock": True} if options.unlock else {}
    url = f"{where['invocations']}/2015-03-31/functions/EnsureFunction/invocations"
    print(json.dumps(call("POST", url, request), ensure_ascii=False, indent=2))


def _tick(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    url = f"{where['invocations']}/2015-03-31/functions/ReconcilerFunction/invocations"
    print(json.dumps(call("POST", url, schedule_event(datetime.now(UTC)))))


def _threads(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    threads = call("GET", f"{where['discord']}/_/world")["threads"]
    rows = [[thread["id"], thread["name"], _state(thread["thread_metadata"])] for thread in threads]
    screen.table(["thread", "name", "state"], rows)


def _make(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    call("POST", f"{where['discord']}/_/people/create_thread", {"channel_id": options.channel, "name": options.name})


def _moderate(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    call("POST", f"{where['discord']}/_/people/{ACTS[options.kind]}", {"thread_id": options.thread})


def _rename(options: argparse.Namespace, where: Where, screen: Screen) -> None:
    call("POST", f"{where['discord']}/_/people/rename", {"thread_id": options.thread, "name": options.name})


def _state(metadata: Mapping[str, bool]) -> str:
    return ", ".join(word for word in ("archived", "locked") if metadata[word]) or "open"


def _names(where: Where) -> dict[str, str]:
    return {thread["id"]: thread["name"] for thread in call("GET", f"{where['discord']}/_/world")["threads"]}


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m infra.local.ask", description=__doc__, formatter_class=form)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="WHAT")
    asking: tuple[tuple[str, Callable[..., None], str], ...] = (
        ("open", _open, "use /session open"),
        ("curl", _curl, "print the same, freshly signed, as a curl command"),
        ("ensure", _ensure, "ask as a program, by EnsureFunction"),
    )
    for name, act, described in asking:
        kind = kinds.add_parser(name, help=described, description=described)
        kind.add_argument("name", help="the session's name")
        kind.add_argument("--topic", help="what it is about")
        kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
        kind.set_defaults(act=act)
    kinds.choices["open"].add_argument("--moderator", action="store_true", help="as somebody with Manage Threads")
    kinds.choices["ensure"].add_argument("--unlock", action="store_true", help="lift a moderator's lock")
    for subcommand, described in (
        ("import", "use /session-admin import, as somebody with Manage Threads"),
        ("duplicates", "use /session-admin duplicates, as somebody with Manage Threads"),
    ):
        kind = kinds.add_parser(subcommand, help=described, description=described)
        kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
        kind.set_defaults(act=_administer, merge=False)
    kinds.choices["duplicates"].add_argument("--merge", action="store_true", help="press the button, too")
    kind = kinds.add_parser("make", help="make a thread by hand, of any name")
    kind.add_argument("name", help="what it is called")
    kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
    kind.set_defaults(act=_make)
    kinds.add_parser("threads", help="list the threads on the simulated Discord").set_defaults(act=_threads)
    kinds.add_parser("tick", help="one scheduled event for the reconciler, now").set_defaults(act=_tick)
    for name in (*ACTS, "rename"):
        kind = kinds.add_parser(name, help=f"{name} a thread, as a moderator")
        kind.add_argument("thread", help="its id")
        kind.set_defaults(act=_moderate)
    kinds.choices["rename"].add_argument("name", help="what it is called then")
    kinds.choices["rename"].set_defaults(act=_rename)
    return parser


if __name__ == "__main__":
    sys.exit(main())
