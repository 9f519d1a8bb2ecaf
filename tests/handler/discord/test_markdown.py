"""Escaped text, checked with a small parser of Discord's markdown."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from handler.discord.markdown import ELLIPSIS, bold, channel_mention, escape, shorten, timestamp
from handler.runtime.characters import clean
from tests.kit.markdown import read_bold, read_plain

ORDINARY = [
    *[
        "Login fails since Tuesday (again)",
        "1a06a43",
        "a_b",
        "a_b_c",
        "login-bug",
        "v1.2.3",
        "#7",
        "C++",
        "12:30",
        "a/b",
    ],
    *["~5 minutes", "a | b", "@everyone", "a > b", "2 - 1", "R&D", "x=y", "(a)", "100%", "¿qué?", "-1", "1.5", "a:b"],
]
HOSTILE = st.text(
    alphabet=st.sampled_from("`*_~|>#-+[]()<@!&:/\\.\n\r\t 1ab_x\u2028\u202e\u200b\U0001f600"), max_size=40
)


def plain(text: str) -> str:
    """The words of a text on one line."""
    return clean(re.sub("[\ud800-\udfff]", "\ufffd", text))


@given(HOSTILE | st.text())
@example("``` code ```")
@example("# heading")
@example("1. first")
@example("[click](https://example.test)")
@example("https://example.test/a_b_c")
@example("discord.gg/abc")
@example("<@123> <@&4> <#5> <t:6:R> </open:7> <:party:8>")
@example("@everyone @here")
@example("\\*not escaped by you\\*")
@example("lone \ud83d surrogate")
def test_escaped_text_shows_the_same_words_without_markdown(text: str) -> None:
    assert read_plain(escape(text)) == plain(text)


@given(HOSTILE | st.text())
def test_escaped_text_is_one_line_of_valid_utf8(text: str) -> None:
    escaped = escape(text)
    assert escaped.splitlines() in ([escaped], [])
    escaped.encode()


@given(HOSTILE, HOSTILE)
def test_two_escaped_texts_side_by_side_make_no_markdown(one: str, other: str) -> None:
    assert read_plain(f"{escape(one)} by {escape(other)}") == f"{plain(one)} by {plain(other)}"


def test_an_ordinary_name_is_hardly_changed() -> None:
    for name in ORDINARY:
        assert escape(name) == name


@pytest.mark.parametrize("mention", ["<@1>", "<@!1>", "<@&1>", "<#1>", "</open:1>", "<t:1>"])
def test_escaped_text_contains_no_mention(mention: str) -> None:
    escaped = escape(f"hello {mention}")
    assert not re.search(r"(?<!\\)<", escaped)
    assert mention not in escaped or mention[1] == "t"  # a time is no mention, and tells nobody


def test_a_mention_of_everyone_is_copied_as_it_was_typed() -> None:
    assert escape("@everyone @here") == "@everyone @here"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("see https://example.test/a_b_c?d=*e*#f", "see https://example.test/a_b_c?d=*e*#f"),
        ("(https://example.test/a_(b)_), *now*", r"(https://example.test/a_(b)_), \*now\*"),
        ("*a* <https://example.test/_a_> _b_", r"\*a\* <https://example.test/_a_> \_b\_"),
        ("https://example.test<b", r"https://example.test \<b"),
        ("https://example.test/\u200ba", "https://example.test/a"),
        ("[click](https://example.test)", r"\[click\](https://example.test)"),
        ("javascript://a ftp://b :smile:", r"javascript\://a ftp\://b \:smile:"),
    ],
)
def test_links_stay_links_where_they_may(text: str, escaped: str) -> None:
    assert escape(text, links=True) == escaped


@given(HOSTILE)
def test_text_around_a_link_makes_no_markdown(text: str) -> None:
    assume("://" not in text)
    around = escape(f"{text} https://example.test/a_b {text}", links=True).replace("https://example.test/a_b", "URL")
    assert read_plain(around) == plain(f"{text} URL {text}")


@given(HOSTILE | st.text())
def test_escaped_text_is_at_most_twice_as_long(text: str) -> None:
    assert len(escape(text)) <= 2 * len(text)


@given(st.text(), st.integers(1, 120))
def test_shortened_text_fits_the_limit_and_ends_with_an_ellipsis(text: str, units: int) -> None:
    short = shorten(text, units)
    assert len(short.encode("utf-16-le", "surrogatepass")) // 2 <= units
    if short != text:
        assert short.endswith(ELLIPSIS)
        assert text.startswith(short.removesuffix(ELLIPSIS))


@given(HOSTILE)
def test_bold_text_is_bold_as_a_whole_and_plain_inside(text: str) -> None:
    assume(plain(text))
    assert read_bold(f"Started a thread for {bold(text)}: <#1>") == plain(text)


def test_text_shortened_to_no_units_is_empty() -> None:
    assert shorten("text", 0) == ""
    assert shorten("", 0) == ""


def test_a_character_of_two_units_is_not_cut_in_half() -> None:
    assert shorten("ab\U0001f600cd", 4) == "ab…"
    assert shorten("ab\U0001f600cd", 5) == "ab\U0001f600…"


def test_no_space_is_left_before_the_ellipsis() -> None:
    assert shorten("some words", 6) == "some…"


def test_mentions_and_timestamps_have_discords_format() -> None:
    moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert channel_mention("42") == "<#42>"
    assert timestamp(moment) == f"<t:{int(moment.timestamp())}:R>"
    assert timestamp(moment, "f").endswith(":f>")
