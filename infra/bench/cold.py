"""Measure the cold start of each function, part by part, beside the floor.

    python -m infra.bench.cold                         print it
    python -m infra.bench.cold --write FILE            put it into a document, between its two comments

It builds the artifact for this machine and, beside it, the libraries of a bare script as pip installs them, both with
bytecode, and starts each several times in turn. Processor time is counted, so a busy machine disturbs little; the least of
all runs counts. Calls go to a server on this machine over TLS, whose made-up root is added to each file of certificates.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trustme

from infra import command_line
from infra.artifact import build as artifact
from infra.interactions import DEVELOPMENT_APPLICATION_ID, development_key
from infra.local.aws import EmulatedAws
from infra.loopback import Loopback, Request, Response, json_response
from infra.marked_text import publish, table
from infra.table.memory_table import MemoryTable

FUNCTIONS: Final = ("webhook", "worker", "api", "reconciler", "publisher")
BEGIN: Final = "<!-- make bench-cold -->"
RUNS: Final = 12
CHILD: Final = Path(__file__).with_name("cold_start.py")
# What a bare script has beside the handlers' own libraries.
OF_BOTO3: Final = ("boto3", "s3transfer")

Parts = Mapping[str, float]


class Place:
    """Where things were built: `floor`, `artifact`, `bundle` (all certificates), and the Python that runs them."""

    def __init__(self, folder: Path) -> None:
        self.floor, self.artifact, self.bundle = folder / "floor", folder / "artifact", folder / "bundle.pem"
        self.python = artifact.find_runtime() or sys.executable

    def build(self, root: str) -> None:
        """Raises CalledProcessError."""
        command = [self.python, "-m", "infra.artifact", str(self.artifact), "--host"]
        subprocess.run(command, cwd=artifact.ROOT, check=True)
        requirements = self.floor.with_suffix(".txt")
        requirements.write_text(floor_requirements())
        pip = [self.python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-compile"]
        target = ["--require-hashes", f"--requirement={requirements}", f"--target={self.floor}"]
        subprocess.run([*pip, *target], check=True)
        artifact.compile_bytecode(self.floor, self.python)
        whole = self.artifact / "certifi" / "cacert.pem"
        for file in (whole, self.artifact / artifact.AMAZON_ROOTS):
            with file.open("a") as certificates:
                certificates.write(root)
        self.bundle.write_text(whole.read_text())

    def start(self, what: str, folder: Path, variables: Mapping[str, str]) -> Parts:
        """One cold start. Raises CalledProcessError."""
        command = [self.python, "-S", "-E", str(CHILD), str(folder), what]
        done = subprocess.run(command, env=dict(variables), stdout=subprocess.PIPE, text=True, check=True)
        parts: Parts = json.loads(done.stdout.splitlines()[-1])
        return parts


def floor_requirements() -> str:
    """requirements.txt, and of requirements-dev.txt what boto3 is."""
    return (artifact.ROOT / "requirements.txt").read_text() + pinned(OF_BOTO3)


def pinned(names: Collection[str]) -> str:
    """The lines of requirements-dev.txt for these packages, with their hashes."""
    taken, taking = [], False
    for line in (artifact.ROOT / "requirements-dev.txt").read_text().splitlines():
        if line[:1].strip() and not line.startswith("#"):
            taking = line.partition("==")[0] in names
        if taking and not line.strip().startswith("#"):
            taken.append(line)
    return "\n".join([*taken, ""])


def measure(place: Place, url: str, runs: int) -> Mapping[str, Parts]:
    """The least of each part over the runs, by what was started."""
    variables = _variables(url)
    starts = {
        "floor": ("floor", place.floor, variables),
        "pruned floor": ("floor", place.artifact, variables),
        **{name: (name, place.artifact, variables) for name in FUNCTIONS},
        "whole bundle": ("webhook", place.artifact, {**variables, "AWS_CA_BUNDLE": str(place.bundle)}),
    }
    least: dict[str, dict[str, float]] = {name: {} for name in starts}
    for _ in range(runs):
        for name, start in starts.items():
            for part, milliseconds in place.start(*start).items():
                least[name][part] = min(milliseconds, least[name].get(part, milliseconds))
    return least


def report(measured: Mapping[str, Parts]) -> str:
    """The table, and what the whole bundle would cost at each connection."""
    floor = _init(measured["floor"])
    rows = [_row(name, measured[name], floor) for name in FUNCTIONS]
    rows.append(("*the floor*", *_figures(measured["floor"], floor), "", ""))
    rows.append(("*the same with the artifact's botocore*", *_figures(measured["pruned floor"], floor), "", ""))
    head = ("function", "imports", "clients", "INIT", "of the floor", "first connection to AWS", "to Discord")
    whole = _connection(measured["whole bundle"], "AWS")
    note = f"With the whole bundle of certificates, the first connection to AWS takes {whole:.1f} ms, and so does each later one."
    return f"{table(head, rows)}\n\n{note}"


def _init(parts: Parts) -> float:
    return parts["imports"] + parts["clients"]


def _connection(parts: Parts, to: str) -> float:
    return parts[f"first call to {to}"] - parts[f"second call to {to}"]


def _figures(parts: Parts, floor: float) -> tuple[str, ...]:
    return (
        *(f"{ms:.0f} ms" for ms in (parts["imports"], parts["clients"], _init(parts))),
        f"{_init(parts) / floor:.2f}",
    )


def _row(name: str, parts: Parts, floor: float) -> tuple[str, ...]:
    discord = f"{_connection(parts, 'Discord'):.1f} ms" if "first call to Discord" in parts else "–"
    return name, *_figures(parts, floor), f"{_connection(parts, 'AWS'):.1f} ms", discord


def _variables(url: str) -> dict[str, str]:
    """All that any function needs, and where AWS and Discord are."""
    return {
        **{f"AWS_ENDPOINT_URL_{name}": url for name in ("DYNAMODB", "EVENTBRIDGE", "SQS", "SSM", "SFN")},
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "SESSIONS_TABLE": "sessions",
        "JOBS_QUEUE_URL": f"{url}/jobs",
        "RECONCILE_QUEUE_URL": f"{url}/guilds",
        "EVENT_BUS_NAME": "events",
        "PUBLISHER_DEAD_LETTERS_URL": f"{url}/letters",
        "DISCORD_API_URL": f"{url}/api/v10",
        "DISCORD_APPLICATION_ID": DEVELOPMENT_APPLICATION_ID,
        "DISCORD_PUBLIC_KEY": development_key().verify_key.encode().hex(),
        "DISCORD_BOT_TOKEN_PARAMETER": "/onethread/token",
        "PATH": os.environ["PATH"],
    }


@contextmanager
def _served() -> Iterator[tuple[str, str]]:
    """The address of AWS and Discord over TLS, and the root that vouches for them."""
    authority, aws = trustme.CA(), EmulatedAws(MemoryTable("sessions"), {})

    def answer(request: Request) -> Response:
        return aws.answer(request) if "x-amz-target" in request.headers else json_response(200, "{}")

    server = Loopback(answer, authority=authority)
    try:
        yield server.url, authority.cert_pem.bytes().decode()
    finally:
        server.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command_line.Parser(prog="python -m infra.bench.cold", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it into this file, too")
    parser.add_argument("--runs", type=int, default=RUNS, help="how often each is started (%(default)s)")
    options = parser.parse_args(arguments)
    return publish(options.write, BEGIN, lambda: _build_and_measure(options.runs))


def _build_and_measure(runs: int) -> str:
    with tempfile.TemporaryDirectory() as folder, _served() as (url, root):
        place = Place(Path(folder))
        place.build(root)
        return report(measure(place, url, runs))


if __name__ == "__main__":
    sys.exit(main())
