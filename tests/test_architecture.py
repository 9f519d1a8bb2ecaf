"""The shape of the code: who may import whom, where I/O is known, and what modules are called.

A new module of ``handler/`` fails here until it is placed in a layer: that is the moment to think about where it belongs.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grimp
import pytest

ROOT: Final = Path(__file__).resolve().parent.parent

# What is decided, and what Discord's things look like, without any I/O.
DECISIONS: Final = {
    "sessions.decide",
    "sessions.duplicates",
    "sessions.housekeeping",
    "sessions.model",
    "sessions.names",
    "sessions.plan",
    "sessions.source_message",
    "sessions.steps",
}
SHAPES: Final = {
    "discord.interactions",
    "discord.markdown",
    "discord.models",
    "discord.permissions",
    "discord.responses",
    "discord.snowflakes",
}

# From the top. A module imports from layers below its own and, within its layer, from its own package: so entrances do
# not know each other, and neither do commands and jobs, which leaves jobs to the entrances and to bootstrap.
LAYERS: Final = (
    {"webhook", "worker", "ensure", "reconciler"},
    {"attempt", "http_api"},
    {"bootstrap", "door"},
    {
        "commands.admin",
        "commands.admin_texts",
        "commands.context",
        "commands.opening",
        "commands.session",
        "commands.table",
        "commands.texts",
        "jobs",
        "reconcile_queue",
    },
    {
        "sessions.protocol",
        "sessions.channels",
        "sessions.lookup",
        "sessions.importing",
        "sessions.finding",
        "sessions.merging",
        "sessions.ending",
        "sessions.ports",
        "sessions.adoption",
        "sessions.creation",
        "sessions.reuse",
        "sessions.reconcile",
        "sessions.audit_log",
        "sessions.carrying_out",
        "sessions.channel_mark",
        "sessions.seeing",
        "sessions.pace",
        "sessions.deleting",
        "sessions.tidying",
    },
    {
        "store",
        "discord.rest",
        "discord.exchange",
        "discord.bot_token",
        "discord.rate_limits",
        "discord.answers",
        "discord.routes",
        "discord.wire",
    },
    {
        "table.claims",
        "table.channel_items",
        "table.guild_items",
        "table.marks",
        "table.merged_items",
        "table.operations",
    },
    {"dynamodb", "parameter_store"},
    {"aws"},
    DECISIONS,
    {"table.clauses"},
    {"table.items"},
    SHAPES,
    {"telemetry"},
    {"config", "time_limit"},
    {"clock", "concurrency"},
    {"errors", "utf16"},
)
PACKAGES: Final = {"commands", "discord", "sessions", "table"}  # hold a docstring and no code
PURE: Final = (
    {"commands.texts", "commands.admin_texts"},
    DECISIONS,
    {"table.clauses"},
    {"table.items"},
    SHAPES,
    {"errors", "utf16"},
)
INPUT_OUTPUT: Final = {"asyncio", "boto3", "botocore", "concurrent", "httpx", "selectors", "socket", "ssl", "threading"}

# Who alone knows a library: everybody else goes through them.
KNOWN_BY: Final = {
    "httpx": {"discord.rest"},
    "boto3": {"bootstrap", "dynamodb"},
    "botocore": {"aws", "dynamodb", "jobs", "parameter_store", "reconcile_queue"},
    "aws_lambda_powertools": {"telemetry"},
    "nacl": {"config", "door"},
}
# Slow to import (a cold start is counted in Discord's three seconds), or no business of what runs on Lambda.
NEVER: Final = {"pydantic", "aws_xray_sdk", "moto", "pytest", "infra", "tests", "requests"}
SLOW_POWERTOOLS: Final = {"tracing", "batch", "idempotency", "parameters", "parser", "event_handler"}

EMPTY_WORDS: Final = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "service",
    "process",
    "processor",
    "misc",
    "common",
}
# What fits in a head: what is longer has two subjects. A table of cases may be longer than what it tries.
MOST_LINES: Final = {"handler": 300, "infra": 300, "tests": 450}


@functools.cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "handler", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def modules() -> list[str]:
    """Every module of handler/, without the package's own name."""
    return sorted(name.removeprefix("handler.") for name in graph().modules if name.startswith("handler."))


