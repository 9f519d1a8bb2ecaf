"""`python -m infra.cost`: print what the reconciler costs as Markdown; `--write FILE` puts it into a document, between its two comments."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra import command_line
from infra.cost.counted_table import Use
from infra.cost.cycle import Cycle, cycle, most_guilds
from infra.cost.measure import Measured, measure
from infra.marked_text import publish, table

FEW_SESSIONS: Final = 20
MANY_SESSIONS: Final = 200  # to see that the number makes no difference
GUILDS: Final = (1, 1_000, 100_000)
BEGIN: Final = "<!-- python -m infra.cost -->"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command_line.Parser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it into this file, too")
    options = parser.parse_args(arguments)
    return publish(options.write, BEGIN, lambda: report(measure(FEW_SESSIONS), measure(MANY_SESSIONS)))


def report(few: Measured, many: Measured) -> str:
    """Two tables: the calls of one run, and a round over many guilds."""
    runs = table(
        ("one run over a guild", "Discord", "DynamoDB", "read units", "write units"),
        [
            _row(f"nothing changed, {FEW_SESSIONS} sessions", few.quiet),
            _row(f"nothing changed, {MANY_SESSIONS} sessions", many.quiet),
            _row(f"the same without View Audit Log, {FEW_SESSIONS} sessions", few.unaudited),
            _row(f"the same without View Audit Log, {MANY_SESSIONS} sessions", many.unaudited),
            *(_row(f"{name}: in addition", use) for name, use in many.changes.items()),
        ],
    )
    rounds = table(
        (
            "guilds",
            "Discord calls",
            "DynamoDB calls",
            "a round takes",
            "a round comes every",
            "with all 50 requests/s",
            "a round costs",
            "a month costs",
        ),
        [_round(cycle(guilds, many)) for guilds in GUILDS],
    )
    most = f"{most_guilds(many):,}".replace(",", " ")
    return f"{runs}\n\n{rounds}\n\nOne round covers {most} guilds in five minutes."


def _row(name: str, use: Use) -> tuple[str, ...]:
    return name, *(f"{number:.1f}" for number in (use.discord, use.dynamodb, use.reads, use.writes))


def _round(of: Cycle) -> tuple[str, ...]:
    return (
        f"{of.guilds:,}".replace(",", " "),
        f"{of.discord:,.0f}".replace(",", " "),
        f"{of.dynamodb:,.0f}".replace(",", " "),
        _time(of.seconds),
        _time(of.period),
        _time(of.seconds_at_full_limit),
        _money(of.dollars),
        _money(of.dollars_a_month),
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _money(dollars: float) -> str:
    return f"${dollars:.2f}" if dollars >= 0.1 else f"${dollars:.2g}" if dollars >= 1e-4 else f"${dollars:.7f}"


if __name__ == "__main__":
    sys.exit(main())
