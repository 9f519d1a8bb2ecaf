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
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import httpx
from boto3.session import Session
from botocore.exceptions import ProfileNotFound

from infra.command_line import USAGE, Parser, aws_session, fail, parse_id
from infra.discord_api import TIMEOUT_SECONDS, DiscordApi, DiscordError
from infra.setup.aws import Account
from infra.setup.result import SetupError, Step
from infra.setup.sam import ROOT, Run, Sam, SavedConfiguration, run
from infra.setup.steps import Setup, Sleep, Wanted

ENVIRONMENTS: Final = {"prod": "production", "staging": "staging", "dev": "dev"}  # with the value of Stage
_MARKS: Final = {"unchanged": "=", "changed": "✓", "would change": "~", "failed": "✗"}


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    session: Session | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    runs: Run = run,
    sleep: Sleep = asyncio.sleep,
) -> int:
    options = _parser().parse_args(arguments)
    saved = SavedConfiguration(ROOT / "samconfig.toml", options.env)
    try:
        wanted = _wanted(options, saved)
        token = _token(environ)
        region = options.region or saved.region
        aws = session or aws_session({**environ, **({"AWS_REGION": region} if region else {})})
    except ProfileNotFound as error:
        return fail(f"{error}. Set AWS_PROFILE to one that `aws configure list-profiles` shows.")
    except SetupError as error:
        print(f"{error}\n  → {error.cure}", file=sys.stderr)
        return USAGE
    try:
        api = DiscordApi(token, url=environ.get("DISCORD_API_URL"), transport=transport)
    except DiscordError as error:
        return fail(error)
    web = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)
    setup = Setup(wanted, token=token, api=api, account=Account(aws), sam=Sam(runs), saved=saved, web=web, sleep=sleep)
    return asyncio.run(_follow(setup, api, web, Report(as_json=options.json)))


async def _follow(setup: Setup, api: DiscordApi, web: httpx.AsyncClient, report: "Report") -> int:
    async with api, web:
        return await report.follow(setup.steps())


class Report:
    """What the person reads, line by line; or one JSON object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._steps: list[Step] = []

    async def follow(self, steps: AsyncIterator[Step]) -> int:
        """Show each step as it is done; the exit status."""
        status = 0
        try:
            async for step in steps:
                self._show(step)
        except SetupError as error:
            self._show(Step("setup", "failed", str(error), error.cure))
            status = 1
        if self._as_json:
            print(json.dumps({"ok": status == 0, "steps": [step.as_json() for step in self._steps]}, indent=2))
        elif status == 0:
            self._conclude()
        return status

    def _show(self, step: Step) -> None:
        self._steps.append(step)
        if not self._as_json:
            print(f"{_MARKS[step.state]} {step.name:<12}{step.text}")
            if step.cure:
                print(f"  → {step.cure}")

    def _conclude(self) -> None:
        states = {step.state for step in self._steps}
        if states == {"unchanged"}:
            print("Everything is set up; nothing was changed.")
        elif "would change" in states:
            print("Dry run: nothing was changed.")
        print("Invite the bot with the link above, then type: /session open name: 1a06a43")


def _wanted(options: Any, saved: SavedConfiguration) -> Wanted:
    stack = options.stack_name or saved.stack or ("onethread" if options.env == "prod" else f"onethread-{options.env}")
    if (saved.stack or stack) != stack:  # another deployment: the saved settings are not its own
        parameters = {"Stage": ENVIRONMENTS[options.env]}
    else:
        parameters = {"Stage": ENVIRONMENTS[options.env], **saved.parameters}
    parameters |= dict(options.set)
    return Wanted(stack, parameters, options.guild, options.take_over, options.dry_run)


def _token(environ: Mapping[str, str]) -> str:
    """The bot's token, which is never shown. Raises SetupError."""
    token = environ.get("DISCORD_BOT_TOKEN", "").strip()
    if not token:
        token = (getpass.getpass("Bot token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not token:
        raise SetupError(
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
    parser.add_argument("--env", choices=list(ENVIRONMENTS), default="prod", help="which of your deployments (prod)")
    parser.add_argument("--stack-name", metavar="NAME", help="of its stack; by default the saved one")
    parser.add_argument("--region", help="AWS region; by default the saved one, or that of your AWS profile")
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
