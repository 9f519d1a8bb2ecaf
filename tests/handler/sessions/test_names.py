"""Session names: one key for all spellings, and a thread's name that leads back to it."""

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from handler.errors import InvalidName
from handler.runtime.characters import clean, shows_something
from handler.runtime.utf16 import utf16_units
from handler.sessions.names import Names, SessionName

MAX_SORT_KEY_BYTES = 1024
MAX_THREAD_NAME_UNITS = 100
NAMES = Names("Session ")
PREFIXES = [
    "Session ",
    "S:",
    "#",
    "🧵 ",
    "🧵",
    "Ｓession ",
    "My  Own ",
    " Session ",
    "Se",
    "straße ",
    "ﬁ",
    "İ ",
    "´",
    "e\u0301 ",
    "Ticket",
    "Session:",
    "-",
    "会议",
    "🗒\ufe0f",
]

# What NFKC and case-folding change most: expansions, white space of all kinds, marks, invisible characters.
ODD = "ﷺﬁﬃßẞİıſǅΣςµ´¨½㎏①Å한\u0301\u0323\u0345\u1100\u1161\u200b\u200d\ufe0f\u00ad\u3000\u00a0\u2003\u2028\t\n\x00"
HOSTILE = st.text(alphabet=st.sampled_from(ODD + " aAsSeEiI:#-xX🧵"), max_size=20)
ANY = HOSTILE | st.text(max_size=60)
LARGE = 1_000_000  # characters: far more than Discord lets through, as the API Gateway does
QUICK_SECONDS = 5.0  # of a processor, for a large input; a quadratic step would take hours


def parsed(names: Names, text: str) -> SessionName:
    """The name of a text that has one; hypothesis discards other texts."""
    try:
        return names.parse(text)
    except InvalidName:
        assume(False)
        raise


@pytest.mark.parametrize(
    ("text", "key", "spelling"),
    [
        ("1a06a43", "1a06a43", "1a06a43"),
        ("1A06A43", "1a06a43", "1A06A43"),
        (" Session 1a06a43 ", "1a06a43", "1a06a43"),
        ("session\t \n1a06a43", "1a06a43", "1a06a43"),
        ("Ｓｅｓｓｉｏｎ\u3000１Ａ０６Ａ４３", "1a06a43", "１Ａ０６Ａ４３"),
        ("ſeßion 1a06a43", "1a06a43", "1a06a43"),
        ("sessions", "sessions", "sessions"),
        ("session1", "session1", "session1"),
        ("Session Session 1", "1", "1"),
        ("session SESSION\u200b  Session 1", "1", "1"),
        ("a session 1", "a session 1", "a session 1"),
        ("login   bug", "login bug", "login bug"),
        ("Straße", "strasse", "Straße"),
        ("STRAẞE", "strasse", "STRAẞE"),
        ("ﬁx", "fix", "ﬁx"),
        ("İx", "i\u0307x", "İx"),
        ("´x", "\u0301x", "´x"),
        ("Session´x", "\u0301x", "´x"),
        ("\u0301x", "\u0301x", "\u0301x"),
        ("e\u0301", "é", "e\u0301"),
        ("ß\u0301", "sś", "ß\u0301"),  # folding the case makes something that composes: one pass is not enough
        ("ﷺ", "صلى الله عليه وسلم", "ﷺ"),
        ("㎏½", "kg1⁄2", "㎏½"),
        ("❤\ufe0f fix", "❤ fix", "❤\ufe0f fix"),
        ("👨\u200d👩\u200d👧", "👨👩👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "میخواهم", "می\u200cخواهم"),
        ("\u202e1a06a43\u202c", "1a06a43", "1a06a43"),
        ("1a\u2800\u2800b", "1a b", "1a b"),
    ],
)
def test_a_text_names_the_session_of_its_key_and_keeps_its_spelling(text: str, key: str, spelling: str) -> None:
    assert NAMES.parse(text) == SessionName(key, spelling)


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "Session", "session ", " SESSION\n", "Session Session", "Session session  SESSION"],
        *["\u200b", "Session \u200b", "\x00", "\u3000", "\u3164", "Session \u3164", "\uffa0", "\u115f\u1160", "\u2800"],
        *["\u0301", "\u0301 \u0323", "\u20e3", "\ufe0f", "\u200d", "\u00ad", "\ufeff", "\u202e\u202c", "\U0001d159"],
        *["\U000e0041\U000e0042", "\U000e0100", "\u034f", "\u2060\u2063", "\ue000", "\u180e", "\u17b4"],
    ],
)
def test_a_text_with_nothing_to_see_beside_the_prefix_is_an_empty_name(text: str) -> None:
    with pytest.raises(InvalidName) as raised:
        NAMES.parse(text)
    assert "needs a name that people can see" in raised.value.message


@pytest.mark.parametrize("text", ["1", "?", "€", "한", "क", "🧵", "\U0001fae9", "\u0301x", "­a"])
def test_one_sign_is_enough_of_a_name(text: str) -> None:
    assert NAMES.parse(text).spelling == text.replace("\u00ad", "")


