"""A real browser in front of a real local stack: `make test-browser`."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import Stack
from infra.page.server import PageServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Without these Chromium asks Google's hosts for this and that at every start; as root it has no sandbox.
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


@pytest.fixture(scope="session")
def server(stack: Stack) -> Iterator[PageServer]:
    served = PageServer(stack)
    yield served
    served.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-browser")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def is_fault(message: Any) -> bool:
    """Whether a message of the console is one: besides a refusal that the page shows, and a place that is gone meanwhile."""
    gone = "404 (Not Found)" in message.text and "/api/view?" in message.location["url"]
    return message.type in ("error", "warning") and "403 (Forbidden)" not in message.text and not gone


@pytest.fixture
def page(chromium: Any, server: PageServer) -> Iterator[Any]:
    """The page, opened. The test fails if the browser's console shows an error."""
    errors: list[str] = []
    shown = chromium.new_page(viewport=WIDE)
    shown.on("console", lambda message: errors.append(message.text) if is_fault(message) else None)
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.goto(server.url)
    shown.get_by_role("combobox", name="Message", exact=True).wait_for()
    yield shown
    shown.close()
    assert errors == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where pictures of the scenes go; None: nowhere."""
    folder = os.environ.get("ONETHREAD_PICTURES")
    return Path(folder) if folder else None
