"""The built functions under AWS's emulator and runtime client, on Lambda's Python: `make test-runtime`.

Its name keeps it out of `make test`: it builds the artifact, which takes a quarter of a minute. What a machine without the
tools lacks is said in one line.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any, Final

import pytest
from rich.console import Console

from infra.local.http_client import invoke_function
from infra.local.people import MONA
from infra.local.scenarios import SCENARIOS
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.tour import CHANNEL, CROWD, Tour
from tests.kit.emulated_lambda import EmulatedEnvironment, ToolsMissing, build
from tests.kit.sam_template import CONFIGS

FEW: Final = 5  # openers at once, each with an environment: fifty emulators would take minutes


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack, whose functions are the built ones under the emulator."""
    patched = pytest.MonkeyPatch()
    try:
        EmulatedEnvironment.tools = build(tmp_path_factory.mktemp("runtime"))
    except ToolsMissing as missing:
        pytest.skip(str(missing))
    patched.setattr("infra.local.functions.Environment", EmulatedEnvironment)
    for module in ("infra.local.tour", "infra.local.scenarios"):
        patched.setattr(f"{module}.CROWD", CROWD[:FEW])
    with Stack() as started:
        yield started
    patched.undo()


@pytest.fixture(scope="module")
def shown() -> StringIO:
    return StringIO()


@pytest.fixture(scope="module")
def tour(stack: Stack, shown: StringIO) -> Tour:
    """The whole tour, played. One of its scenarios kills a function after Discord has started its thread."""
    played = Tour(stack, Screen(Console(file=shown, width=100)))
    played.play(SCENARIOS)
    return played


def test_the_whole_tour_holds(tour: Tour, shown: StringIO) -> None:
    assert not tour.failures, shown.getvalue()


def test_a_function_that_was_killed_in_the_middle_of_a_creation_leaves_one_thread(tour: Tour) -> None:
    crash = tour.crash.result()
    (thread,) = crash.threads_at_crash
    assert not os.path.exists(f"/proc/{crash.killed_pid}")
    assert thread not in crash.first.text
    assert f"<#{thread}>" in crash.second.text


def test_all_functions_ran(stack: Stack, tour: Tour) -> None:
    assert {name for name, pool in stack.pools.items() if pool.starts} == {*CONFIGS}
    assert stack.pools["WebhookFunction"].starts >= FEW, "environments side by side"


def test_programs_and_members_at_once_get_one_thread(stack: Stack, tour: Tour) -> None:
    def by_program(number: int) -> Any:
        event = {"session_name": "at once", "parent_channel_id": CHANNEL.id, "request_id": f"r{number}"}
        return invoke_function(stack.invocations.url, "ApiFunction", event)["thread"]["id"]

    with ThreadPoolExecutor(3) as people:
        member = people.submit(tour.discord.open_and_retry, MONA, CHANNEL, "at once")
        threads = {*people.map(by_program, range(2))}
        text = member.result()[-1].text
    assert len(threads) == 1
    assert f"<#{threads.pop()}>" in text
