"""Measure what opening a session takes, beside the floor and beside what people use instead.

    python -m infra.bench                   print it
    python -m infra.bench --write FILE      put it into a document, between its two comments, and the plots beside it

All run against the same simulated Discord and the same table in memory, in virtual time: a request to Discord takes 80 ms,
one to DynamoDB 5 ms, and nothing depends on the machine.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infra import command_line
from infra.bench import money, scenarios
from infra.bench.plot import Axis, plot
from infra.bench.scenarios import Crowd, Taken
from infra.cost.cycle import cycle
from infra.cost.measure import measure
from infra.marked_text import publish, table

BEGIN: Final = "<!-- make bench -->"
PICTURES: Final = "pictures"
HISTORY: Final = (10, 100, 1_000, 10_000, 50_000)  # threads in the channel's past
CROWDS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
RATES: Final = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)  # new sessions a second
RATE_SECONDS: Final = 10.0
SESSIONS: Final = (10, 100, 1_000, 10_000)  # on record in the guild that is reconciled
FEW_SESSIONS: Final = 20
NAMES: Final = ("floor", "Onethread", "list-and-create", "defer-always")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command_line.Parser(prog="python -m infra.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it into this file, too")
    options = parser.parse_args(arguments)

    def measure() -> str:
        text, pictures = report()
        if options.write is not None:
            for name, picture in pictures.items():
                (options.write.parent / PICTURES / name).write_text(picture)
        return text

    return publish(options.write, BEGIN, measure)


def report() -> tuple[str, Mapping[str, str]]:
    """The text, and the plots by the names of their files."""
    creations = {archived: scenarios.creation(archived) for archived in HISTORY}
    reuses = {archived: scenarios.reuse(archived) for archived in (HISTORY[0], HISTORY[-1])}
    crowds = {number: scenarios.crowd(number) for number in CROWDS}
    rates = {rate: scenarios.stream(rate, RATE_SECONDS) for rate in RATES}
    runs = {sessions: scenarios.reconciler_calls(sessions) for sessions in SESSIONS}
    parts = [
        "### One open",
        one_open(reuses[HISTORY[0]], creations[HISTORY[0]]),
        "### A long history",
        "![A new session, by the threads of the channel's past](pictures/bench-history.svg)",
        history(creations, reuses[HISTORY[-1]]),
        "### Many at once",
        "![Threads, by those who open one new name at once](pictures/bench-crowd.svg)",
        crowd_table(crowds),
        "### New sessions a second",
        rate_table(rates),
        "### The reconciler",
        "![Requests of one run, by sessions](pictures/bench-reconciler.svg)",
        reconciler_table(runs),
        "### Money",
        money_table(reuses[HISTORY[0]]["Onethread"], creations[HISTORY[0]]["Onethread"]),
    ]
    pictures = {
        "bench-history.svg": history_plot(creations),
        "bench-crowd.svg": crowd_plot(crowds),
        "bench-reconciler.svg": reconciler_plot(runs),
    }
    return "\n\n".join(parts), pictures


def one_open(reused: Mapping[str, Taken], created: Mapping[str, Taken]) -> str:
    head = ("", "reuse", "of the floor", "Discord, DynamoDB", "creation", "of the floor", "Discord, DynamoDB")
    rows = [(name, *_figures(reused, name), *_figures(created, name)) for name in NAMES]
    return table(head, rows)


def ratio(taken: Mapping[str, Taken], name: str = "Onethread") -> float:
    return taken[name].seconds / taken["floor"].seconds


def history(creations: Mapping[int, Mapping[str, Taken]], reused: Mapping[str, Taken]) -> str:
    head = ("archived threads", *(f"{name}: creation" for name in NAMES[1:]))
    rows = [
        (_number(archived), *(_seconds(taken[name].seconds) for name in NAMES[1:]))
        for archived, taken in creations.items()
    ]
    last = f"With {_number(max(creations))} archived threads a reuse takes {_seconds(reused['Onethread'].seconds)}, as with none."
    return f"{table(head, rows)}\n\n{last}"


def crowd_table(crowds: Mapping[int, Mapping[str, Crowd]]) -> str:
    names = ("Onethread", "list-and-create")
    head = ("openers", *(f"{name}: {what}" for name in names for what in ("threads", "last answer", "requests")))
    rows = [
        (
            str(number),
            *(
                figure
                for name in names
                for figure in (str(of[name].threads), _seconds(of[name].seconds), f"{of[name].discord:.0f}")
            ),
        )
        for number, of in crowds.items()
    ]
    return table(head, rows)


def rate_table(rates: Mapping[float, float]) -> str:
    rows = [(f"{rate:.0f}", _seconds(longest)) for rate, longest in rates.items()]
    return table((f"new sessions a second, for {RATE_SECONDS:.0f} s", "the longest answer"), rows)


def reconciler_table(runs: Mapping[int, float]) -> str:
    rows = [(_number(sessions), f"{calls:.1f}", _number(sessions)) for sessions, calls in runs.items()]
    return table(("sessions", "requests of a run in which nothing changed", "one GET for each thread"), rows)


def money_table(reused: Taken, created: Taken) -> str:
    columns = money.per_million(reused), money.per_million(created)
    rows = [(name, *(f"${column[name]:.2f}" for column in columns)) for name in columns[0]]
    rows.append(("**in all**", *(f"**${sum(column.values()):.2f}**" for column in columns)))
    opens = table(("", "a million reuses", "a million creations"), rows)
    idle = money.idle_month(cycle(1, measure(FEW_SESSIONS)))
    idle_rows = [(name, f"${dollars:.2f}") for name, dollars in idle.items()]
    return f"{opens}\n\n{table(('nothing is opened', 'a month'), idle_rows)}"


def history_plot(creations: Mapping[int, Mapping[str, Taken]]) -> str:
    lines = {name: [(float(n), taken[name].seconds) for n, taken in creations.items()] for name in NAMES[1:3]}
    x, y = Axis("archived threads", (10, 100, 1_000, 10_000, 100_000)), Axis("seconds", (0.1, 1, 10, 100))
    return plot("A new session, by the channel's past", x, y, lines)


def crowd_plot(crowds: Mapping[int, Mapping[str, Crowd]]) -> str:
    names = ("Onethread", "list-and-create")
    lines = {name: [(float(n), float(of[name].threads)) for n, of in crowds.items()] for name in names}
    marks = (1, 10, 100, 1_000)
    return plot("Threads of one name, by openers at once", Axis("openers", marks), Axis("threads", marks), lines)


def reconciler_plot(runs: Mapping[int, float]) -> str:
    lines = {
        "Onethread": [(float(n), calls) for n, calls in runs.items()],
        "one GET each": [(float(n), float(n)) for n in runs],
    }
    marks = (1, 10, 100, 1_000, 10_000)
    return plot("Requests of a run of the reconciler", Axis("sessions", marks[1:]), Axis("requests", marks), lines)


def _figures(taken: Mapping[str, Taken], name: str) -> tuple[str, str, str]:
    use = taken[name].use
    return _seconds(taken[name].seconds), f"{ratio(taken, name):.2f}", f"{use.discord:.0f}, {use.dynamodb:.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", " ")


if __name__ == "__main__":
    sys.exit(main())