def imported_by(module: str) -> set[str]:
    return graph().find_modules_directly_imported_by(f"handler.{module}")


def layer_of(module: str) -> int:
    return next((depth for depth, layer in enumerate(LAYERS) if module in layer), -1)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")))


def test_every_module_is_placed_in_a_layer() -> None:
    unplaced = [module for module in modules() if layer_of(module) < 0 and module not in PACKAGES]
    assert not unplaced, f"say in LAYERS where these belong: {unplaced}"


def test_every_module_in_a_layer_exists() -> None:
    gone = sorted(set().union(*LAYERS) - set(modules()))
    assert not gone, f"LAYERS names modules that are not there: {gone}"


def test_imports_go_down_or_stay_in_the_package() -> None:
    upward = [f"{module} imports {imported}" for module in modules() for imported in imports_upward(module)]
    assert not upward


def imports_upward(module: str) -> Iterator[str]:
    package = module.rpartition(".")[0]
    for name in imported_by(module):
        imported = name.removeprefix("handler.")
        if imported == name or imported in PACKAGES:
            continue
        same_package = package != "" and imported.rpartition(".")[0] == package
        if layer_of(imported) < layer_of(module) + (0 if same_package else 1):
            yield imported


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    for module in modules():
        assert f"handler.{module}" not in graph().find_upstream_modules(f"handler.{module}"), (
            f"{module} imports itself in the end"
        )


def test_pure_modules_reach_no_input_or_output_even_through_others() -> None:
    for module in set().union(*PURE) & set(modules()):
        assert not imported_by(module) & INPUT_OUTPUT, f"{module} is not pure"
        reached = {name.split(".")[0] for name in graph().find_upstream_modules(f"handler.{module}")}
        assert not reached & (INPUT_OUTPUT - {"asyncio"}), f"{module} is not pure"  # clock.py tells times, and sleeps


@pytest.mark.parametrize("library", sorted(KNOWN_BY))
def test_a_library_is_known_by_its_own_modules_only(library: str) -> None:
    knowing = {module for module in modules() if library in imported_by(module)}
    assert knowing <= KNOWN_BY[library]


def test_nothing_slow_or_foreign_is_imported_on_lambda() -> None:
    assert not {name.split(".")[0] for name in graph().modules} & NEVER
    for path in sources("handler"):
        for imported in powertools_parts(path):
            assert not imported & SLOW_POWERTOOLS, f"{path.relative_to(ROOT)} imports {imported} of Powertools"


def powertools_parts(path: Path) -> Iterator[set[str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aws_lambda_powertools"):
            yield {*(node.module or "").split("."), *(alias.name.lower() for alias in node.names)}


def test_only_the_clock_reads_the_time() -> None:
    reading = re.compile(r"datetime\.(now|utcnow|today)\(|time\.(time|time_ns)\(")
    assert [path.name for path in sources("handler") if reading.search(path.read_text())] in ([], ["clock.py"])


def test_only_bootstrap_hands_over_the_environment() -> None:
    reading = re.compile(r"os\.(environ|getenv)\b|from os import")
    assert [path.name for path in sources("handler") if reading.search(path.read_text())] in ([], ["bootstrap.py"])


def test_modules_are_short() -> None:
    for folder, most in MOST_LINES.items():
        lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(folder)}
        assert not {path: count for path, count in lines.items() if count > most}


def test_names_say_something() -> None:
    empty = {
        (path.name, name)
        for path in sources("handler", "infra", "tests")
        for name in names_in(path)
        if words(name) & EMPTY_WORDS
    }
    assert not empty


def names_in(path: Path) -> Iterator[str]:
    """The module's name and those that it defines; of tests, whose names are sentences, the module's alone."""
    yield path.stem
    if not path.is_relative_to(ROOT / "tests"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}


def test_the_words_of_a_name_are_found_in_either_spelling() -> None:
    assert words("ThreadManager") == words("thread_manager") == {"thread", "manager"}
