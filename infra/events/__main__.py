"""Print an event to invoke a function by hand, signed and timed now.

    python -m infra.events open --name 1a06a43 | sam local invoke WebhookFunction -e -

Also ping, job (for the worker), ensure and schedule; and key, env and template, which docs/local-events.md explains.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from infra import interactions
from infra.command_line import Parser, parse_port
from infra.events import containers
from infra.interactions import encode, sign
from infra.lambda_events import api_gateway_event, schedule_event, sqs_event, sqs_record

KEY_VARIABLE: Final = "ONETHREAD_SIGNING_KEY"
BUILT_TEMPLATE: Final = Path(".aws-sam/build/template.yaml")


class UsageError(Exception):
    """The command line or the environment is wrong. The text says what to change."""


def main(
    arguments: Sequence[str] | None = None, *, environ: Mapping[str, str] = os.environ, now: datetime | None = None
) -> int:
    options = _parser().parse_args(arguments)
    options.key = options.signing_key or environ.get(KEY_VARIABLE)
    try:
        print(options.make(options, now or datetime.now(UTC)))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _open(options: argparse.Namespace, now: datetime) -> str:
    return _signed(_interaction(options, now), options, now)


def _ping(options: argparse.Namespace, now: datetime) -> str:
    return _signed(interactions.ping(now=now), options, now)


def _job(options: argparse.Namespace, now: datetime) -> str:
    from handler.commands import jobs
    from handler.discord.interactions import parse

    interaction = parse(_interaction(options, now))
    if interaction is None:
        raise UsageError("That is not an interaction: ids are strings of digits.")
    body = jobs.encode(jobs.Job.of(interaction, now))
    return _json(sqs_event(sqs_record(body, now=now, receive_count=options.receive_count)))


def _ensure(options: argparse.Namespace, now: datetime) -> str:
    request = {
        "session_name": options.name,
        "parent_channel_id": options.channel,
        "topic": options.topic,
        "unlock": options.unlock or None,
        "request_id": options.request_id,
    }
    return _json({field: value for field, value in request.items() if value is not None})


def _schedule(options: argparse.Namespace, now: datetime) -> str:
    return _json(schedule_event(now))


def _show_key(options: argparse.Namespace, now: datetime) -> str:
    key = _signing_key(options)
    return f"signing key  {key.encode().hex()}\npublic key   {key.verify_key.encode().hex()}"


def _env(options: argparse.Namespace, now: datetime) -> str:
    public_key = _signing_key(options).verify_key.encode()
    return _json(
        {"Parameters": containers.environment(options.host, options.aws_port, options.discord_port, public_key)}
    )


def _template(options: argparse.Namespace, now: datetime) -> str:
    try:
        built = yaml.safe_load(options.built.read_text())
        text: str = yaml.safe_dump(containers.declare_variables(built), sort_keys=False)
    except FileNotFoundError:
        raise UsageError(f"{options.built} is not there: run `make build` first.") from None
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise UsageError(f"{options.built} is not what `make build` writes: name its template with --built.") from None
    return text.rstrip()


def _interaction(options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    return interactions.interaction(
        options.name,
        topic=options.topic,
        channel_id=options.channel,
        guild_id=options.guild,
        user_id=options.user,
        channel_type=11 if options.parent else 0,
        parent_id=options.parent,
        token=options.token,
        application_id=options.application,
        now=now,
    )


def _signed(payload: Mapping[str, Any], options: argparse.Namespace, now: datetime) -> str:
    body = encode(payload)
    return _json(api_gateway_event(body, sign(body, _signing_key(options), now), now=now, base64=options.base64))


def _signing_key(options: argparse.Namespace) -> SigningKey:
    """The given key or the development key. Its text is never shown."""
    if not options.key:
        return interactions.development_key()
    try:
        return SigningKey(bytes.fromhex(options.key))
    except (ValueError, CryptoError):
        raise UsageError(
            "The signing key must be 64 hexadecimal digits; `python -m infra.events key` shows one."
        ) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m infra.events", description="Print an event or what goes with it.")
    parser.add_argument("--signing-key", metavar="HEX", help=f"instead of ${KEY_VARIABLE} or the development key")
    kinds = parser.add_subparsers(title="what to print", required=True, metavar="KIND")
    for name, make, described, taken in _KINDS:
        kind = kinds.add_parser(name, help=described, description=described)
        kind.set_defaults(make=make)
        for option in taken.split():
            kind.add_argument(option, **_OPTIONS[option])
    return parser


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--name": {"required": True, "help": "the session's name"},
    "--topic": {"help": "what it is about"},
    "--channel": {"default": interactions.DEVELOPMENT_CHANNEL_ID, "metavar": "ID", "help": "where it is used"},
    "--parent": {"metavar": "ID", "help": "the channel is a thread, and this is its parent"},
    "--guild": {"default": interactions.DEVELOPMENT_GUILD_ID, "metavar": "ID"},
    "--user": {"default": interactions.DEVELOPMENT_USER_ID, "metavar": "ID"},
    "--application": {"default": interactions.DEVELOPMENT_APPLICATION_ID, "metavar": "ID"},
    "--token": {"help": "the interaction's token, if Discord (or the local stack) knows it"},
    "--base64": {"action": "store_true", "help": "with the body in base64, as API Gateway sometimes sends it"},
    "--receive-count": {
        "type": int,
        "default": 1,
        "metavar": "N",
        "help": "how often the queue has delivered it; 3 is the last time",
    },
    "--unlock": {"action": "store_true", "help": "lift a moderator's lock"},
    "--request-id": {"metavar": "ID", "help": "repeats with the same id are one request"},
    "--host": {"default": "host.docker.internal", "help": "this machine, as a container sees it"},
    "--aws-port": {"type": parse_port, "required": True, "metavar": "PORT", "help": "as `make run` says"},
    "--discord-port": {"type": parse_port, "required": True, "metavar": "PORT", "help": "as `make run` says"},
    "--built": {"type": Path, "default": BUILT_TEMPLATE, "metavar": "FILE", "help": f"instead of {BUILT_TEMPLATE}"},
}
_SESSION: Final = "--name --topic --channel"
_USER: Final = "--parent --guild --user --application --token"
_Make = Callable[[argparse.Namespace, datetime], str]
_KINDS: Final[tuple[tuple[str, _Make, str, str], ...]] = (
    ("open", _open, "WebhookFunction: /session open, signed now", f"{_SESSION} {_USER} --base64"),
    ("ping", _ping, "WebhookFunction: Discord's check of an endpoint, signed now", "--base64"),
    ("job", _job, "WorkerFunction: /session open, deferred to it", f"{_SESSION} {_USER} --receive-count"),
    ("ensure", _ensure, "ApiFunction: a program's request", f"{_SESSION} --unlock --request-id"),
    ("schedule", _schedule, "ReconcilerFunction: the schedule's tick", ""),
    ("key", _show_key, "the key pair; the public half is DISCORD_PUBLIC_KEY", ""),
    (
        "env",
        _env,
        "variables for --env-vars, so that a container reaches the local stack",
        "--host --aws-port --discord-port",
    ),
    ("template", _template, "the built template, declaring all variables that env sets", "--built"),
)


if __name__ == "__main__":
    sys.exit(main())
