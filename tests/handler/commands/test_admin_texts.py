"""The texts of ``/session-admin``: counts, limits, and the button."""

from datetime import timedelta

import pytest

from handler.commands import admin_texts
from handler.discord.responses import Message
from handler.runtime.utf16 import utf16_units
from handler.sessions.duplicates.group import Duplicates, Group, OtherThread
from handler.store.items import ChannelItem
from tests.kit.samples import MADE_AT, session, snowflake, thread

MAX_CONTENT = 2000  # Discord docs, "Message", content
MAX_DESCRIPTION = 4096  # Discord docs, "Embed Limits"
MAX_LABEL = 80  # Discord docs, "Components"


def group(others: int, *, name: str = "1a06a43", on_record: bool = True) -> Group:
    ids = [snowflake(MADE_AT + timedelta(seconds=n)) for n in range(others + 1)]
    return Group(
        session_key=name,
        session=session(session_name=name) if on_record else None,
        kept=thread(ids[0], message_count=12),
        on_record=on_record,
        others=tuple(OtherThread(thread(i, message_count=1, archived=True, locked=True), None) for i in ids[1:]),
    )


def listed(*groups: Group, channel: str = "10") -> Message:
    return admin_texts.duplicate_list(Duplicates(groups), channel)


def button(answer: Message) -> dict[str, str]:
    found: dict[str, str] = answer["components"][0]["components"][0]
    return found


def test_the_list_shows_the_kept_thread_the_reason_and_each_threads_state() -> None:
    content = listed(group(1))["content"]
    kept, other = snowflake(MADE_AT), snowflake(MADE_AT + timedelta(seconds=1))
    assert content.startswith("Found 1 duplicate thread for 1 session. Nothing has changed yet.\n")
    assert content.endswith(
        "\n**Close duplicates** posts a link to the kept thread in each, renames it (↪), archives and locks it. "
        "Nothing is deleted."
    )
    assert f"**1a06a43** keeps <#{kept}> · 12 messages · <t:1795431600:R> · active · on record" in content
    assert f"↪ <#{other}> · 1 message · <t:1795431601:R> · archived and locked" in content


def test_without_a_thread_on_record_the_fullest_is_kept() -> None:
    assert "active · has the most messages" in listed(group(1, on_record=False))["content"]


@pytest.mark.parametrize(
    "groups",
    [
        (group(39),),
        tuple(group(7, name=f"name {n}") for n in range(60)),
        tuple(group(3, name="*" * 92) for _ in range(9)),
        (group(5, name="_" * 92),),
    ],
)
def test_a_long_list_fits_into_one_message_and_counts_all_threads(groups: tuple[Group, ...]) -> None:
    found = Duplicates(groups, unread=12)
    answer = admin_texts.duplicate_list(found, "9" * 20)
    assert utf16_units(answer["content"]) <= MAX_CONTENT
    assert all(utf16_units(embed["description"]) <= MAX_DESCRIPTION for embed in answer["embeds"])
    assert f"Found {found.threads} duplicate threads for " in answer["content"]
    assert button(answer)["label"] == "Close duplicates"
    assert len(button(answer)["label"]) <= MAX_LABEL
    assert "I haven't checked 12 more threads yet" in answer["content"]


def test_hidden_entries_are_counted() -> None:
    content = listed(group(39))["content"]
    assert content.count("↪ <#") == 5
    assert "… and 34 more" in content
    answer = listed(*(group(5, name=f"n{n}") for n in range(60)))
    (more,) = answer["embeds"]
    many = answer["content"] + more["description"]
    assert 10 < many.count(" keeps ") < 60
    assert more["description"].endswith(f"… and {60 - many.count(' keeps ')} more sessions")


def test_the_buttons_custom_id_holds_the_channel() -> None:
    pressed = button(listed(group(1), channel="9" * 20))
    assert pressed["custom_id"] == "merge-duplicates:" + "9" * 20
    assert len(pressed["custom_id"]) <= 100


def test_without_duplicates_there_is_no_button() -> None:
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
