"""Look at a deployment from end to end: `make doctor`, or ``python -m infra.doctor``. It changes nothing.

    python -m infra.doctor                       everything
    python -m infra.doctor --guild 1234567890    the bot's permissions in this server alone
    python -m infra.doctor --json                for programs

It needs AWS credentials that may read the stack. Exit status 0: nothing is to be mended; 1: something is; 2: the command
line is wrong.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from infra.command_line import Parser, parse_id
from infra.deployment import deployed
from infra.deployment.deployed import Deployed
from infra.deployment.program import OUTSIDE, Now, Outside, attempt
from infra.deployment.report import conclude
from infra.doctor.examination import examine


def main(
    arguments: Sequence[str] | None = None,
    outside: Outside = OUTSIDE,
) -> int:
    options = _parser().parse_args(arguments)
    return attempt(
        lambda: asyncio.run(_examine(deployed.find(options, outside), options, outside.now)), as_json=options.json
    )


async def _examine(found: Deployed, options: Any, now: Now) -> int:
    findings = []
    async for finding in examine(found, now=now, guild=options.guild, channel=options.channel):
        findings.append(finding)
        if not options.json:
            print(finding)
    failed = any(finding.state == "fail" for finding in findings)
    if options.json:
        print(json.dumps({"ok": not failed, "findings": [finding.as_json() for finding in findings]}, indent=2))
    else:
        print(conclude(findings))
    return int(failed)


def _parser() -> Parser:
    parser = Parser(prog="python -m infra.doctor", description="Look at a deployment, and say what to mend.")
    deployed.add_options(parser)
    parser.add_argument("--guild", type=parse_id, metavar="ID", help="look at this server's channels alone")
    parser.add_argument("--channel", type=parse_id, metavar="ID", help="look at this channel alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
