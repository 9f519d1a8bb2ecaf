"""The texts of ``/session-admin``: counts, pages, and what can be chosen."""

from datetime import timedelta
from typing import Any

import pytest

from handler.commands import admin_texts
from handler.discord.responses import Message
from handler.sessions.duplicates.group import Duplicates, Group, OtherThread
from handler.store.items import ChannelItem, Pointer
from infra.interactions import BUTTON, SELECT, TEXT, parts_of
from tests.kit.samples import MADE_AT, session, snowflake, thread

KEPT, OTHER, LAST = (snowflake(MADE_AT + timedelta(seconds=n)) for n in range(3))


def group(others: int, *, name: str = "1a06a43", on_record: bool = True, merging: int | None = None) -> Group:
    ids = [snowflake(MADE_AT + timedelta(seconds=n)) for n in range(others + 1)]
    pointers = [Pointer(thread_id=i, merged_into=KEPT) if n == merging else None for n, i in enumerate(ids)]
    return Group(
        session_key=name,
        session=session(session_name=name) if on_record else None,
        kept=thread(ids[0], message_count=12),
        on_record=on_record,
        others=tuple(
            OtherThread(thread(i, message_count=1, archived=True, locked=True), pointer)
            for i, pointer in list(zip(ids, pointers, strict=True))[1:]
        ),
    )


def listed(*groups: Group, page: int = 0, note: str = "", unread: int = 0) -> Message:
    return admin_texts.duplicate_list(Duplicates(groups, unread=unread), "10", page=page, note=note)


def of_type(answer: Message, kind: int) -> list[dict[str, Any]]:
    return [part for part in parts_of(answer) if part["type"] == kind]


def content(answer: Message) -> str:
    return "\n".join(part["content"] for part in of_type(answer, TEXT))


def test_the_list_shows_the_kept_thread_the_reason_and_each_threads_state() -> None:
    text = content(listed(group(1)))
    assert text.startswith("Found 1 duplicate thread for 1 session.\n**1a06a43** · keeps 1 (on record)\n")
    assert text.endswith("renames it (↪), archives and locks it. Nothing is deleted.")
    assert f"`1` <#{KEPT}> · 12 messages · <t:1795431600:R> · active\n" in text
    assert f"`2` <#{OTHER}> · 1 message · <t:1795431601:R> · archived and locked\n" in text


def test_without_a_thread_on_record_the_fullest_is_kept() -> None:
    assert "keeps 1 (most messages)" in content(listed(group(1, on_record=False)))


def test_each_name_has_a_select_with_the_kept_thread_chosen_beforehand() -> None:
    first, second = of_type(listed(group(1), group(2, name="b")), SELECT)
    assert [option["value"] for option in first["options"]] == [KEPT, OTHER]
    assert [option.get("default") for option in first["options"]] == [True, None]
    assert first["options"][1]["label"] == "Keep 2: 1 message, 2026-11-23, archived and locked"
    assert len(second["options"]) == 3
    assert (first["custom_id"], second["custom_id"]) == ("keep-thread:10:0:0", "keep-thread:10:0:1")


def test_a_thread_whose_merge_was_begun_cannot_be_chosen() -> None:
    answer = listed(group(2, merging=1))
    assert [option["value"] for option in of_type(answer, SELECT)[0]["options"]] == [KEPT, LAST]
    assert f"`2` <#{OTHER}> · 1 message · <t:1795431601:R> · archived and locked · is being closed" in content(answer)
    assert of_type(listed(group(1, merging=1)), SELECT) == []


def test_of_many_threads_six_are_shown_and_the_others_counted() -> None:
    answer = listed(group(39), unread=12)
    assert content(answer).count("> · 1 message") == 5
    assert "… and 34 more" in content(answer)
    assert len(of_type(answer, SELECT)[0]["options"]) == 6
    assert "I haven't checked 12 more threads yet; the button does." in content(answer)


@pytest.mark.parametrize(
    ("page", "names", "labels"),
    [
        (0, "abcd", ["Close duplicates", "More ▶"]),
        (1, "efgh", ["Close duplicates", "◀ Back", "More ▶"]),
        (2, "i", ["Close duplicates", "◀ Back"]),
        (9, "i", ["Close duplicates", "◀ Back"]),
    ],
)
def test_a_page_has_four_names_and_buttons_to_the_others(page: int, names: str, labels: list[str]) -> None:
    answer = listed(*(group(1, name=name) for name in "abcdefghi"), page=page)
    assert [name for name in "abcdefghi" if f"**{name}** · keeps" in content(answer)] == list(names)
    assert content(answer).startswith(f"Found 9 duplicate threads for 9 sessions. Page {min(page, 2) + 1} of 3.")
    assert [button["label"] for button in of_type(answer, BUTTON)] == labels
    ids = {button["label"]: button["custom_id"] for button in of_type(answer, BUTTON)}
    assert ids["Close duplicates"] == "merge-duplicates:10"
    assert ids.get("More ▶", "duplicates:10:1") == f"duplicates:10:{page + 1 if page < 2 else 1}"


def test_a_note_comes_first() -> None:
    assert content(listed(group(1), note="Done.")).startswith("Done.\nFound 1")
    assert listed(note="Done.")["content"].startswith("Done.\nNo duplicates")


def test_without_duplicates_there_is_nothing_to_press() -> None:
    assert listed()["components"] == []


def test_the_result_of_a_merge_counts_merged_and_remaining_threads() -> None:
    assert admin_texts.merge_result(39, 0)["content"] == (
        "Closed 39 duplicate threads. Each links the thread that was kept."
    )
    assert "Closed 1 duplicate thread. It links" in admin_texts.merge_result(1, 2)["content"]
    assert "I couldn't close 2 more threads now" in admin_texts.merge_result(1, 2)["content"]
    assert "No duplicates are left" in admin_texts.merge_result(0, 0)["content"]


def test_the_result_of_an_import_counts_threads_and_sessions() -> None:
    record = ChannelItem(channel_id="10", guild_id="1", kind=0, import_threads=1, import_sessions=0)
    assert "1 thread, 0 sessions." in admin_texts.import_result(record)["content"]