@pytest.mark.parametrize("where", ["{}1a06a43", "1a0{}6a43", "1a06a43{}", "Sess{}ion 1a06a43", "Session{} 1a06a43"])
@pytest.mark.parametrize(
    "invisible", ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u202e", "\ufe0f", "\U000e0041", "\u061c"]
)
def test_what_nobody_sees_is_no_part_of_a_key(where: str, invisible: str) -> None:
    name = NAMES.parse(where.format(invisible))
    assert name.key == "1a06a43"
    assert NAMES.bears(where.format(invisible), "1a06a43") == ("{} " in where or "Sess" in where)


def test_a_threads_name_gets_no_character_that_turns_text_around_or_shows_nothing() -> None:
    spelled = NAMES.parse("\u202eevil\u202c\u2066\u200f\x00\x1b \u200bname\ufeff\u3164").spelling
    assert spelled == "evil name"


@given(ANY)
@settings(deadline=None)
def test_a_spelling_is_clean_and_spelled_again_the_same(text: str) -> None:
    name = parsed(NAMES, text)
    assert clean(name.spelling) == name.spelling
    assert NAMES.parse(name.spelling) == name


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("written", ["{}", " {}", "{}\t", "{}\u200b"])
def test_the_prefix_alone_is_an_empty_name(prefix: str, written: str) -> None:
    with pytest.raises(InvalidName, match="empty"):
        Names(prefix).parse(written.format(prefix))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_prefix_is_cut_until_it_is_gone(prefix: str) -> None:
    names = Names(prefix)
    for times in range(1, 4):
        assert names.parse(names.prefix * times + "9") == SessionName("9", "9")
        with pytest.raises(InvalidName, match="empty"):
            names.parse(names.prefix * times)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_with_each_prefix_spellings_with_and_without_it_are_one_session(prefix: str) -> None:
    names = Names(prefix)
    spellings = ["9x", "9X", names.prefix + "9x", names.prefix.upper() + "9X", f" {prefix} 9x "]
    assert {names.parse(text).key for text in spellings} == {"9x"}
    assert names.session_key_of(names.thread_name("9X")) == "9x"


@pytest.mark.parametrize(
    ("prefix", "thread_name"),
    [
        ("Ticket", "Ticket 7"),
        ("Ticket ", "Ticket 7"),
        ("#", "#7"),
        ("Session:", "Session:7"),
        ("Session: ", "Session: 7"),
        ("🧵", "🧵7"),
        ("🧵 ", "🧵 7"),
        ("Run2", "Run2 7"),
        ("é", "é 7"),
        (" Ticket", "Ticket 7"),
    ],
)
def test_a_prefix_that_ends_in_a_letter_or_digit_gets_a_space(prefix: str, thread_name: str) -> None:
    names = Names(prefix)
    assert names.thread_name("7") == thread_name
    assert names.session_key_of(thread_name) == names.parse(thread_name).key == "7"


def test_a_word_that_begins_with_the_prefix_is_a_name_of_its_own() -> None:
    names = Names("Ticket")
    assert names.parse("ticketing") == SessionName("ticketing", "ticketing")
    assert names.session_key_of("ticketing") is None
    assert not names.bears("ticketing", "ing")
    assert names.session_key_of("Ticket ticketing") == "ticketing"


@given(st.sampled_from(PREFIXES) | st.text(min_size=1, max_size=8).filter(shows_something), ANY)
@example("ﬁ", "fix")
@example("=", "\u0338x")
@example("Session ", "ﷺ" * 30)
@example("S:", "s: \u00b4")
@settings(deadline=None)
def test_the_name_of_its_thread_leads_back_to_the_session(prefix: str, text: str) -> None:
    names = Names(prefix)
    name = parsed(names, text)
    thread_name = names.thread_name(name.spelling)
    assert names.key(thread_name) == name.key == names.parse(name.spelling).key == names.key(name.key)
    assert names.bears(thread_name, name.key)
    assert names.session_key_of(thread_name) == name.key


@given(st.sampled_from(PREFIXES), ANY)
@settings(deadline=None)
def test_an_accepted_name_fits_discord_and_dynamodb(prefix: str, text: str) -> None:
    names = Names(prefix)
    name = parsed(names, text)
    assert utf16_units(names.thread_name(name.spelling)) <= MAX_THREAD_NAME_UNITS
    assert len(f"NAMESAKE#{name.key}#{2**64 - 1}".encode()) <= MAX_SORT_KEY_BYTES
    assert len(f"SESSION#{name.key}".encode()) <= MAX_SORT_KEY_BYTES


@given(ANY)
@example("ß\u0301")
@settings(deadline=None)
def test_folding_a_key_again_does_not_change_it(text: str) -> None:
    key = parsed(NAMES, text).key
    assert unicodedata.normalize("NFKC", key) == key == key.casefold() == " ".join(key.split())
    assert NAMES.key(NAMES.thread_name(key)) == key


