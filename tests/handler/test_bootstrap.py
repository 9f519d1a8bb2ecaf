"""Environments: built once, from the right variables, used by one request at a time; and what INIT does for them."""

import json
import os
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from handler import api, bootstrap, reconciler, webhook, worker
from handler.bootstrap import ON_LAMBDA, Environment
from handler.config import ApiConfig, Config, ReconcilerConfig, WebhookConfig, WorkerConfig
from handler.errors import ConfigurationError
from infra.interactions import encode, interaction, sign
from infra.lambda_events import api_gateway_event, sqs_event, sqs_record
from infra.simulator.interactions import DEFERRED
from tests.kit.deployment import USER
from tests.kit.eventually import eventually
from tests.kit.guild import KEY
from tests.kit.loopback import Loopback, loopback
from tests.kit.secrets import BOT_TOKEN
from tests.kit.table_view import CHANNEL, GUILD

T = TypeVar("T")
NOW = datetime.now(UTC)
ROOT = Path(__file__).resolve().parents[2]
CONTEXT = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
MADE_UP = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_DEFAULT_REGION": "us-east-1",
    "SESSIONS_TABLE": "t",
    "JOBS_QUEUE_URL": "https://sqs.example/q",
    "RECONCILE_QUEUE_URL": "https://sqs.example/r",
    "DISCORD_APPLICATION_ID": "1",
    "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
    "DISCORD_BOT_TOKEN": BOT_TOKEN,
}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(("AWS_", "DISCORD_")):
            monkeypatch.delenv(name)
    for name, value in MADE_UP.items():
        monkeypatch.setenv(name, value)
    yield
    bootstrap.close_all()


def borrowed(kind: type[Config] = ApiConfig) -> Environment[Any]:
    with bootstrap.environment(kind) as environment:
        return environment


def run_in_environment(work: Coroutine[Any, Any, T]) -> T:
    with bootstrap.environment(ApiConfig) as environment:
        return environment.run(work)


def test_an_environment_is_kept_for_the_next_invocation() -> None:
    assert borrowed() is borrowed()


def test_each_function_has_its_own() -> None:
    assert borrowed(ApiConfig) is not borrowed(WorkerConfig)


@pytest.mark.parametrize(
    "name", ["SESSIONS_TABLE", "DISCORD_API_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_DEFAULT_REGION"]
)
def test_other_variables_mean_another_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = borrowed()
    monkeypatch.setenv(name, "https://other.example")
    assert borrowed() is not first


def test_a_variable_that_went_missing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    borrowed()
    monkeypatch.delenv("SESSIONS_TABLE")
    with pytest.raises(ConfigurationError, match="SESSIONS_TABLE is missing"):
        borrowed()


def test_concurrent_callers_get_an_environment_each() -> None:
    with bootstrap.environment(ApiConfig) as first, bootstrap.environment(ApiConfig) as second:
        assert first is not second


def test_an_environment_is_kept_after_an_error_but_not_after_an_interruption() -> None:
    async def failing(fault: BaseException) -> None:
        raise fault

    first = borrowed()
    with pytest.raises(ValueError, match="x"):
        run_in_environment(failing(ValueError("x")))
    assert borrowed() is first
    with pytest.raises(KeyboardInterrupt):
        run_in_environment(failing(KeyboardInterrupt()))
    assert borrowed() is not first


def test_one_invocation_leaves_nothing_in_the_context_of_the_next() -> None:
    from handler.runtime.deadline import Deadline, remaining, set_deadline

    async def leave() -> None:
        set_deadline(Deadline(NOW))

    async def look() -> float:
        return remaining(NOW, 99.0)

    run_in_environment(leave())
    assert run_in_environment(look()) == 99.0


