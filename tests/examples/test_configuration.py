"""The configuration that the examples' page shows: well-formed, and with no variable or module that nobody reads."""

import json
import re
from importlib.util import find_spec
from typing import Any, Final

from examples import permission_hook
from tests.kit.pages import blocks
from tests.kit.sam_template import ROOT

FOLDER: Final = ROOT / "examples"
PAGE: Final = FOLDER / "README.md"
SERVERS, HOOKS = (json.loads(block) for block in blocks(PAGE, "json"))
TEXT: Final = PAGE.read_text()


def test_every_variable_that_is_named_is_read_and_every_one_that_is_read_is_named() -> None:
    named = set(re.findall(r"ONETHREAD_[A-Z_]+", TEXT))
    read = set(re.findall(r"ONETHREAD_[A-Z_]+", "".join(path.read_text() for path in FOLDER.glob("*.py"))))
    assert named == read


def test_the_server_is_started_as_the_module_that_it_is() -> None:
    (server,) = SERVERS["mcpServers"].values()
    assert (server["command"], server["args"]) == ("python", ["-m", "examples.mcp_server"])
    assert "-- python -m examples.mcp_server" in TEXT
    assert find_spec("examples.mcp_server") is not None
    assert all(isinstance(value, str) for value in server["env"].values())


def test_the_hook_has_decided_before_it_is_ended_and_blocks_if_it_could_not() -> None:
    ((matched,),) = ([entry["hooks"] for entry in HOOKS["hooks"]["PreToolUse"]],)
    hook: dict[str, Any] = matched[0]
    assert hook["command"].endswith(f"python -m {permission_hook.__name__}")
    (seconds,) = map(int, re.findall(r'"ONETHREAD_SECONDS", "(\d+)"', (FOLDER / "permission_hook.py").read_text()))
    assert 60 <= seconds <= hook["timeout"] - 50
    assert hook["onFailure"] == "block"


def test_each_example_stands_in_the_table_with_a_command_that_there_is() -> None:
    table = re.findall(r"^\| \[(.+?)\]\(.+?\) .*\| (.+?) \|$", TEXT, re.MULTILINE)
    assert {name.rstrip("/") for name, _ in table} | {"mcp_client.py"} == {
        path.name
        for path in FOLDER.iterdir()
        if path.name not in ("__init__.py", "__pycache__", "README.md", "tool_call.json")
    }
    for module in re.findall(r"make example NAME=(\w+)", TEXT):
        assert find_spec(f"examples.{module}") is not None
