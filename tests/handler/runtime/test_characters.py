"""What nobody sees, compared with the Unicode Character Database."""

import pytest
import regex  # type: ignore[import-untyped]  # its stubs are a package of their own
from hypothesis import given
from hypothesis import strategies as st

from handler.runtime.characters import clean, drop_invisible, shows_something

# The planes with characters that nobody sees. The ideographs between them have none.
EVERY_CHARACTER = "".join(map(chr, [*range(0x20000), *range(0xE0000, 0xE2000)]))
# Beyond the database: what is drawn as nothing, and control characters that are no white space.
DRAWN_AS_NOTHING = {"\U0001d159"}


def test_the_table_is_unicodes() -> None:
    invisible = set(EVERY_CHARACTER) - set(drop_invisible(EVERY_CHARACTER)) - {"\u2800"}
    database = set(regex.findall(r"[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]", EVERY_CHARACTER))
    assert invisible == {c for c in database if not c.isspace()} | DRAWN_AS_NOTHING


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2066c\u200fd\u061ce", "abcde"),
        ("a\tb\r\nc\u2028d\u3000 e", "a b c d e"),
        ("a\x00b\x1bc\x7fd\x85e", "abcd e"),
        ("a\u200bb\ufeffc\u00add\u3164e\u2800f", "abcde f"),
        ("❤\ufe0f 👩\u200d🚀 می\u200cخواهم", "❤\ufe0f 👩\u200d🚀 می\u200cخواهم"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!", None),  # the flag of England
        ("a\U000e0067\U000e0062b\U0001f3f4\U000e0067", "ab\U0001f3f4"),  # tags that make no flag
        ("\u06001a", None),  # an Arabic number sign is drawn
    ],
)
def test_a_text_is_shown_clean(text: str, shown: str | None) -> None:
    assert clean(text) == (text if shown is None else shown)


@given(st.text())
def test_cleaning_changes_nothing_that_people_see(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert drop_invisible(cleaned).split() == drop_invisible(text).split()
    assert shows_something(cleaned) == shows_something(text)
    assert not regex.search(r"\p{Bidi_Control}", cleaned)
