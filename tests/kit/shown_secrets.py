"""No made-up secret in anything that is logged, printed or said by an error, over the whole suite.

A plugin of pytest. What leaves the code under test while a test runs is looked at, whether the test looks at it or not:

    log lines as the runtime's own handler would write them: of the libraries that carry tokens down to DEBUG
    what was printed, our own log lines among it, and what processes that the test waits for have printed
    the technical text of each of our errors, and its text for people

A leak is an error of the test in which it was found. Tests of programs that show tokens on purpose are marked
``shows_made_up_secrets``.
"""

import functools
import logging
import subprocess
from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

from handler.errors import OnethreadError
from handler.runtime.telemetry import SERVICE
from tests.kit.secrets import MARK

# What the handlers use and what logs URLs and headers. (botocore does, too, but tests have clients of their own: that
# those of the handlers are silent is tried beside `handler.aws.clients`.)
CHATTY: Final = ("httpx", "httpcore", "aws_lambda_powertools", "asyncio")
AROUND: Final = 60  # characters shown on each side of what was found


class Watch(logging.Handler):
    """Looks at all that is said, and keeps what of it shows a made-up secret."""

    def __init__(self) -> None:
        super().__init__()
        self.leaks: list[str] = []

    def look(self, where: str, text: str) -> None:
        if (at := text.find(MARK)) >= 0:
            self.leaks.append(f"{where}: …{text[max(0, at - AROUND) : at + AROUND]}…")

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != SERVICE:  # ours are redacted as they are written, and looked at there
            self.look(f"logged by {record.name}", self.format(record))


watch: Final = Watch()
_patch: Final = pytest.MonkeyPatch()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shows_made_up_secrets: what is tried here prints tokens on purpose")
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(watch)
    _overhear(pytest.CaptureFixture, "readouterr", lambda _, printed: "".join(map(str, printed)))
    _overhear(subprocess.Popen, "communicate", lambda _, printed: "".join(map(_text, printed)))
    _overhear(OnethreadError, "__init__", lambda error, _: f"{error} {error.message}")


def pytest_unconfigure() -> None:
    _patch.undo()
    logging.getLogger().removeHandler(watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown":
        for name, text in report.sections:
            if "std" in name:  # "Captured stdout call" and the like, of all phases
                watch.look(name, text)
        leaks, watch.leaks = watch.leaks, []
        if leaks and not item.get_closest_marker("shows_made_up_secrets"):
            report.outcome = "failed"
            report.longrepr = "\n".join(["a secret was shown:", *leaks])
    return report


def _overhear(of: type, method: str, said: Callable[[Any, Any], str]) -> None:
    """From now on, look at what `said` makes of the object and the result of each call of the method."""
    original = getattr(of, method)

    @functools.wraps(original)
    def overheard(self: Any, *args: Any, **given: Any) -> Any:
        result = original(self, *args, **given)
        watch.look(f"{of.__name__}.{method}", said(self, result))
        return result

    _patch.setattr(of, method, overheard)


def _text(printed: str | bytes | None) -> str:
    return printed.decode(errors="replace") if isinstance(printed, bytes) else printed or ""
