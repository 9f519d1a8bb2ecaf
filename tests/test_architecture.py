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

from infra.marked_text import replace_between

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- make rooms -->"

# From the top. A room imports from the rooms below its line and from itself. So entrances do not know each other, and
# neither do the rooms of one line.
ROOMS: Final = (
    {"webhook", "worker", "api", "reconciler", "publisher"},
    {"bootstrap"},
    {"programs"},
    {"commands"},
    {"questions"},
    {"sessions.protocol"},
    {"sessions.opening", "sessions.reconcile", "sessions.duplicates", "sessions.overview"},
    {"sessions.threads"},
    {"sessions.context", "sessions.model"},
    {"sessions.names", "sessions.settings"},
    {"store"},
    {"discord"},
    {"aws"},
    {"config"},
    {"runtime"},
    {"errors"},
)
# What is decided, what Discord's things look like and what is on record, without any I/O.
_PURE: Final = """
    commands.question_texts commands.admin_texts commands.change_texts commands.delete_texts commands.info_texts commands.list_buttons commands.list_texts commands.session_words commands.settings_texts commands.texts
    discord.components discord.fitting discord.interactions discord.markdown discord.messages discord.models discord.permissions discord.refusals
    discord.responses discord.snowflakes
    errors
    questions.card questions.model
    programs.answers programs.callbacks programs.events programs.fields programs.requests
    runtime.characters runtime.metrics runtime.utf16 runtime.validation
    sessions.duplicates.group
    sessions.model sessions.names sessions.overview.choose sessions.settings
    sessions.opening.next_step sessions.opening.rights sessions.threads.source_message sessions.threads.visibility
    sessions.reconcile.actions sessions.reconcile.changes sessions.reconcile.channels sessions.reconcile.housekeeping
    sessions.reconcile.lost_roles sessions.reconcile.observation sessions.reconcile.plan
    sessions.threads.locks sessions.threads.match sessions.threads.record
    store.clauses store.former store.hashes store.items store.lease store.listing store.parts store.private store.question_items store.reading store.settings
"""
PURE: Final = frozenset(_PURE.split())
INPUT_OUTPUT: Final = {"asyncio", "boto3", "botocore", "concurrent", "httpx", "selectors", "socket", "ssl", "threading"}

# Who alone knows a library: everybody else goes through them.
KNOWN_BY: Final = {
    "httpx": {"discord.wire"},
    "botocore": {"aws.clients", "aws.dynamodb", "aws.session"},
    "aws_lambda_powertools": {"runtime.telemetry"},
    "nacl": {"config", "discord.signature"},
}
# Slow to import (a cold start is counted in Discord's three seconds), or no business of what runs on Lambda.
NEVER: Final = {"boto3", "pydantic", "aws_xray_sdk", "moto", "pytest", "infra", "tests", "requests"}
SLOW_POWERTOOLS: Final = {"tracing", "batch", "idempotency", "parameters", "parser", "event_handler"}

MAX_DOORS: Final = {"handler": 16, "handler/sessions": 10, "infra": 26}
# What fits in a head: what is longer has two subjects. A table of cases may be longer than what it tries.
MAX_LINES: Final = {"examples": 300, "handler": 300, "infra": 300, "tests": 450}
LONGER: Final = {"handler/errors.py": 400}  # a list: the whole tree of errors is in one place


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


def room_of(module: str) -> str | None:
    """The room to which a module belongs; None for the package that only holds rooms."""
    return next((room for line in ROOMS for room in line if f"{module}.".startswith(f"{room}.")), None)


def line_of(room: str) -> int:
    return next(depth for depth, line in enumerate(ROOMS) if room in line)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")))


def test_every_module_is_in_a_room() -> None:
    outside = [module for module in modules() if room_of(module) is None and module != "sessions"]
    assert not outside, f"say in ROOMS where these belong: {outside}"


def test_every_room_has_a_module() -> None:
    assert {room_of(module) for module in modules()} - {None} == set().union(*ROOMS)


def test_imports_go_down_or_stay_in_the_room() -> None:
    upward = [f"{module} imports {imported}" for module in modules() for imported in imports_upward(module)]
    assert not upward


