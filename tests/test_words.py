"""The words of the project: what the glossary defines is used, retired words stay away, and the documents name what exists.

docs/glossary.md says what each word means. A retired name had several meanings, or was nobody else's word for the thing.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import pytest

from handler.sessions.reconcile.actions import Action
from handler.sessions.reconcile.housekeeping import HousekeepingAction

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = ("examples", "handler", "infra", "tests")
# The glossary's words that only its readers need: prose says them in other forms.
ONLY_IN_PROSE: Final = frozenset({"deletion mark", "held deletion"})
# Retired words, each as a whole word of a name: of a file, a class, a function or an argument.
_RETIRED: Final = """
    asking carrying decide dice door ground hands house journal journey mortal nursery poetry ports seeing shelf sight
    sound stage tidying together told town
    common helper helpers manager misc process processor service util utils
"""
RETIRED: Final = frozenset(_RETIRED.split())
# Names in which a retired word is right: AWS's stage, a network's ports, an operating system's process.
ALLOWED: Final = frozenset({"Ports", "stage", "process", "_Process", "another_process"})

SAID_BY_DISCORD: Final = frozenset({"The application did not respond", "thinking…"})


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def glossary() -> list[str]:
    """The words that the glossary defines, as it writes them."""
    return re.findall(r"^\*\*([^*]+)\.\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)


def names_of(path: Path) -> Iterator[str]:
    """The file's own name, and the classes, functions and arguments that it defines. A test's name is a sentence."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
            "test_"
        ):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def words_of(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}


@pytest.mark.parametrize("word", glossary())
def test_a_word_of_the_glossary_is_used_in_the_code(word: str) -> None:
    stem = re.escape(word.lower().replace("-", "")).replace(r"\ ", "[_ ]?").removesuffix("e")
    used = any(re.search(stem, path.read_text().lower().replace("-", "")) for path in (ROOT / "handler").rglob("*.py"))
    assert used or word.lower() in ONLY_IN_PROSE, f"nothing in handler/ uses the word {word!r}"


def test_a_word_stands_once_in_the_glossary() -> None:
    assert len(set(glossary())) == len(glossary()) > 20


def test_retired_names_are_gone() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        for name in names_of(path)
        if words_of(name) & RETIRED and name not in ALLOWED
    }
    assert not found


def test_the_check_finds_a_retired_name() -> None:
    assert words_of("MakeTheHouse") & RETIRED
    assert words_of("_was_told") & RETIRED


def test_each_step_of_the_protocols_page_is_a_function() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text()
    steps = dict(re.findall(r"^\| (claim|look|anchor|record|start|commit) \| `(?:\w+\.)?(\w+)` \|", page, re.MULTILINE))
    assert len(steps) == 6
    assert set(steps.values()) <= {name for path in (ROOT / "handler").rglob("*.py") for name in names_of(path)}


def test_each_action_of_the_reconciler_is_in_its_page() -> None:
    page = (ROOT / "docs" / "reconciler.md").read_text()
    for union in (Action, HousekeepingAction):
        assert not [action.__name__ for action in get_args(union) if f"`{action.__name__}`" not in page]


def texts_of(path: Path) -> Iterator[str]:
    """The texts in a file, with an ellipsis for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_what_the_bot_is_quoted_to_say_is_a_text_of_its_own() -> None:
    section = (ROOT / "docs" / "troubleshooting.md").read_text().partition("## In Discord")[2].partition("\n## ")[0]
    quoted = set(re.findall(r'^\| "([^"]+)"', section, re.MULTILINE)) - SAID_BY_DISCORD
    said = [text for path in (ROOT / "handler").rglob("*.py") for text in texts_of(path)]
    assert len(quoted) > 4
    for quotation in quoted:
        parts = [part.strip() for part in quotation.split("…") if part.strip()]
        assert all(any(part in text for text in said) for part in parts), f"nothing says {quotation!r}"


def test_all_texts_have_plain_quotes_and_apostrophes() -> None:
    files = (ROOT / "handler").rglob("*.py")
    assert not [(path.name, text) for path in files for text in texts_of(path) if re.search("[‘’“”]", text)]


def test_the_documents_name_files_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    named = {
        path
        for page in pages
        for path in re.findall(r"`((?:examples|handler|infra|tests)/[\w/]+\.py)`", page.read_text())
    }
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]