@given(ANY, st.sampled_from([str.upper, str.lower, str.swapcase, str.casefold, lambda t: f" {t}\t"]))
@example("ß", str.upper)
@example("ŉ", str.upper)
@example("\u0345\u0301", str.upper)
@settings(deadline=None)
def test_case_and_white_space_around_do_not_matter(text: str, respell: Callable[[str], str]) -> None:
    typed = unicodedata.normalize("NFC", text)  # upper() tears apart a letter and its loose marks, U+0345 above all
    respelled = respell(typed)
    assume(respelled.casefold().split() == typed.casefold().split())  # upper() makes another letter of a dotless i
    assert NAMES.key(respelled) == NAMES.key(text)


@given(
    st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=12),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
)
@settings(deadline=None)
def test_the_unicode_normal_form_that_a_keyboard_types_does_not_matter(text: str, form: str) -> None:
    assert NAMES.key(text) == NAMES.key(unicodedata.normalize(form, text))  # type: ignore[arg-type]  # one of the four


@given(st.builds("{}{}".format, st.sampled_from(["Session ", "seſſion\u3000", "Seßion ", "Session", "x "]), ANY))
@settings(deadline=None)
def test_a_thread_is_named_like_a_session_only_if_it_bears_the_prefix(text: str) -> None:
    key = NAMES.session_key_of(text)
    assume(key is not None)
    assert key is not None
    assert NAMES.bears(text, key)
    assert NAMES.parse(text).key == key
    assert unicodedata.normalize("NFKC", text).strip().casefold().startswith("session")


@pytest.mark.parametrize(
    "name", ["", "Session", "Session ", "Sessions 1", "1a06a43", "a Session 1", "Session \u200b", "Session Session"]
)
def test_other_threads_are_not_named_like_sessions(name: str) -> None:
    assert NAMES.session_key_of(name) is None
    assert not NAMES.bears(name, "1a06a43")


def test_a_thread_bears_the_name_of_its_own_session_only() -> None:
    assert NAMES.bears("SESSION  1A06A43", "1a06a43")
    assert not NAMES.bears("Session 1a06a43: login bug", "1a06a43")
    assert not NAMES.bears("1a06a43", "1a06a43")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 92, True),
        ("x" * 93, False),
        ("Session " + "x" * 92, True),
        ("🧵" * 46, True),
        ("🧵" * 46 + "x", False),
        ("x" * 500, False),
    ],
)
def test_a_name_with_its_prefix_has_at_most_100_utf16_units(text: str, fits: bool) -> None:
    if fits:
        assert utf16_units(NAMES.thread_name(NAMES.parse(text).spelling)) == MAX_THREAD_NAME_UNITS
        return
    with pytest.raises(InvalidName) as raised:
        NAMES.parse(text)
    assert "too long" in raised.value.message


def test_the_error_for_a_long_name_says_how_long_it_may_be() -> None:
    with pytest.raises(InvalidName, match="101 UTF-16 units") as raised:
        NAMES.parse("x" * 93)
    assert "at most 92 characters" in raised.value.message


def test_a_name_whose_key_is_too_long_for_a_sort_key_is_refused() -> None:
    assert len(NAMES.parse("ﷺ" * 30).key.encode()) == 30 * 33
    with pytest.raises(InvalidName, match="sort key"):
        NAMES.parse("ﷺ" * 31)


def test_a_name_that_composes_with_the_prefix_is_refused() -> None:
    with pytest.raises(InvalidName, match="not stable"):
        Names("=").parse("\u0338x")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidName, match="lone surrogate"):
        NAMES.parse("a\ud83e")


@pytest.mark.parametrize(
    "text",
    ["x" * LARGE, "\u0315\u0300" * (LARGE // 2), "ﷺ" * LARGE, " " * LARGE, "Session " * (LARGE // 8), "\ud800" * LARGE],
    ids=["letters", "marks out of order", "expanding", "spaces", "prefixes", "halves"],
)
def test_a_huge_text_is_refused_quickly(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidName):
        NAMES.parse(text)
    assert time.process_time() - begun < QUICK_SECONDS


@pytest.mark.parametrize("letter", ["x", "\u0315", "ﷺ", "ß"])
def test_a_text_just_short_enough_to_be_parsed_is_refused_quickly(letter: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidName):
        NAMES.parse("Session " + letter * 380)
    assert time.process_time() - begun < QUICK_SECONDS


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("é", 1), ("🧵", 2), ("\ud83e", 1)])
def test_length_is_counted_as_discord_counts(text: str, units: int) -> None:
    assert utf16_units(text) == units


@pytest.mark.parametrize(
    ("name", "letters", "reduced"),
    [
        ("a/b", "sessionab", "ab"),
        ("A - B", "sessionab", "a - b"),
        ("x : y", "sessionxy", "x y"),
        ("///", "session", ""),
    ],
)
def test_what_discord_may_leave_of_a_name(name: str, letters: str, reduced: str) -> None:
    assert NAMES.letters(f"Session {name}") == letters
    assert NAMES.reduced(NAMES.parse(name).key) == reduced
