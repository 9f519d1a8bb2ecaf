"""Talk to the running local stack from another terminal, as a user, a program or a moderator.

python -m infra.local.client open 1a06a43 --topic "login bug"
python -m infra.local.client open 1a06a43 --user guest
python -m infra.local.client curl 1a06a43 | sh
python -m infra.local.client ensure 1a06a43
python -m infra.local.client make "Session 1a06a43"
python -m infra.local.client use session info name=1a06a43
python -m infra.local.client use session-admin duplicates --press "Close duplicates"
python -m infra.local.client use "Open session here" --message 1574315867343159296 --fill name=1a06a43
python -m infra.local.client press Yes
python -m infra.local.client reply "a flaky test" --user mona
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
from typing import Any, Final

from infra.command_line import Parser, fail
from infra.interactions import DEVELOPMENT_CHANNEL_ID, development_key, encode, interaction, parts_of, sign
from infra.lambda_events import schedule_event
from infra.local import people
from infra.local.address_file import program_variables, running_stacks
from infra.local.client_options import add_fill, add_use, add_user
from infra.local.discord_client import Answer, Channel, DiscordClient, User, context
from infra.local.http_client import Refused, call, invoke_function
from infra.local.screen import Screen
from infra.local.typed_command import is_for_moderators, is_in_menu, read_command
from infra.simulator.permissions import permission_bits

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
        answer = _show(discord, discord.submit(user, channel, answer.form, _filled(options)), addresses, screen)
    for act, label in options.then:
        with screen.spinner("thinking…"):
            answer = _act_on(act, discord, user, channel, answer, label)
        _show(discord, answer, addresses, screen)


def _press(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Press a button of a public message, and fill in the form that it opens."""
    message = _find_newest(options.message, addresses, lambda part: part.get("label") == options.label)
    discord, channel, user = _discord(addresses), _find_channel(message["channel_id"], addresses), _user(options)
    answer = _show(discord, discord.press(user, channel, message, options.label), addresses, screen)
    if answer.form is not None and options.fill:
        answer = discord.submit(user, channel, answer.form, _filled(options), message=message)
        _show(discord, answer, addresses, screen)


def _reply(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Reply to a question's message."""
    card = _find_newest(options.message, addresses, lambda part: part.get("custom_id", "").startswith("answer:"))
    sent = {"channel_id": card["channel_id"], "content": options.text, "reply_to": card["id"], "by": options.user.id}
    print(call("POST", f"{addresses['discord']}/_/people/post_message", sent)["result"])


def _env(options: argparse.Namespace, addresses: Addresses, screen: Screen) -> None:
    """Print the variables of programs, for a shell to take."""
    print("\n".join(f"export {name}={value}" for name, value in program_variables(addresses).items()))


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


def _find_newest(message_id: str | None, addresses: Addresses, is_wanted: Callable[[Any], bool]) -> dict[str, Any]:
    """The newest message with a wanted part, or the one of that id. Raises Refused."""
    messages = call("GET", f"{addresses['discord']}/_/world")["messages"]
    wanted = [m for m in messages if message_id in (None, m["id"]) and any(map(is_wanted, parts_of(m)))]
    if not wanted:
        raise Refused("There is no such message, or it has no such button.")
    return max(wanted, key=lambda message: int(message["id"]))


def _filled(options: argparse.Namespace) -> dict[str, str]:
    return dict(filled.partition("=")[::2] for filled in options.fill)


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
    names = {user.id: name for name, user in people.BY_NAME.items()}
    names |= {thread["id"]: thread["name"] for thread in _fetch_threads(addresses)}
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
    kind = kinds.add_parser("use", help="use any command", description="use any command")
    add_use(kind)
    kind.set_defaults(run=_use)
    kind = kinds.add_parser("press", help="press a button of a message: answer a question")
    kind.add_argument("label", help="what the button says")
    add_fill(kind)
    kind.set_defaults(run=_press)
    kind = kinds.add_parser("reply", help="reply to a question")
    kind.add_argument("text", help="what the reply says")
    kind.set_defaults(run=_reply)
    for name in ("press", "reply"):
        kinds.choices[name].add_argument("--message", metavar="ID", help="to which message; the newest if not given")
    for name in ("open", "curl", "use", "press", "reply"):
        add_user(kinds.choices[name], None if name == "use" else people.YOU)
    kinds.add_parser("env", help="print the variables with which programs reach the stack").set_defaults(run=_env)
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


if __name__ == "__main__":
    sys.exit(main())
