"""The first of the two commands on a clean clone: `make run`, which plays the tour and, without a terminal, ends."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from infra.local.scenarios import SCENARIOS
from tests.kit.sam_template import ROOT

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


def test_make_run_plays_the_tour_which_holds_and_ends(clone: Path, installed: Path, tmp_path: Path) -> None:
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
