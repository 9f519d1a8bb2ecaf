"""Escaped text, checked with a small parser of Discord's markdown."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler.discord.markdown import ELLIPSIS, channel_mention, escape, shorten, timestamp

# What Discord's clients and mention parser interpret, by pattern; those with `^` count at the start of a line.
CONSTRUCTS = {
    "code": r"`",
    "emphasis": r"[*_]",
    "strike": r"~",
    "spoiler": r"\|",
    "quote": r"^>",
    "heading": r"^#{1,3}",
    "subtext": r"^-#",
    "bullet": r"^[*+-]",
    "number": r"^\d+\.",
    "link": r"\[|\]\(",
    "angle": r"<",
    "url": r"[a-z]+://",
    "invitation": r"discord\.gg/",
    "emoji": r":\w+:",
    "everyone": r"@(everyone|here)",
    "break": r"[\n\r]",
}
ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
HOSTILE = st.text(alphabet=st.sampled_from("`*_~|>#-+[]()<@!&:/\\.\n\r\t 1ab\u2028\u202e\u200b\U0001f600"), max_size=40)


def shown(source: str) -> str:
    """The text that users see. Fails if Discord would see anything but plain characters."""
    text, at = "", 0
    while at < len(source):
        if escaped := ESCAPED.match(source, at):
            text, at = text + escaped[1], escaped.end()
            continue
        for name, construct in CONSTRUCTS.items():
            assert not re.compile(construct).match(source, at), f"{name} at {source[at:]!r} in {source!r}"
        text, at = text + source[at], at + 1
    return text


def folded(text: str) -> str:
    directions = re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)
    no_surrogates = re.sub("[\ud800-\udfff]", "\ufffd", directions)
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+", " ", no_surrogates).strip()


def words(text: str) -> str:
    """Without the invisible character that disarms an @."""
    return text.replace("\u200b", "")


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
    assert words(shown(escape(text))) == words(folded(text))


@given(HOSTILE | st.text())
def test_escaped_text_is_one_line_of_valid_utf8(text: str) -> None:
    escaped = escape(text)
    assert escaped.splitlines() in ([escaped], [])
    escaped.encode()


@given(HOSTILE, HOSTILE)
def test_two_escaped_texts_side_by_side_make_no_markdown(one: str, other: str) -> None:
    assert shown(f"**{escape(one)}** by {escape(other)}".replace("**", "")) == shown(
        f"{escape(one)} by {escape(other)}"
    )


def test_an_ordinary_name_is_hardly_changed() -> None:
    assert escape("Login fails since Tuesday (again)") == "Login fails since Tuesday \\(again\\)"
    assert escape("1a06a43") == "1a06a43"


@pytest.mark.parametrize("mention", ["@everyone", "@here", "<@1>", "<@!1>", "<@&1>"])
def test_escaped_text_contains_no_mention_even_with_escapes_ignored(mention: str) -> None:
    assert mention not in escape(f"hello {mention}")


@given(st.text(), st.integers(1, 120))
def test_shortened_text_fits_the_limit_and_ends_with_an_ellipsis(text: str, units: int) -> None:
    short = shorten(text, units)
    assert len(short.encode("utf-16-le", "surrogatepass")) // 2 <= units
    if short != text:
        assert short.endswith(ELLIPSIS)
        assert text.startswith(short.removesuffix(ELLIPSIS))


@given(HOSTILE, st.integers(1, 40))
def test_shortened_escaped_text_makes_no_markdown(text: str, units: int) -> None:
    kept = shown(shorten(escape(text), units)).removesuffix(ELLIPSIS)
    assert words(folded(text)).startswith(words(kept.removesuffix("@")))


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