@pytest.mark.parametrize("key", ["x", "zz" * 32, "ab" * 32, "11" * 31])
def test_a_malformed_public_key_is_a_configuration_error_and_never_a_401(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_PUBLIC_KEY", key)
    with pytest.raises(ConfigurationError, match="DISCORD_PUBLIC_KEY is malformed"):
        webhook.lambda_handler({}, CONTEXT)


@pytest.mark.parametrize(
    ("entrance", "names"),
    [
        (
            webhook,
            ["SESSIONS_TABLE", "JOBS_QUEUE_URL", "DISCORD_APPLICATION_ID", "DISCORD_PUBLIC_KEY", "DISCORD_BOT_TOKEN"],
        ),
        (worker, ["SESSIONS_TABLE", "JOBS_QUEUE_URL", "DISCORD_APPLICATION_ID", "DISCORD_BOT_TOKEN"]),
        (api, ["SESSIONS_TABLE", "DISCORD_APPLICATION_ID", "DISCORD_BOT_TOKEN"]),
        (reconciler, ["SESSIONS_TABLE", "RECONCILE_QUEUE_URL", "DISCORD_APPLICATION_ID", "DISCORD_BOT_TOKEN"]),
    ],
)
def test_every_missing_variable_is_named_at_once(
    entrance: Any, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in MADE_UP:
        monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError) as raised:
        entrance.lambda_handler({}, CONTEXT)
    assert len(raised.value.faults) == len(names)
    assert all(name in str(raised.value) for name in names)


# INIT


def test_outside_lambda_nothing_is_built_at_import() -> None:
    before = borrowed()
    bootstrap.close_all()
    bootstrap.prepare(ApiConfig)
    assert borrowed() is not before
    assert "dynamodb" not in borrowed().__dict__


@pytest.mark.parametrize("kind", [WebhookConfig, WorkerConfig, ApiConfig, ReconcilerConfig])
def test_in_init_everything_is_built_without_a_remote_call(kind: type[Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_BOT_TOKEN")
    monkeypatch.setenv("DISCORD_BOT_TOKEN_PARAMETER", "/p")
    for service in ("DYNAMODB", "SQS", "SSM"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")  # nobody listens: a call would fail
    monkeypatch.setenv(ON_LAMBDA, "127.0.0.1:1")
    bootstrap.prepare(kind)
    built = borrowed(kind).__dict__
    assert {"dynamodb", "http", "sessions", "discord", "token_parameter"} <= set(built)
    assert ("jobs" in built) == issubclass(kind, WorkerConfig)
    assert ("reconcile_queue" in built) == issubclass(kind, ReconcilerConfig)


def test_a_configuration_error_in_init_is_raised_by_the_first_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ON_LAMBDA, "127.0.0.1:1")
    monkeypatch.delenv("SESSIONS_TABLE")
    bootstrap.prepare(ApiConfig)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="SESSIONS_TABLE"):
            api.lambda_handler({}, CONTEXT)


def test_what_fails_in_init_is_left_to_the_first_invocation(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv(ON_LAMBDA, "127.0.0.1:1")
    monkeypatch.setattr(bootstrap, "_LAZY_MODULES", ("no_such_module",))
    bootstrap.prepare(ApiConfig)
    assert "not everything could be built in INIT" in capsys.readouterr().out
    borrowed()


# The real entrances, over real sockets


@pytest.fixture(scope="module")
def outside() -> Iterator[Loopback]:
    with loopback() as outside:
        yield outside


@pytest.fixture
def over_sockets(outside: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_BOT_TOKEN")
    for name, value in outside.variables.items():
        monkeypatch.setenv(name, value)


def asked(name: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    body = encode(interaction(name, channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=now))
    return api_gateway_event(body, sign(body, KEY, now), now=now)


@pytest.mark.usefixtures("over_sockets")
def test_the_entrances_open_a_session_over_real_sockets() -> None:
    made = api.lambda_handler({"session_name": "over sockets", "parent_channel_id": CHANNEL}, CONTEXT)
    assert made["outcome"] == "created"
    callbacks: list[dict[str, Any]] = []

    def is_answered() -> bool:
        callbacks.append(json.loads(webhook.lambda_handler(asked("over sockets"), CONTEXT)["body"]))
        return bool(callbacks[-1]["type"] != DEFERRED)  # as it is where the machine is too busy for the webhook's time

    eventually(is_answered)
    assert f"<#{made['thread']['id']}>" in callbacks[-1]["data"]["content"]
    lost = worker.lambda_handler(sqs_event(sqs_record("x", now=datetime.now(UTC), message_id="m")), CONTEXT)
    assert lost == {"batchItemFailures": [{"itemIdentifier": "m"}]}


@pytest.mark.usefixtures("over_sockets")
def test_a_tick_and_a_guild_run_over_real_sockets() -> None:
    api.lambda_handler({"session_name": "reconciled", "parent_channel_id": CHANNEL}, CONTEXT)
    assert reconciler.lambda_handler({}, CONTEXT) == {"due": 1, "sent": 1, "unsent": 0}
    guild = sqs_event(sqs_record(reconciler.encode(GUILD), now=datetime.now(UTC), message_id="m"))
    answer = reconciler.lambda_handler(guild, CONTEXT)
    assert answer["batchItemFailures"] == []
    assert answer["runs"][0]["counts"]["looked_at"] >= 1


@pytest.mark.usefixtures("over_sockets")
def test_threads_of_one_process_may_call_at_the_same_time() -> None:
    def call(number: int) -> dict[str, Any]:
        context = SimpleNamespace(aws_request_id=f"r{number}", get_remaining_time_in_millis=lambda: 60_000)
        return api.lambda_handler({"session_name": "at once", "parent_channel_id": CHANNEL}, context)

    with ThreadPoolExecutor(4) as threads:
        answers = [*threads.map(call, range(4))]
    assert len({answer["thread"]["id"] for answer in answers}) == 1
    assert len(answers) == 4


# Processes in which nothing was imported yet

LATE = """
import json, sys
from types import SimpleNamespace
from handler import api
before = set(sys.modules)
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
answer = api.lambda_handler(json.loads(sys.argv[1]), context)
print(json.dumps([answer.get("outcome"), sorted(set(sys.modules) - before)]))
"""
INVOKE = """
import importlib, sys, types
context = types.SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30000)
for name in sys.argv[1].split():
    try:
        importlib.import_module(f"handler.{name}").lambda_handler({}, context)
    except Exception as error:
        print(name, type(error).__name__, " ".join(str(error).split()))
"""


def run_fresh(code: str, argument: str, variables: dict[str, str]) -> str:
    """What the code prints in a new process."""
    environ = {**variables, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", code, argument]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout


GARBAGE = """
import gc
import handler
before = gc.isenabled()
import handler.api
print(before, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_in_init_no_garbage_is_looked_for_and_afterwards_it_is() -> None:
    assert run_fresh(GARBAGE, "", {ON_LAMBDA: "127.0.0.1:1"}).split() == ["False", "True", "True"], (
        "without settings, too"
    )
    assert run_fresh(GARBAGE, "", {}).split() == ["True", "True", "False"]


def test_the_first_request_imports_nothing_that_init_has_not_imported(outside: Loopback) -> None:
    event = json.dumps({"session_name": "late imports", "parent_channel_id": CHANNEL})
    printed = run_fresh(LATE, event, {**outside.variables, ON_LAMBDA: "127.0.0.1:1"})
    outcome, late = json.loads(printed.splitlines()[-1])
    assert (outcome, late) == ("created", [])


def test_a_log_level_that_does_not_exist_is_named_with_all_the_other_faults() -> None:
    names = ("webhook", "worker", "api", "reconciler")
    printed = run_fresh(INVOKE, " ".join(names), {"LOG_LEVEL": "LOUD"}).splitlines()
    for name, line in zip(names, printed, strict=True):
        assert line.startswith(f"{name} ConfigurationError ")
        assert "LOG_LEVEL is malformed" in line
        assert "SESSIONS_TABLE is missing" in line
