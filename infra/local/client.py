"""Talk to the running local stack from another terminal, as a user, a program or a moderator.

python -m infra.local.client open 1a06a43 --topic "login bug"
python -m infra.local.client open 1a06a43 --user guest
python -m infra.local.client curl 1a06a43 | sh
python -m infra.local.client ensure 1a06a43
python -m infra.local.client make "Session 1a06a43"
python -m infra.local.client use session info name=1a06a43
python -m infra.local.client use session-admin duplicates --press "Close duplicates"
python -m infra.local.client use "Open session here" --message 1574315867343159296 --fill name=1a06a43
python -m infra.local.client threads
python -m infra.local.client lock 1574315867343159296
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from infra.command_line import Parser, fail
from infra.interactions import DEVELOPMENT_CHANNEL_ID, development_key, encode, interaction, sign
from infra.lambda_events import schedule_event
from infra.local import people
from infra.local.address_file import running_stacks
from infra.local.discord_client import Answer, Channel, DiscordClient, User, context
from infra.local.http_client import Refused, call, invoke_function
from infra.local.screen import Screen
from infra.local.typed_command import is_for_moderators, is_in_menu, read_command
from infra.simulator.permissions import PERMISSION_BITS, permission_bits

# As long as the worker may take after one delivery of its message failed.
MAX_WAIT_SECONDS: Final = 90.0
MODERATOR_ACTIONS: Final = {
    "archive": "archive",
    "unarchive": "unarchive",
    "lock": "lock",
    "unlock": "unlock",
    "delete": "delete_thread",
    "rename": "rename",
}
_FIELDS: Final = ("channel_id", "thread_id", "name", "content")  # what such an action takes
Addresses = Mapping[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    stacks = running_stacks()
    if options.stack is None and len(stacks) > 1:
        parser.error(
            f"several local stacks are running: choose one with --stack {' or --stack '.join(map(str, stacks))}"
        )
    addresses = stacks.get(options.stack or next(iter(stacks), 0))
    if addresses is None:
        return fail("No such local stack is running. Start one in another terminal with `make run`.")
    try:
        options.run(options, addresses, Screen())
    except Refused as refused:
        return fail(refused)
    except BrokenPipeError:  # the output's reader, `head` for example, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as fault:  # ValueError: something else listens there, and answers otherwise
        return fail(f"The local stack does not answer: {fault}. Start it again with `make run`.")
    return 0


def _open(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    discord, channel = _discord(addresses), _find_channel(options.channel, addresses)
    answer = discord.open(_user(options), channel, options.name, options.topic)
    _show(discord, answer, addresses, screen)


def _use(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Any command: its answer, and what is done with that, one after the other."""
    path, given = _read_command(options.words)
    discord, channel = _discord(addresses), _find_channel(options.channel, addresses)
    options.user = options.user or (people.VERA if is_for_moderators(path) else people.YOU)
    user = _user(options)
    if options.complete:
        print("\n".join(discord.complete(user, channel, path, given)))
        return
    if is_in_menu(path):
        answer = discord.use_menu(user, channel, path, _find_message(options.message, addresses))
    else:
        answer = discord.use(user, channel, path, given)
    answer = _show(discord, answer, addresses, screen)
    if answer.form is not None and options.fill:
        fields = dict(filled.partition("=")[::2] for filled in options.fill)
        answer = _show(discord, discord.submit(user, channel, answer.form, fields), addresses, screen)
    for act, label in options.then:
        with screen.spinner("thinking…"):
            answer = _act_on(act, discord, user, channel, answer, label)
        _show(discord, answer, addresses, screen)


def _act_on(act: str, discord: DiscordClient, user: User, channel: Channel, answer: Answer, label: str) -> Answer:
    """Press a button or choose an option of an answer. Raises Refused if it has no such part."""
    try:
        return getattr(discord, act)(user, channel, answer.message or {}, label)  # type: ignore[no-any-return]
    except ValueError as missing:
        raise Refused(f"In that answer {missing}.") from None


