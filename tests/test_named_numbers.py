"""Every duration and every limit of ``handler/`` has a name, and says beside it why it is this number.

A number may stand where it is named: in a constant of a module, a field of a class with its default, a member of an enum.
Elsewhere only those of `PLAIN`, and HTTP statuses, which every reader knows.
"""

import ast
from collections.abc import Iterator
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

Statement = ast.Assign | ast.AnnAssign


class Numbers(ast.NodeVisitor):
    """The numbers of a module that have no name, and the named ones that say no reason, each as "line: what"."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()
        self.nameless: list[str] = []
        self.unexplained: list[str] = []
        self._module(ast.parse(source))

    def _module(self, tree: ast.Module) -> None:
        for statement in tree.body:
            if isinstance(statement, Statement):
                self._named(statement, reason_for=set())
            else:
                self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        members = "Enum" in ast.dump(ast.Tuple(node.bases)) or "Flag" in ast.dump(ast.Tuple(node.bases))
        for statement in node.body:
            if not isinstance(statement, Statement):
                self.visit(statement)
            elif not members:  # the name of a member, and its class's docstring, say what it is
                self._named(statement, reason_for=BEGINNINGS)

    def visit_Compare(self, node: ast.Compare) -> None:
        if not speaks_of_a_status(node):
            self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not speaks_of_a_status(node.left):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition(".")[2]
        arguments = node.args[1:] if name in TAKE_A_STATUS else node.args
        for part in (node.func, *arguments, *node.keywords):
            self.visit(part)

    def visit_Constant(self, node: ast.Constant) -> None:
        self.nameless += [f"{node.lineno}: {number}" for number in numbers_in(node) if number not in PLAIN]

    def _named(self, statement: Statement, reason_for: set[int]) -> None:
        """`reason_for`: these alone need none."""
        if set(numbers_in(statement)) - reason_for and not self._explained(statement):
            self.unexplained.append(f"{statement.lineno}: {self._lines[statement.lineno - 1].strip()}")

    def _explained(self, statement: Statement) -> bool:
        """Whether a comment stands on one of its lines, or above the block of lines in which it stands."""
        last = statement.end_lineno or statement.lineno
        if any("  # " in line for line in self._lines[statement.lineno - 1 : last]):
            return True
        above = statement.lineno - 2
        while above >= 0 and self._lines[above].strip() and not self._lines[above].lstrip().startswith(("#", "class")):
            above -= 1
        return above >= 0 and self._lines[above].lstrip().startswith("#")


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


def modules() -> Iterator[Path]:
    yield from sorted((ROOT / "handler").rglob("*.py"))


@pytest.mark.parametrize("module", [path.relative_to(ROOT).as_posix() for path in modules()])
def test_each_number_has_a_name_and_each_name_its_reason(module: str) -> None:
    numbers = Numbers((ROOT / module).read_text())
    assert not numbers.nameless, f"give these numbers a name, at the top of {module}"
    assert not numbers.unexplained, f"say beside these, in a comment, why it is this number ({module})"


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
    assert Numbers(source).nameless


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
    assert Numbers(source).unexplained


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
    numbers = Numbers(source)
    assert not numbers.nameless + numbers.unexplained
