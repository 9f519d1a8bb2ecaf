"""The source message reads well above its collapsed thread, whatever people type; its nonce belongs to a generation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.sessions.threads.source_message import read_thread_name, source_message, source_nonce

MAX_NONCE_LENGTH = 25
MAX_THREAD_NAME_UNITS = 100
MAX_TOPIC_LENGTH = 300
MAX_CONTENT = 2000  # Discord docs, "Message", content


def test_it_says_what_it_is_who_opened_it_and_the_topic() -> None:
    message = source_message("Session 1a06a43", "100", "login fails")
    assert message["content"] == "🧵 **Session 1a06a43** · opened by <@100>\n> login fails"


def test_it_pings_nobody_and_unfolds_no_link() -> None:
    message = source_message("Session 1a06a43", "100", "see https://x.example")
    assert message["allowed_mentions"] == {"parse": []}
    assert message["flags"] == 4


def test_without_a_topic_it_is_one_line() -> None:
    assert source_message("Session 1a06a43", "100", None)["content"] == "🧵 **Session 1a06a43** · opened by <@100>"


def test_a_program_is_named_as_such() -> None:
    assert source_message("Session 1a06a43", None, None)["content"] == "🧵 **Session 1a06a43** · opened by a program"


@given(name=st.text(max_size=MAX_THREAD_NAME_UNITS), topic=st.text(min_size=1, max_size=MAX_TOPIC_LENGTH))
def test_it_fits_and_stays_two_lines_whatever_was_typed(name: str, topic: str) -> None:
    content = source_message(name, "100", topic)["content"]
    assert len(content.encode("utf-16-le")) // 2 <= MAX_CONTENT
    assert len(content.split("\n")) == 2
    assert content.split("\n")[1].startswith("> ")


SPOKEN = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=MAX_THREAD_NAME_UNITS)


@given(name=SPOKEN, label=SPOKEN)
def test_the_threads_name_can_be_read_back_whatever_it_is(name: str, label: str) -> None:
    for opened_by in ("100", None):
        assert read_thread_name(source_message(name, opened_by, "a topic", label)["content"]) == name


@pytest.mark.parametrize("content", ["", "hello", "🧵 Session 1a06a43", "x\n🧵 **Session 1a06a43** · opened by <@1>"])
def test_no_name_is_read_from_another_message(content: str) -> None:
    assert read_thread_name(content) is None


@given(st.text(), st.text(), st.integers(1, 99))
def test_a_nonce_is_the_same_for_every_opener_and_fits_discord(channel: str, key: str, generation: int) -> None:
    made = source_nonce(channel, key, generation)
    assert made == source_nonce(channel, key, generation)
    assert len(made) == MAX_NONCE_LENGTH == 25


def test_each_channel_key_and_generation_has_another_nonce() -> None:
    made = {
        source_nonce(channel, key, generation)
        for channel in ("1", "11")
        for key in ("x", "1x", "x1", "x\0001")
        for generation in (1, 11, 2)
    }
    assert len(made) == 2 * 4 * 3
