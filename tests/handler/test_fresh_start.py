"""What only a process shows in which nothing was imported yet."""

import os
import subprocess
import sys

import pytest

INVOKE = """
import importlib, types
context = types.SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30000)
try:
    importlib.import_module("handler.{name}").lambda_handler({{}}, context)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("name", ["webhook", "worker", "ensure", "reconciler"])
def test_a_log_level_that_does_not_exist_is_named_with_all_the_other_faults(name: str) -> None:
    environ = {"PATH": os.environ["PATH"], "LOG_LEVEL": "LOUD"}
    done = subprocess.run(
        [sys.executable, "-c", INVOKE.format(name=name)], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ConfigurationError ")
    assert "LOG_LEVEL is malformed" in done.stdout
    assert "SESSIONS_TABLE is missing" in done.stdout
