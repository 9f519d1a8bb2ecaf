"""Documents of which a program writes a part: the text between two comments."""

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final

from infra.command_line import fail, only_errors

END: Final = "<!-- end -->"


def replace_between(document: str, begin: str, text: str) -> str:
    """The document with `text` between the comment `begin` and the next end. Raises ValueError if it does not have them."""
    before, _, rest = document.partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"no {begin} … {END} in the file")
    return f"{before}{begin}\n\n{text}\n\n{END}{after}"


def publish(file: Path | None, begin: str, measure: Callable[[], str]) -> int:
    """Print what is measured; with a file, put it there, too. Returns the exit status."""
    try:
        if file is not None:  # measuring takes a while: see first whether it has a place
            replace_between(file.read_text(), begin, "")
        with only_errors(), redirect_stdout(StringIO()):  # metrics are lines, too
            text = measure()
        if file is not None:
            file.write_text(replace_between(file.read_text(), begin, text))
    except (OSError, ValueError, CalledProcessError) as fault:
        return fail(fault)
    print(text)
    return 0


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown: names at the left, figures at the right."""
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
