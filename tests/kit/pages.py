"""Code and data in the project's pages, for tests that run and read them."""

import re
from pathlib import Path


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
