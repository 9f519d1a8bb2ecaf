"""Items: how they are read, and their keys."""

from typing import Any

import msgspec
import pytest

from handler.store.items import (
    GENERATION_ATTRIBUTES,
    ChannelItem,
    Pointer,
    Session,
    Status,
    channel_item_key,
    guild_item_key,
    namesake_item_key,
    pointer_item_key,
    session_attributes,
    session_from_item,
    session_item_key,
)

ITEM: dict[str, Any] = {
    "pk": "CHANNEL#500",
    "sk": "SESSION#1a06a43",
    "parent_channel_id": "500",
    "session_key": "1a06a43",
    "session_name": "1A06A43",
    "status": "open",
    "generation": 2,
    "guild_id": "900",
    "discord_thread_id": "700",
    "archived": True,
    "watch_guild_id": "900",
    "an attribute of a later version": {"any": ["thing"]},
}


def read(**given_: Any) -> Session:
    item = {name: value for name, value in {**ITEM, **given_}.items() if value is not None}
    return session_from_item(item)


def test_absent_attributes_are_read_as_none_or_false() -> None:
    session = read()
    assert session.status is Status.OPEN
    assert (session.thread.archived, session.thread.locked) == (True, False)
    assert (session.topic, session.source_message_id) == (None, None)


@pytest.mark.parametrize("status", ["", "archived", "Open"])
def test_an_unknown_status_on_record_raises(status: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="status"):
        read(status=status)


@pytest.mark.parametrize("name", ["session_key", "generation", "status", "guild_id", "session_name"])
def test_an_item_without_a_required_attribute_raises(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        read(**{name: None})


@pytest.mark.parametrize(
    ("thread", "source", "thread_id"),
    [(None, None, None), (None, "600", "600"), ("700", None, "700"), ("700", "600", "700")],
)
def test_the_thread_of_a_session_is_the_one_on_record_else_the_one_of_its_source_message(
    thread: str | None, source: str | None, thread_id: str | None
) -> None:
    session = read(discord_thread_id=thread, source_message_id=source)
    assert session.thread_id == thread_id
    assert [session.has(one) for one in ("700", "600", "500")] == [thread == "700", source == "600", False]


@pytest.mark.parametrize(
    ("pointer", "names"),
    [
        (Pointer(thread_id="700", parent_channel_id="500", session_key="1a06a43"), True),
        (Pointer(thread_id="700", parent_channel_id="501", session_key="1a06a43"), False),
        (Pointer(thread_id="700", parent_channel_id="500", session_key="b"), False),
        (Pointer(thread_id="700", merged_into="701"), False),
    ],
)
def test_a_pointer_names_the_session_of_its_channel_and_key(pointer: Pointer, names: bool) -> None:
    assert pointer.names("500", "1a06a43") is names


def test_a_channel_shows_the_progress_of_its_import() -> None:
    channel = ChannelItem(
        channel_id="500", guild_id="900", kind=0, import_pages=3, import_threads=250, import_sessions=40
    )
    assert channel.progress == {"pages": 3, "threads": 250, "sessions": 40}


def test_each_item_has_its_key() -> None:
    assert session_item_key("500", "a#b") == {"pk": "CHANNEL#500", "sk": "SESSION#a#b"}
    assert namesake_item_key("500", "a#b", "700") == {"pk": "CHANNEL#500", "sk": "NAMESAKE#a#b#700"}
    assert pointer_item_key("700") == {"pk": "THREAD#700", "sk": "THREAD"}
    assert channel_item_key("500") == {"pk": "CHANNEL#500", "sk": "CHANNEL"}
    assert guild_item_key("900") == {"pk": "GUILD#900", "sk": "GUILD"}


def test_the_states_of_a_session_are_these_four() -> None:
    assert [status.value for status in Status] == ["vacant", "creating", "open", "closed"]


def test_a_session_has_the_attributes_of_its_item() -> None:
    known = {
        **ITEM,
        "lease_owner": "1",
        "settled_messages": 4,
        "thread_name": "a",
        "deleting_at": "x",
        "opened_at": "y",
    }
    present = {name: value for name, value in session_attributes(session_from_item(known)).items() if value is not None}
    unknown = {"pk", "sk", "watch_guild_id", "an attribute of a later version"}
    assert present == {name: value for name, value in known.items() if name not in unknown} | {
        "locked": False,
        "keep": False,
    }


def test_these_attributes_end_with_a_generation() -> None:
    assert " ".join(GENERATION_ATTRIBUTES) == (
        "discord_thread_id source_message_id topic topic_to_show label lease_owner lease_expires_at adopted_by settled_in settled_messages"
        " thread_name archived locked locked_by archived_at seen_active_at created_at created_by last_activity_at"
        " watch_guild_id due_in due_at missing_since unreachable_since ask_again_at opened_at"
        " delete_marked_at delete_marked_message delete_locking_at deleting_at"
    )
