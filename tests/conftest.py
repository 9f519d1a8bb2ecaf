"""What holds for all tests, and the guild in which many of them happen."""

import gc
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from infra import virtual_time
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild

# The suite tries the same examples each time; `make explore` tries others, and many more (--hypothesis-profile=long).
settings.register_profile("suite", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile("suite")

pytest_plugins = ("tests.kit.openapi", "tests.kit.shown_secrets", "pytester")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture
def guild_defaults() -> dict[str, Any]:
    """Options of the guild for a whole directory of tests: its conftest overrides this."""
    return {}


@pytest.fixture
def guild_options(request: pytest.FixtureRequest, guild_defaults: dict[str, Any]) -> dict[str, Any]:
    """What the markers ``guild`` say, the closest last."""
    options = dict(guild_defaults)
    for marker in [*request.node.iter_markers("guild")][::-1]:
        options |= marker.kwargs
    return options


@pytest.fixture
def guild(request: pytest.FixtureRequest, guild_options: dict[str, Any]) -> Iterator[Guild]:
    """A guild with these options; a test may give more of them as the fixture's parameter."""
    with Guild(**{**guild_options, **getattr(request, "param", {})}) as guild:
        yield guild


@pytest.fixture
def deployment(guild_options: dict[str, Any]) -> Iterator[Deployment]:
    with Deployment(**guild_options) as deployment:
        yield deployment


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """An async test runs in virtual time, in its guild if it has one."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    run = next((given.run for given in pyfuncitem.funcargs.values() if isinstance(given, Guild)), virtual_time.run)
    run(pyfuncitem.obj(**arguments))
    return True
