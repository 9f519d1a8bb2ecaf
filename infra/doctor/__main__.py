"""Look at a deployment from end to end: `make doctor`, or ``python -m infra.doctor``. It changes nothing.

    python -m infra.doctor                       everything
    python -m infra.doctor --guild 1234567890    the bot's permissions in this server alone
    python -m infra.doctor --json                for programs

It needs AWS credentials that may read the stack. Exit status 0: nothing is to be mended; 1: something is; 2: the command
line is wrong.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from boto3.session import Session

from infra.command_line import Parser, only_errors, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.errors import OperatorError
from infra.deployment.report import Line, conclude
from infra.doctor.examination import Now, examine, utc_now


def main(
    arguments: Sequence[str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    session: Session | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Now = utc_now,
) -> int:
    options = _parser().parse_args(arguments)
    try:
        found = deployed.find(options, environ, session, transport)
    except OperatorError as error:
        print(f"{error}\n  → {error.cure}", file=sys.stderr)
        return 1
    with only_errors():
        findings = asyncio.run(_examine_and_show(found, options, now))
    failed = any(finding.state == "fail" for finding in findings)
    if options.json:
        print(json.dumps({"ok": not failed, "findings": [finding.as_json() for finding in findings]}, indent=2))
    else:
        print(conclude(findings))
    return int(failed)


async def _examine_and_show(found: Deployed, options: Any, now: Now) -> list[Line]:
    findings = []
    async for finding in examine(found, now=now, guild=options.guild, channel=options.channel):
        findings.append(finding)
        if not options.json:
            print(finding)
    return findings


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.doctor", description="Look at a deployment, and say what to mend.")
    deployed.add_options(parser)
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="look at this server's channels alone")
    parser.add_argument("--channel", type=parse_id, metavar="ID", help="look at this channel alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
