"""A nursery, and a whole local stack, each started once for all tests of a worker that need one."""

import tempfile
from collections.abc import Callable, Iterator

import pytest

from infra.local.functions import Function, Pool
from infra.local.nursery import Nursery
from infra.local.stack import Stack
from tests.kit.leaks import watch

HANDLERS = "tests.infra.local.handlers"
MakePool = Callable[..., Pool]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with tempfile.TemporaryFile() as logs:
        running = Nursery(logs.fileno())
        yield running
        running.close()
        logs.seek(0)
        watch.look("the environments' logs", logs.read().decode())


@pytest.fixture
def make_pool(nursery: Nursery) -> Iterator[MakePool]:
    """A pool of environments of one of the functions in `handlers`."""
    made = []

    def make(name: str, timeout: float = 20, **variables: str) -> Pool:
        made.append(Pool(Function(name, f"{HANDLERS}.{name}", timeout, variables), nursery))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running
        watch.look("the functions' logs", running.log_path.read_text())
        watch.look("the emulation's log", running.directory.joinpath("aws.log").read_text())
