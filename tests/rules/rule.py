"""Change one place of the real code while tests run, to see that they notice.

Functions stay the same objects and get the changed code and defaults; constants are replaced in each module that has
imported them.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final
from unittest.mock import patch

HANDLER: Final = Path(__file__).parents[2] / "handler"
CONSTANTS: Final = (bool, int, float, str, bytes, tuple, frozenset, timedelta)


@dataclass(frozen=True)
class Mutation:
    """A change of one file of `handler/`: `before` stands in it once, and `after` takes its place; and so on with `more`."""

    file: str  # without the suffix
    before: str
    after: str
    more: tuple[tuple[str, str], ...] = ()

    def source(self) -> str:
        """The changed file. Raises ValueError if a text to be changed does not stand in it exactly once."""
        source = (HANDLER / f"{self.file}.py").read_text()
        for before, after in ((self.before, self.after), *self.more):
            if (count := source.count(before)) != 1:
                raise ValueError(f"handler/{self.file}.py has this {count} times: {before!r}")
            source = source.replace(before, after)
        return source

    def code(self) -> CodeType:
        """The changed file, compiled. Raises SyntaxError, and ValueError as `source` does."""
        return compile(self.source(), str(HANDLER / f"{self.file}.py"), "exec")

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The loaded code with that change."""
        module = importlib.import_module(f"handler.{self.file.replace('/', '.')}")
        code = self.code()
        fresh = _execute(module, code)
        with ExitStack() as stack:
            for name, value in _changed_constants(module, fresh).items():
                for user in _modules_with(name, getattr(module, name)):
                    stack.enter_context(patch.object(user, name, value))
            for function in _functions_of(module):
                for name, value in _changed_defaults(function, fresh).items():
                    stack.enter_context(patch.object(function, name, value))
                if (changed := _code_of(code, function.__code__.co_qualname)) is not None:
                    stack.callback(setattr, function, "__code__", function.__code__)
                    function.__code__ = changed
            yield


@dataclass(frozen=True)
class Rule:
    """What must hold, the change that breaks it, and the test (or tests) that must notice."""

    text: str
    mutation: Mutation
    test: str  # as pytest names it, below tests/

    @property
    def file(self) -> str:
        return f"tests/{self.test.partition('::')[0]}"


def _execute(module: ModuleType, code: CodeType) -> ModuleType:
    fresh = ModuleType(module.__name__)
    fresh.__file__ = module.__file__
    with patch.dict(sys.modules, {module.__name__: fresh}):  # its dataclasses look themselves up
        exec(code, fresh.__dict__)
    return fresh


def _changed_constants(module: ModuleType, fresh: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(fresh).items()
        if isinstance(value, CONSTANTS) and not name.startswith("__") and getattr(module, name, value) != value
    }


def _changed_defaults(function: FunctionType, fresh: ModuleType) -> dict[str, Any]:
    """The defaults of a function's parameters, with the constants that have changed."""
    try:
        changed = attrgetter(function.__code__.co_qualname)(fresh)
    except AttributeError:  # it is inside another function
        return {}
    old, new = function.__defaults__ or (), getattr(changed, "__defaults__", None) or ()
    keywords, new_keywords = function.__kwdefaults__ or {}, getattr(changed, "__kwdefaults__", None) or {}
    return {
        "__defaults__": tuple(map(_if_constant, new, old)) if len(new) == len(old) else old,
        "__kwdefaults__": {name: _if_constant(new_keywords.get(name), value) for name, value in keywords.items()},
    }


def _if_constant(new: object, old: object) -> object:
    return new if isinstance(new, CONSTANTS) else old


def _modules_with(name: str, value: object) -> list[ModuleType]:
    return [m for key, m in [*sys.modules.items()] if key.startswith("handler.") and getattr(m, name, None) is value]


def _functions_of(module: ModuleType) -> list[FunctionType]:
    is_frozen = gc.get_freeze_count() > 0
    gc.unfreeze()  # the collector does not list what is frozen
    found = [o for o in gc.get_objects() if type(o) is FunctionType and o.__code__.co_filename == module.__file__]
    if is_frozen:
        gc.freeze()
    return found


def _code_of(code: CodeType, qualified_name: str) -> CodeType | None:
    """The code of the function with that name; only of those that no function encloses."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and "<" not in inner.co_qualname:
            if inner.co_qualname == qualified_name:
                return inner
            if (found := _code_of(inner, qualified_name)) is not None:
                return found
    return None
