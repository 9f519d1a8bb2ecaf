"""Which thread is kept and which are merged: the whole decision. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from handler.discord.models import Channel
from handler.runtime.utf16 import utf16_units
from handler.sessions.duplicates.group import Group, build_link, link_nonce, make_group, name_merged
from handler.sessions.names import Names
from handler.store.items import Pointer, Session
from tests.kit.samples import CHANNEL, KEY, MADE_AT, session, snowflake, thread

IDS = [snowflake(MADE_AT + timedelta(seconds=n)) for n in range(5)]


def group(
    threads: list[Channel],
    *,
    record: Session | None = None,
    own: Channel | None = None,
    pointers: tuple[Pointer, ...] = (),
    owners: dict[str, Session] | None = None,
) -> Group | None:
    return make_group(KEY, record, own, threads, {p.thread_id: p for p in pointers}, owners or {}, CHANNEL)


def kept_and_others(found: Group | None) -> tuple[str, list[str]]:
    assert found is not None
    return found.kept.id, [other.thread.id for other in found.others]


def test_the_thread_on_record_is_kept_even_if_another_has_more_messages() -> None:
    own, fuller = thread(IDS[0], message_count=1), thread(IDS[1], message_count=99)
    found = group([fuller], record=session(discord_thread_id=IDS[0]), own=own)
    assert kept_and_others(found) == (IDS[0], [IDS[1]])
    assert found is not None
    assert found.on_record


@pytest.mark.parametrize(
    "better",
    [
        {"message_count": 5},
        {"last_message_id": snowflake(MADE_AT + timedelta(hours=1))},
    ],
)
def test_if_none_is_on_record_the_one_with_most_messages_or_latest_activity_is_kept(better: dict[str, Any]) -> None:
    found = group([thread(IDS[0]), thread(IDS[1], **better), thread(IDS[2])])
    assert found is not None
    assert found.kept.id == IDS[1]
    assert not found.on_record


def test_a_name_that_only_one_thread_bears_is_not_a_duplicate() -> None:
    assert group([thread(IDS[0])]) is None
    assert group([thread(IDS[0])], record=session(discord_thread_id=IDS[0]), own=thread(IDS[0])) is None
    assert group([]) is None


def test_the_renamed_thread_of_another_session_is_left_alone() -> None:
    foreign = Pointer(thread_id=IDS[1], parent_channel_id=CHANNEL, session_key="other")
    owner = session(session_key="other", discord_thread_id=IDS[1])
    own, threads = thread(IDS[0]), [thread(IDS[1]), thread(IDS[2])]
    found = group(
        threads, record=session(discord_thread_id=IDS[0]), own=own, pointers=(foreign,), owners={IDS[1]: owner}
    )
    assert kept_and_others(found) == (IDS[0], [IDS[2]])


def test_a_thread_whose_former_session_has_another_thread_is_merged() -> None:
    former = Pointer(thread_id=IDS[1], parent_channel_id=CHANNEL, session_key="other")
    owner = session(session_key="other", discord_thread_id=IDS[4])
    found = group(
        [thread(IDS[1])],
        record=session(discord_thread_id=IDS[0]),
        own=thread(IDS[0]),
        pointers=(former,),
        owners={IDS[1]: owner},
    )
    assert kept_and_others(found) == (IDS[0], [IDS[1]])


def test_a_half_merged_thread_is_merged_and_never_kept() -> None:
    half = Pointer(thread_id=IDS[1], merged_into=IDS[0])
    assert kept_and_others(group([thread(IDS[0]), thread(IDS[1], message_count=9)], pointers=(half,))) == (
        IDS[0],
        [IDS[1]],
    )
    assert group([thread(IDS[1])], pointers=(half,)) is None


def test_active_threads_are_merged_first_to_make_room_to_open_archived_ones() -> None:
    archived = thread(IDS[1], archived=True, message_count=9)
    found = group([archived, thread(IDS[2])], record=session(discord_thread_id=IDS[0]), own=thread(IDS[0]))
    assert kept_and_others(found) == (IDS[0], [IDS[2], IDS[1]])


@pytest.mark.parametrize("name", ["Session 1a06a43", "Session " + "x" * 92, "Session " + "🧵" * 46])
def test_the_name_of_a_merged_thread_is_not_a_sessions_and_fits(name: str) -> None:
    renamed = name_merged(name)
    assert renamed.startswith("↪ Session ")
    assert utf16_units(renamed) <= 100
    assert Names("Session ").session_key_of(renamed) is None


def test_the_link_mentions_the_kept_thread_and_pings_nobody() -> None:
    body = build_link("99")
    assert "<#99>" in body["content"]
    assert body["allowed_mentions"] == {"parse": []}


def test_each_pair_of_threads_has_its_own_link_nonce() -> None:
    assert link_nonce("1", "9") == link_nonce("1", "9")
    assert len({link_nonce("1", "9"), link_nonce("2", "9"), link_nonce("1", "8")}) == 3
    assert len(link_nonce("1", "9")) == 25