def _read_command(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    try:
        return read_command(words)
    except ValueError as wrong:
        raise Refused(f"{wrong}.") from None


def _find_message(message_id: str | None, addresses: Addresses) -> dict[str, Any]:
    """The message in whose menu a command is used. Raises Refused."""
    world = call("GET", f"{addresses['discord']}/_/world")
    found: dict[str, Any] | None = next((shown for shown in world["messages"] if shown["id"] == message_id), None)
    if found is None:
        raise Refused("Say which message with --message and its id; `say` posts one.")
    return found


def _user(options: argparse.Namespace) -> User:
    user: User = options.user
    return replace(user, permissions=user.permissions & ~permission_bits(options.without))


def _find_channel(channel_id: str, addresses: Addresses) -> Channel:
    """The channel or thread as Discord knows it: an interaction names its type and its parent. Raises Refused."""
    world = call("GET", f"{addresses['discord']}/_/world")
    found = next((shown for shown in [*world["channels"], *world["threads"]] if shown["id"] == channel_id), None)
    if found is None:
        raise Refused(f"The simulated Discord has no channel or thread {channel_id}.")
    return Channel(found["guild_id"], channel_id, kind=found["type"], parent_id=found["parent_id"])


def _discord(addresses: Addresses) -> DiscordClient:
    return DiscordClient(control_url=addresses["discord"], gateway_url=addresses["gateway"])


def _show(discord: DiscordClient, answer: Answer, addresses: Addresses, screen: Screen) -> Answer:
    """Wait for the final answer, show it, and return it."""
    first = f"thinking… ({answer.first_after:.1f} s)" if answer.deferred else ""
    if answer.is_pending:
        with screen.spinner("thinking…"):
            answer = discord.wait(answer, MAX_WAIT_SECONDS)
    names = {thread["id"]: thread["name"] for thread in _fetch_threads(addresses)}
    if answer.form is not None:
        screen.form(answer.form)
    else:
        screen.message(answer.message, names, first=first)
    screen.hint(f"{answer.after:.2f} s")
    return answer


def _curl(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Print a command line for a shell; its signature is valid for five minutes."""
    now, channel = datetime.now(UTC), _find_channel(options.channel, addresses)
    payload = interaction(options.name, topic=options.topic, **context(_user(options), channel))
    body = encode(payload)
    headers = [
        f"--header {shlex.quote(f'{name}: {value}')}" for name, value in sign(body, development_key(), now).items()
    ]
    data = f"--data-raw {shlex.quote(body.decode())}"
    print(" \\\n  ".join(["curl --silent --show-error", *headers, data, f"{addresses['gateway']}/interactions"]))


def _ensure(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    request = {"session_name": options.name, "parent_channel_id": options.channel}
    request |= {"topic": options.topic} if options.topic else {}
    request |= {"unlock": True} if options.unlock else {}
    answered = invoke_function(addresses["invocations"], "ApiFunction", request)
    print(json.dumps(answered, ensure_ascii=False, indent=2))


def _tick(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    event = schedule_event(datetime.now(UTC))
    print(json.dumps(invoke_function(addresses["invocations"], "ReconcilerFunction", event)))


def _threads(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    rows = [[thread["id"], thread["name"], _state(thread["thread_metadata"])] for thread in _fetch_threads(addresses)]
    screen.table(["thread", "name", "state"], rows)


def _act(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Something that a person does on Discord without Onethread."""
    fields = {name: value for name, value in vars(options).items() if name in _FIELDS}
    done = call("POST", f"{addresses['discord']}/_/people/{options.action}", fields)
    if done["result"] is not None:
        print(done["result"])


def _state(metadata: Mapping[str, bool]) -> str:
    return ", ".join(word for word in ("archived", "locked") if metadata[word]) or "open"


def _fetch_threads(addresses: Addresses) -> list[dict[str, Any]]:
    threads: list[dict[str, Any]] = call("GET", f"{addresses['discord']}/_/world")["threads"]
    return threads


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog="python -m infra.local.client", description=__doc__, formatter_class=form)
    parser.add_argument("--stack", type=int, metavar="PORT", help="which stack, if several run: its endpoint's port")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="WHAT")
    requests: tuple[tuple[str, Callable[..., None], str], ...] = (
        ("open", _open, "use /session open"),
        ("curl", _curl, "print the same as a curl command, signed now"),
        ("ensure", _ensure, "ask as a program does: invoke ApiFunction"),
    )
    for name, run, described in requests:
        kind = kinds.add_parser(name, help=described, description=described)
        kind.add_argument("name", help="the session's name")
        kind.add_argument("--topic", help="what it is about")
        kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
        kind.set_defaults(run=run)
    kinds.choices["ensure"].add_argument("--unlock", action="store_true", help="lift a moderator's lock")
    _add_use(kinds.add_parser("use", help="use any command", description="use any command"))
    for name, user in (("open", people.YOU), ("curl", people.YOU), ("use", None)):
        _add_user(kinds.choices[name], user)
    kinds.add_parser("threads", help="list the threads on the simulated Discord").set_defaults(run=_threads)
    kinds.add_parser("tick", help="let the reconciler's schedule fire now").set_defaults(run=_tick)
    kind = kinds.add_parser("make", help="create a thread by hand, with any name")
    kind.add_argument("name", help="its name")
    kind.add_argument("--channel", dest="channel_id", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
    kind.set_defaults(run=_act, action="create_thread")
    kind = kinds.add_parser("say", help="post a message, and print its id")
    kind.add_argument("content", help="what it says")
    kind.add_argument("--channel", dest="channel_id", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
    kind.set_defaults(run=_act, action="post_message")
    for name, action in MODERATOR_ACTIONS.items():
        kind = kinds.add_parser(name, help=f"{name} a thread, as a moderator")
        kind.add_argument("thread_id", metavar="thread", help="its id")
        kind.set_defaults(run=_act, action=action)
    kinds.choices["rename"].add_argument("name", help="its new name")
    return parser


def _add_use(kind: argparse.ArgumentParser) -> None:
    kind.add_argument("words", nargs="+", metavar="WORD", help="its words and options: session close name=1a06a43")
    kind.add_argument("--channel", default=DEVELOPMENT_CHANNEL_ID, metavar="ID")
    kind.add_argument("--message", metavar="ID", help="the message in whose menu it is used")
    kind.add_argument("--complete", action="store_true", help="show what is offered while the last option is typed")
    kind.add_argument("--fill", action="append", default=[], metavar="FIELD=TEXT", help="fill in a form, and send it")
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
    kind.set_defaults(run=_use)


def _label(act: str, label: str) -> tuple[str, str]:
    return act, label


def _add_user(parser: argparse.ArgumentParser, default: User | None) -> None:
    known = ", ".join(people.BY_NAME)
    usual = default.name if default else "you, or vera for moderators' commands"
    described = f"who uses it: {known}, or the id of some other member ({usual})"
    parser.add_argument("--user", type=_parse_user, default=default, metavar="WHO", help=described)
    parser.add_argument(
        "--moderator", action="store_const", dest="user", const=people.VERA, help="the same as --user vera, a moderator"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(PERMISSION_BITS),
        metavar="PERMISSION",
        help="a permission that this user lacks, CREATE_PUBLIC_THREADS for example",
    )


def _parse_user(text: str) -> User:
    if text.isdecimal():
        return User(text, f"user {text}")
    if text not in people.BY_NAME:
        raise argparse.ArgumentTypeError(f"nobody is called {text}: {', '.join(people.BY_NAME)}, or an id")
    return people.BY_NAME[text]


if __name__ == "__main__":
    sys.exit(main())
