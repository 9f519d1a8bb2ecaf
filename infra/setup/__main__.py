"""Set up a deployment: `make setup`, or ``python -m infra.setup``.

    python -m infra.setup --region eu-central-1                 the first time, and whenever something is to be put right
    python -m infra.setup --set OpenPolicy=everyone             change a setting
    python -m infra.setup --env dev --guild 1234567890          another deployment; its commands in one server alone
    python -m infra.setup --dry-run                             say what would be done

It needs the bot's token: from DISCORD_BOT_TOKEN, from standard input, or typed in without being shown. Running it again
does no harm: what is right already stays as it is. The settings are kept in samconfig.toml.
"""

import argparse
import asyncio
import contextlib
import getpass
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.command_line import Parser, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import ENVIRONMENTS, Deployed
from infra.deployment.errors import OperatorError
from infra.deployment.program import OUTSIDE, Outside, attempt
from infra.deployment.report import Report
from infra.doctor.examination import examine
from infra.setup.sam import Run, Sam, run
from infra.setup.steps import Setup, Wanted


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
    *,
    runs: Run = run,
) -> int:
    options = _parser().parse_args(arguments)
    return attempt(
        lambda: asyncio.run(_set_up(deployed.find(options, outside), options, outside, runs)),
        again="What is done stays done: run it again to go on.",
        as_json=options.json,
    )


async def _set_up(found: Deployed, options: Any, outside: Outside, runs: Run) -> int:
    """The steps; and if they are done, the doctor."""
    wanted, token = _wanted(options, found), _token(outside.environ)
    report = Report("setup", as_json=options.json)
    async with found.discord_with(token) as api, found.web() as web:
        setup = Setup(wanted, token, found, api=api, web=web, sam=Sam(runs), sleep=outside.sleep)
        done = await report.follow(setup.steps())
    if done and not options.dry_run:
        await report.examine(examine(found, now=outside.now))
    return report.conclude(_next)


def _next(states: set[str]) -> Iterator[str]:
    """What to say after the last step."""
    if states == {"unchanged"}:
        yield "Everything is set up; nothing was changed."
    elif "would change" in states:
        yield "Dry run: nothing was changed."
        return
    yield "Invite the bot with the link above, then type: /session open name: 1a06a43"


def _wanted(options: Any, found: Deployed) -> Wanted:
    stack, saved = found.name, found.saved
    if (saved.stack or stack) != stack:  # another deployment: the saved settings are not its own
        parameters = {"Stage": ENVIRONMENTS[options.env]}
    else:
        parameters = {"Stage": ENVIRONMENTS[options.env], **saved.parameters}
    parameters |= dict(options.set)
    return Wanted(stack, parameters, options.guild, options.take_over, options.dry_run)


def _token(environ: Mapping[str, str]) -> str:
    """The bot's token, which is never shown. Raises OperatorError."""
    token = environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        with contextlib.suppress(EOFError):  # Ctrl-D
            token = (getpass.getpass("Bot token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not token:
        raise OperatorError(
            "There is no bot token.",
            "Copy it from the developer portal's Bot page, and set DISCORD_BOT_TOKEN or type it in.",
        )
    return token


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is no setting: write Name=value, as in OpenPolicy=everyone")
    return name, value


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.setup", description="Set up Onethread on AWS and Discord, or put it right.")
    deployed.add_options(parser)
    parser.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", help="change a setting"
    )
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="register the commands in this server alone")
    parser.add_argument("--take-over", action="store_true", help="take the endpoint from another deployment")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
