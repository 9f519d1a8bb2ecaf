"""Functions as Lambda runs them: each environment takes one request at a time, and more start on demand."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from infra.local.functions import Function, Pool, Result
from infra.local.recursion import VARIABLE, enter
from tests.infra.local.conftest import HANDLERS, MakePool, is_running
from tests.kit.eventually import eventually
from tests.kit.sam_template import ROOT


def error_of(result: Result) -> tuple[Any, Any]:
    assert result.error is not None
    return result.error["errorType"], result.error["errorMessage"]


def test_an_environment_is_another_process_and_is_used_again(make_pool: MakePool) -> None:
    pool = make_pool("who")
    cold, warm = pool.invoke({}), pool.invoke({})

    assert cold.payload == {"pid": cold.payload["pid"], "count": 1}
    assert warm.payload == {"pid": cold.payload["pid"], "count": 2}
    assert cold.payload["pid"] != os.getpid()
    assert cold.init is not None
    assert warm.init is None


def test_concurrent_requests_get_an_environment_each(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool("meet")
    event = {"folder": str(tmp_path), "expected": 5}
    with ThreadPoolExecutor(5) as people:
        results = list(people.map(pool.invoke, [event] * 5))

    assert len({result.payload["pid"] for result in results}) == 5
    assert (pool.starts, pool.size) == (5, 5)


def test_environments_can_be_started_early_and_ended_afterwards(make_pool: MakePool) -> None:
    pool = make_pool("who")
    pool.warm(3)
    assert (pool.starts, pool.size) == (3, 3)
    assert pool.invoke({}).init is None

    pool.shrink(1)
    assert pool.size == 1


def test_a_function_gets_its_own_variables_and_a_context_with_two_attributes(make_pool: MakePool) -> None:
    pool = make_pool("surroundings", timeout=7, COLOUR="blue")
    seen = pool.invoke({}, request_id="r-1").payload

    assert seen["variables"].pop(VARIABLE) == enter({}, pool.function.name)[1]
    assert seen["variables"] == {"COLOUR": "blue"}
    assert seen["context"] == ["aws_request_id", "get_remaining_time_in_millis"]
    assert seen["request_id"] == "r-1"
    assert 5_000 < seen["remaining"] <= 7_000


def test_an_environment_has_imported_the_libraries_before_it_starts(make_pool: MakePool) -> None:
    imported = make_pool("modules").invoke({}).payload
    assert {"handler.commands.registry", "httpx", "botocore.session"} <= set(imported)


def test_an_environment_at_work_ends_when_the_process_that_started_it_is_killed() -> None:
    code = (
        "import os, signal, threading, time\n"
        "from infra.local.functions import Function, Pool, start_fork_server\n"
        "start_fork_server()\n"
        f"pool = Pool(Function('hang', '{HANDLERS}.hang', 60, {{}}))\n"
        "threading.Thread(target=pool.invoke, args=({},)).start()\n"
        "while not pool.running(): time.sleep(0.01)\n"
        "print(pool.running()[0].pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    eventually(lambda: not is_running(int(killed.stdout)))


def test_an_exception_is_returned_as_lambda_returns_it_and_the_environment_stays(make_pool: MakePool) -> None:
    pool = make_pool("fail")
    assert error_of(pool.invoke({})) == ("ValueError", "a fault")
    assert pool.size == 1


def test_a_result_that_is_not_json_is_an_error(make_pool: MakePool) -> None:
    assert error_of(make_pool("return_an_object").invoke({}))[0] == "Runtime.MarshalError"


def test_after_a_function_dies_the_next_request_gets_a_new_environment(make_pool: MakePool) -> None:
    pool = make_pool("die")
    assert error_of(pool.invoke({}))[0] == "Runtime.ExitError"
    assert pool.size == 0
    assert pool.invoke({}).init is not None


def test_a_function_is_killed_at_its_time_out(make_pool: MakePool) -> None:
    pool = make_pool("hang", timeout=0.2)
    kind, message = error_of(pool.invoke({}))

    assert kind == "Sandbox.Timedout"
    assert "timed out after 0.20 seconds" in message
    assert pool.size == 0


def test_a_running_environment_can_be_found_by_its_event_and_killed(make_pool: MakePool) -> None:
    pool = make_pool("hang")
    with ThreadPoolExecutor(1) as people:
        hanging = people.submit(pool.invoke, {"of": "mona"})
        eventually(lambda: bool(pool.running()))
        (victim,) = pool.running()
        assert victim.event == {"of": "mona"}
        victim.kill()

        assert error_of(hanging.result())[0] == "Runtime.ExitError"


def test_a_module_that_cannot_be_imported_is_an_error_of_init(log: Path) -> None:
    pool = Pool(Function("absent", "tests.infra.local.no_such_module.handler", 5, {}), log)
    assert error_of(pool.invoke({}))[0] == "ModuleNotFoundError"
    assert pool.size == 0


def test_closing_a_pool_ends_its_environments(make_pool: MakePool) -> None:
    pool = make_pool("who")
    pid = pool.invoke({}).payload["pid"]
    assert is_running(pid)

    pool.close()
    eventually(lambda: not is_running(pid))
    assert pool.invoke({}).error is not None


def test_a_large_event_arrives_whole(make_pool: MakePool) -> None:
    event = {"text": "ü" * 400_000}
    assert make_pool("echo").invoke(event).payload == event
