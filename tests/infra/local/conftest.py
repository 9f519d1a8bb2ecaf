"""A nursery, and a whole local stack, each started once for all tests of a worker that need one."""

import os
from collections.abc import Callable, Iterator

import pytest

from infra.local.functions import Function, Pool
from infra.local.nursery import Nursery
from infra.local.stack import Stack

HANDLERS = "tests.infra.local.handlers"
MakePool = Callable[..., Pool]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    logs = os.open(os.devnull, os.O_WRONLY)
    running = Nursery(logs)
    os.close(logs)
    yield running
    running.close()


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
