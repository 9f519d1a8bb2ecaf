"""Documents of which a program writes a part: the text between two comments."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

END: Final = "<!-- end -->"


def replace_between(document: str, begin: str, text: str) -> str:
    """The document with `text` between the comment `begin` and the next end. Raises ValueError if it does not have them."""
    before, _, rest = document.partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"no {begin} … {END} in the file")
    return f"{before}{begin}\n\n{text}\n\n{END}{after}"


def write_between(file: Path, begin: str, text: str) -> None:
    """The same in a file. Raises OSError or ValueError."""
    file.write_text(replace_between(file.read_text(), begin, text))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown: names at the left, figures at the right."""
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
