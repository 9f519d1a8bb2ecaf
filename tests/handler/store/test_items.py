"""Items: how they are read, and their keys."""

from typing import Any

import pytest

from handler.errors import UnreadableItem
from handler.store.guilds import GuildItem
from handler.store.items import (
    GENERATION_ATTRIBUTES,
    ChannelItem,
    Namesake,
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


REQUIRED = ["session_key", "generation", "status", "guild_id", "session_name", "discord_thread_id"]


@pytest.mark.parametrize(
    "changes",
    [
        *({"status": status} for status in ("", "archived", "Open", 3)),
        *({name: None} for name in REQUIRED),
        {"generation": "2"},
        {"generation": 0},
        {"generation": True},
        {"archived": "yes"},
        {"locked": 1},
        {"topic": 5},
        {"discord_thread_id": 700},
        {"discord_thread_id": "the thread"},
        {"source_message_id": ""},
        {"guild_id": "a guild"},
        {"session_key": "another"},
        {"parent_channel_id": "501"},
        {"archived_at": "yesterday"},
        {"missing_since": "2026-13-01T00:00:00.000Z"},
        {"lease_expires_at": 1_780_000_000},
        {"deleting_at": True},
    ],
    ids=str,
)
def test_a_session_of_an_unknown_shape_raises(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableItem, match="CHANNEL#500 SESSION#1a06a43"):
        read(**changes)


def test_the_error_for_an_unreadable_item_tells_no_values() -> None:
    with pytest.raises(UnreadableItem) as raised:
        read(status="a secret")
    assert "a secret" not in str(raised.value)
    assert raised.value.public()["kind"] == "store_unreadable"
    assert not raised.value.retryable


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        (Pointer, {"pk": "THREAD#700", "sk": "THREAD"}),
        (Pointer, {"pk": "THREAD#700", "sk": "THREAD", "parent_channel_id": "500"}),
        (Pointer, {"pk": "THREAD#700", "sk": "THREAD", "parent_channel_id": 500, "session_key": "a"}),
        (Pointer, {"pk": "THREAD#700", "sk": "THREAD", "merged_into": "701", "merged_at": "then"}),
        (Pointer, {"pk": "THREAD#x", "sk": "THREAD", "merged_into": "701"}),
        (Namesake, {"pk": "CHANNEL#500", "sk": "NAMESAKE#a#x"}),
        (Namesake, {"pk": "CHANNEL#500", "sk": "NAMESAKE#a"}),
        (Namesake, {"pk": "CHANNEL#500", "sk": "NAMESAKE#a#700", "gone_at": 5}),
        (ChannelItem, {"pk": "CHANNEL#500", "sk": "CHANNEL", "guild_id": "900"}),
        (ChannelItem, {"pk": "CHANNEL#500", "sk": "CHANNEL", "guild_id": "900", "kind": "text"}),
        (ChannelItem, {"pk": "CHANNEL#500", "sk": "CHANNEL", "guild_id": "900", "kind": 0, "imported_at": "once"}),
        (GuildItem, {"pk": "GUILD#900", "sk": "GUILD", "parked": "twice"}),
    ],
    ids=str,
)
def test_an_item_of_an_unknown_shape_raises(kind: Any, item: dict[str, Any]) -> None:
    with pytest.raises(UnreadableItem):
        kind.from_item(item)


def test_of_a_guilds_broken_item_the_rest_is_kept() -> None:
    known = {"reconciled_at": "2026-11-23T12:00:00.000Z", "audit_watermark": "77"}
    broken = {"parked": "twice", "due_at": "soon", "let_through_until": 5}
    guild = GuildItem.from_broken_item({"pk": "GUILD#900", "sk": "GUILD", **known, **broken})
    assert guild == GuildItem(guild_id="900", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("thread", "source", "thread_id"),
    [(None, None, None), (None, "600", "600"), ("700", None, "700"), ("700", "600", "700")],
)
def test_the_thread_of_a_session_is_the_one_on_record_else_the_one_of_its_source_message(
    thread: str | None, source: str | None, thread_id: str | None
) -> None:
    status = Status.OPEN if thread else Status.CREATING
    session = read(status=status, discord_thread_id=thread, source_message_id=source)
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
        "deleting_at": "2026-11-23T12:00:00.000Z",
        "opened_at": "2026-11-23T12:00:00.000Z",
    }
    present = {name: value for name, value in session_attributes(session_from_item(known)).items() if value is not None}
    unknown = {"pk", "sk", "watch_guild_id", "an attribute of a later version"}
    assert present == {name: value for name, value in known.items() if name not in unknown} | {
        "locked": False,
        "keep": False,
        "member_ids": (),
        "role_ids": (),
        "private": False,
        "source_is_persons": False,
    }


def test_these_attributes_end_with_a_generation() -> None:
    assert " ".join(GENERATION_ATTRIBUTES) == (
        "discord_thread_id source_message_id source_is_persons create_attempted_at create_attempts topic topic_to_show label data waiting_since waiting_for waiting_message_id member_ids role_ids lease_owner lease_expires_at adopted_by settled_in settled_messages"
        " thread_name archived locked locked_by archived_at seen_active_at created_at created_by last_activity_at"
        " watch_guild_id due_in due_at listed_in activity missing_since unreachable_since ask_again_at opened_at"
        " delete_marked_at delete_marked_message delete_locking_at deleting_at closing_at closed_at closed_by close_reason"
        " close_lock close_message_id close_locking_at close_request card_state card_edited_at progress progress_note tag_request"
    )
