"""Set up a deployment: `make setup`, or ``python -m infra.setup``.

    python -m infra.setup --region eu-central-1                 the first time, and whenever something is to be put right
    python -m infra.setup --set OpenPolicy=everyone             change a setting
    python -m infra.setup --env dev --guild 1234567890          another deployment; its commands in one server alone
    python -m infra.setup --dry-run                             say what would be done

It needs the bot's token: from DISCORD_BOT_TOKEN, from standard input, or typed in without being shown. Running it again
does no harm: what is right already stays as it is. The settings are kept in samconfig.toml.
"""

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
from boto3.session import Session

from infra.command_line import USAGE, Parser, fail, only_errors, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import ENVIRONMENTS, Deployed
from infra.deployment.discord_api import TIMEOUT_SECONDS, DiscordApi, DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.report import Line, Report
from infra.deployment.saved import ROOT, SavedConfiguration
from infra.doctor.examination import Now, examine, utc_now
from infra.setup.sam import Run, Sam, run
from infra.setup.steps import Setup, Sleep, Wanted

Examine = Callable[[], AsyncIterator[Line]]


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    session: Session | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    runs: Run = run,
    sleep: Sleep = asyncio.sleep,
    now: Now = utc_now,
) -> int:
    options = _parser().parse_args(arguments)
    saved = SavedConfiguration(ROOT / "samconfig.toml", options.env)
    try:
        wanted = _wanted(options, saved)
        token = _token(environ)
        aws = session or deployed.session_for(options, saved, environ)
    except OperatorError as error:
        print(f"{error}\n  → {error.cure}", file=sys.stderr)
        return USAGE
    try:
        api = DiscordApi(token, url=environ.get("DISCORD_API_URL"), transport=transport)
    except DiscordError as error:
        return fail(error)
    web = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)
    found = Deployed(wanted.stack, saved, aws, environ, transport)
    account = found.account
    setup = Setup(wanted, token=token, api=api, account=account, sam=Sam(runs), saved=saved, web=web, sleep=sleep)
    report = Report("setup", as_json=options.json)
    with only_errors():
        asyncio.run(_follow(setup, api, web, report, None if options.dry_run else lambda: examine(found, now=now)))
    return report.conclude(_next)


async def _follow(
    setup: Setup, api: DiscordApi, web: httpx.AsyncClient, report: Report, then: "Examine | None"
) -> None:
    """The steps; and if they are done, the doctor."""
    async with api, web:
        done = await report.follow(setup.steps())
    if done and then is not None:
        await report.examine(then())


def _next(states: set[str]) -> Iterator[str]:
    """What to say after the last step."""
    if states == {"unchanged"}:
        yield "Everything is set up; nothing was changed."
    elif "would change" in states:
        yield "Dry run: nothing was changed."
    yield "Invite the bot with the link above, then type: /session open name: 1a06a43"


def _wanted(options: Any, saved: SavedConfiguration) -> Wanted:
    stack = deployed.stack_name(options, saved)
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
        raise ValueError
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
