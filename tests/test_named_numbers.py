"""Every duration and every limit of ``handler/`` has a name, and says beside it why it is this number.

Tests write out what they expect: one that takes a number from ``handler/`` does not notice that it has changed.

A number may stand where it is named: in a constant of a module, a field of a class with its default, a member of an enum.
Elsewhere only those of `PLAIN`, and HTTP statuses, which every reader knows.
"""

import ast
import importlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent

# Nothing, the first, the next, the last, twice, half; and the milliseconds of a second. (Python takes True for 1.)
PLAIN: Final = {0, 1, 2, 1000}
# What takes an HTTP status as its first argument.
TAKE_A_STATUS: Final = {"RequestRefused", "response"}
# What needs no reason: where something begins, and how often something happened so far.
BEGINNINGS: Final = {0, 1}
# What may take numbers from handler/: it compares them with the template's, or does what a function of handler/ does.
MAY_TAKE_NUMBERS: Final = {"tests/test_template.py", "tests/kit/guild.py"}

Statement = ast.Assign | ast.AnnAssign


def nameless(node: ast.AST) -> Iterator[str]:
    """The numbers in it that have no name, each as "line: number"."""
    parts = list(ast.iter_child_nodes(node))
    match node:
        case ast.Constant(value=int() | float() as number) if number not in PLAIN:
            yield f"{node.lineno}: {number}"
        case ast.Module() | ast.ClassDef():
            parts = [statement for statement in node.body if not isinstance(statement, Statement)]
        case ast.Compare() if speaks_of_a_status(node):
            return
        case ast.BinOp() if speaks_of_a_status(node.left):
            return
        case ast.Call() if ast.unparse(node.func).rpartition(".")[2] in TAKE_A_STATUS:
            parts = [node.func, *node.args[1:], *node.keywords]
    for part in parts:
        yield from nameless(part)


def unexplained(source: str) -> Iterator[str]:
    """The constants and fields that are numbers and say no reason, each as "line: what"."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef) and not is_enum(node):
            need_no_reason = BEGINNINGS if isinstance(node, ast.ClassDef) else set()
            for statement in (part for part in node.body if isinstance(part, Statement)):
                if set(numbers_in(statement)) - need_no_reason and not is_explained(statement, lines):
                    yield f"{statement.lineno}: {lines[statement.lineno - 1].strip()}"


def is_enum(node: ast.AST) -> bool:
    """Whether it is an enum: the name of a member, and its class's docstring, say what it is."""
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith(("Enum", "Flag")) for base in node.bases)


def is_explained(statement: Statement, lines: list[str]) -> bool:
    """Whether a comment stands on one of its lines, or above the block of lines in which it stands."""
    if any("  # " in line for line in lines[statement.lineno - 1 : statement.end_lineno]):
        return True
    above = (line.strip() for line in reversed(lines[: statement.lineno - 1]))
    return next((line for line in above if not line or line.startswith(("#", "class"))), "").startswith("#")


def numbers_in(node: ast.AST) -> list[int | float]:
    constants = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return [value for value in constants if isinstance(value, int | float) and not isinstance(value, bool)]


def speaks_of_a_status(node: ast.AST) -> bool:
    """Whether a name, an attribute or a key in it ends in "status" or "StatusCode"."""
    words = (
        getattr(part, "id", "") or getattr(part, "attr", "") or str(getattr(part, "value", ""))
        for part in ast.walk(node)
    )
    return any(word.endswith(("status", "StatusCode")) for word in words)


@pytest.mark.parametrize(
    "module", sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "handler").rglob("*.py"))
)
def test_each_number_has_a_name_and_each_name_its_reason(module: str) -> None:
    source = (ROOT / module).read_text()
    assert not [*nameless(ast.parse(source))], f"give these numbers a name, at the top of {module}"
    assert not [*unexplained(source)], f"say beside these, in a comment, why it is this number ({module})"


def test_no_test_takes_its_numbers_from_the_code() -> None:
    taken = {
        f"{path}: {imported.name}"
        for path in (path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("handler.")
        for imported in node.names
        if imported.name.isupper() and path not in MAY_TAKE_NUMBERS
        if isinstance(getattr(importlib.import_module(node.module or ""), imported.name), int | float | timedelta)
    }
    assert not taken


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    wait(30)",
        "def f(seconds=2.5):\n    pass",
        "def f():\n    return text[:50]",
        "wait(60)",
        "class C:\n    def f(self):\n        return self.n > 5",
        "def f():\n    attempts = 7",
        "def f():\n    raise RequestRefused(404, 60)",
    ],
)
def test_a_number_without_a_name_is_found(source: str) -> None:
    assert [*nameless(ast.parse(source))]


@pytest.mark.parametrize(
    "source",
    [
        "WAIT: Final = 30",
        "WAIT = timedelta(minutes=2)",
        "# of something else\n\nWAIT: Final = 30",
        "A = 'x'  # a reason of its own\nWAIT: Final = 30",
        "class C:\n    attempts: int = 3",
    ],
)
def test_a_name_without_a_reason_is_found(source: str) -> None:
    assert [*unexplained(source)]


@pytest.mark.parametrize(
    "source",
    [
        "WAIT: Final = 30  # because",
        "# Because.\nWAIT: Final = 30\nLONGER: Final = 60",
        "class C:\n    attempts: int = 3  # because\n    sent: int = 0",
        "class Kind(IntEnum):\n    FORUM = 15",
        "def f():\n    return response.status == 429 or status // 100 == 5 or refuse(last[-1] * 1000)",
        "def f():\n    raise RequestRefused(404, 'not found')",
    ],
)
def test_a_number_with_a_name_and_a_reason_is_left_alone(source: str) -> None:
    assert not [*nameless(ast.parse(source)), *unexplained(source)]
