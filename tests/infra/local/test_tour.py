"""The tour, as `make run` plays it where there is no terminal."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.nursery import ROOT
from infra.local.tour_steps import STEPS

pytestmark = pytest.mark.xdist_group("local stack")

# It takes 20 s on two idle cores, most of it the lease of the one that was killed; a busy machine takes longer.
PATIENCE_SECONDS = 120.0


def test_the_tour_holds_and_ends_by_itself_without_a_terminal(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-W", "error", "-m", "infra.local"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    shown = played.stdout.decode()

    assert played.returncode == 0, shown
    assert played.stderr == b""
    assert "NOT SO" not in shown
    assert [int(number) for number in re.findall(r"^(\d+)  ", shown, re.MULTILINE)] == list(range(1, len(STEPS) + 1))
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "made-up" not in shown