def imports_upward(module: str) -> Iterator[str]:
    room = room_of(module)
    for name in imported_by(module):
        other = room_of(name.removeprefix("handler.")) if name.startswith("handler.") else None
        if room and other and other != room and line_of(other) <= line_of(room):
            yield name


def drawing() -> str:
    """The rooms from top to bottom, each with the first line of its docstring."""
    rows = [[(room, purpose_of(room)) for room in sorted(line)] for line in ROOMS]
    width = max(len(room) for row in rows for room, _ in row)
    blocks = ("\n".join(f"{room:<{width}}  {purpose}" for room, purpose in row) for row in rows)
    return "```text\n" + "\n  ↓\n".join(blocks) + "\n```"


def purpose_of(room: str) -> str:
    path = ROOT / "handler" / room.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    first_line = (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]
    return first_line.rstrip(".")


def page_with(picture: str) -> str:
    """The page about the architecture, with this picture of the rooms in it."""
    return replace_between(PAGE.read_text(), BEGIN, picture)


def test_the_page_shows_the_rooms_as_they_are() -> None:
    assert PAGE.read_text() == page_with(drawing()), "run `make rooms`"


def test_a_newcomer_sees_few_doors_at_once() -> None:
    for folder, most in MAX_DOORS.items():
        assert (
            len([path for path in (ROOT / folder).iterdir() if path.name not in ("__init__.py", "__pycache__")]) <= most
        ), folder


def test_the_map_of_infra_names_each_of_its_parts() -> None:
    section = PAGE.read_text().partition("## Around it\n")[2].partition("\n- ")[0]
    parts = {path.stem for path in (ROOT / "infra").iterdir() if not path.name.startswith("_")}
    assert parts <= set(re.findall(r"`(\w+)`", section))


def test_the_examples_can_be_copied_to_where_nothing_else_of_the_project_is() -> None:
    imports = grimp.build_graph("examples", "handler", "infra", cache_dir=None)
    for forbidden in ("handler", "infra"):
        assert not imports.find_shortest_chains("examples", forbidden)


def test_the_simulator_knows_neither_the_handlers_nor_the_local_stack() -> None:
    imports = grimp.build_graph("infra", "handler", cache_dir=None)
    for forbidden in ("handler", "infra.local"):
        assert not imports.find_shortest_chains("infra.simulator", forbidden)


def test_the_simulators_modules_import_only_those_below_them_in_its_map() -> None:
    simulator = ROOT / "infra" / "simulator"
    listed = re.findall(
        r"^    (\S.*?)  ", ast.get_docstring(ast.parse((simulator / "__init__.py").read_text())) or "", re.M
    )
    depth = {name.rstrip("/"): line for line, names in enumerate(listed) for name in names.split(", ")}
    assert set(depth) == {path.stem for path in simulator.iterdir()} - {"__init__", "__pycache__"}
    imports = grimp.build_graph("infra", cache_dir=None)
    for module in imports.find_descendants("infra.simulator"):
        for name in imports.find_modules_directly_imported_by(module):
            if name.startswith("infra.simulator."):
                importer, imported = module.split(".")[2], name.split(".")[2]
                assert importer == imported or depth[importer] < depth[imported], f"{module} imports {name}"


def test_no_module_imports_itself_in_the_end() -> None:
    for module in modules():
        for imported in imported_by(module):
            if imported.startswith("handler."):
                assert f"handler.{module}" not in graph().find_upstream_modules(imported), f"{module}, {imported}"


def test_pure_modules_reach_no_input_or_output_even_through_others() -> None:
    assert set(modules()) >= PURE
    for module in PURE:
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
    reading_it = {
        str(path.relative_to(ROOT / "handler")) for path in sources("handler") if reading.search(path.read_text())
    }
    assert reading_it == {"bootstrap.py", "__init__.py"}, "and the package, for whether it is on Lambda"


def test_modules_are_short() -> None:
    for folder, most in MAX_LINES.items():
        lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(folder)}
        assert not {path: count for path, count in lines.items() if count > LONGER.get(path, most)}


if __name__ == "__main__":
    PAGE.write_text(page_with(drawing()))
