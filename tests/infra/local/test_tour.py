"""The first of the two commands on a clean clone: `make run`, which plays the tour and, without a terminal, ends."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from infra.interactions import DEVELOPMENT_APPLICATION_ID
from infra.local.saved_discord import SavedState
from infra.local.scenarios import SCENARIOS
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.saved_rows import SavedRows
from infra.table.saved_table import open_table
from infra.verify.__main__ import main as verify
from tests.infra.deployment.operated import Operated, import_again, no_sleep
from tests.kit.sam_template import ROOT
from tests.kit.secrets import BOT_TOKEN

pytestmark = pytest.mark.long

# It takes 20 s on two idle cores, most of it the lease of the one that was killed; a busy machine takes longer.
PATIENCE_SECONDS: Final = 300.0


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, or would if it were added, and nothing else that lies about in this tree."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this tree is no git checkout: what a clone would hold cannot be told")
    folder = tmp_path_factory.mktemp("clone")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # not yet, where a removal is not committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This very environment, in the place of the one that make would install. Warnings are errors there."""
    folder = tmp_path_factory.mktemp("venv")
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error "$@"\n')
    python.chmod(0o755)
    (folder / ".installed").touch()
    return folder


def make(clone: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the clone, with no terminal and next to no environment."""
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_make_run_plays_the_tour_which_holds_and_ends(
    clone: Path, installed: Path, tmp_path: Path, operated: Operated
) -> None:
    played = make(clone, tmp_path, "run", f"VENV={installed}")
    shown = played.stdout

    assert played.returncode == 0, shown
    assert played.stderr == ""
    assert "FAILED" not in shown
    assert [int(number) for number in re.findall(r"^(\d+)  ", shown, re.MULTILINE)] == list(
        range(1, len(SCENARIOS) + 1)
    )
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    verify_what_is_left(next((tmp_path / ".cache" / "onethread").glob("state-*")), operated)


def verify_what_is_left(state: Path, operated: Operated) -> None:
    """Nothing differs after the tour, but for what its loss of the table left: threads that nobody has opened since."""
    table, discord = SavedRows(state / "table.sqlite"), SavedRows(state / "discord.sqlite")
    for item in open_table("sessions", table).items():
        operated.put(**item)
    operated.discord = SimulatedDiscord(application_id=DEVELOPMENT_APPLICATION_ID, bot_token=BOT_TOKEN)
    SavedState(operated.discord.state, discord)
    later = datetime.now(UTC) + timedelta(hours=1)
    operated.run(verify, "--json", sleep=no_sleep, now=lambda: later)
    found = json.loads(operated.out)["differences"]
    assert {one["rule"] for one in found} <= {"thread is not on record"}
    assert import_again(operated, "--all", at=later) == 0, operated.out
    assert operated.run(verify, sleep=no_sleep, now=lambda: later + timedelta(hours=1)) == 0, operated.out
    assert operated.out.endswith("Nothing differs.\n")
    table.close()
    discord.close()


def test_make_test_runs_the_tests_and_has_nothing_else_to_do(clone: Path, installed: Path, tmp_path: Path) -> None:
    planned = make(clone, tmp_path, "--dry-run", "test", f"VENV={installed}")
    assert planned.returncode == 0, planned.stderr
    commands = planned.stdout.splitlines()
    assert len(commands) == 1
    assert commands[0].startswith(f"{installed}/bin/python -m pytest")


def test_before_the_first_command_everything_is_installed_outside_of_the_clone(clone: Path, tmp_path: Path) -> None:
    planned = make(clone, tmp_path, "--dry-run", "test")
    assert planned.returncode == 0, planned.stderr
    assert f"Installing the development environment into {tmp_path}/.cache/onethread/venv-" in planned.stdout


def test_make_alone_lists_what_there_is(clone: Path, tmp_path: Path) -> None:
    listed = make(clone, tmp_path)
    assert listed.returncode == 0, listed.stderr
    for target in ("run", "test", "check", "deploy"):
        assert f"make {target} " in listed.stdout
