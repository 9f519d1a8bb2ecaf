"""Pools of execution environments, and a whole local stack, which all tests of a worker share."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.functions import Function, Pool, start_fork_server
from infra.local.stack import Stack
from tests.kit.eventually import PATIENCE_SECONDS
from tests.kit.shown_secrets import watch

HANDLERS = "tests.infra.local.handlers"
MakePool = Callable[..., Pool]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the environments write."""
    path = tmp_path_factory.mktemp("environments") / "log"
    path.touch()
    start_fork_server()
    yield path
    watch.look("the environments' logs", path.read_text())


@pytest.fixture
def make_pool(log: Path) -> Iterator[MakePool]:
    """A pool of environments of one of the functions in `handlers`."""
    made = []

    def make(name: str, timeout: float = 20, **variables: str) -> Pool:
        made.append(Pool(Function(name, f"{HANDLERS}.{name}", timeout, variables), log))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        with running.discord.lock:  # this machine may be as busy as it likes
            running.discord.discord.switch(first_answer_seconds=PATIENCE_SECONDS)
        yield running
        watch.look("the functions' logs", running.log_path.read_text())
        watch.look("the emulation's log", running.directory.joinpath("aws.log").read_text())
