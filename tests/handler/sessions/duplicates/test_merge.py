"""Merging duplicates: one is kept, the others link it; killed or refused anywhere, it ends in the same place."""

import contextlib
from typing import Any

import msgspec
import pytest

from handler.errors import Merging, MissingPermissions, OnethreadError, RateLimited, TooManyThreads
from handler.runtime.deadline import Deadline, set_deadline
from handler.sessions.context import Context
from handler.sessions.duplicates import find
from handler.sessions.duplicates import merge as merging
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.duplicates.merge import MergeResult, merge_duplicates
from handler.sessions.opening.channel_import import import_whole
from handler.store.items import Pointer
from infra.simulator.exchange import json_response
from infra.simulator.faults import DROP, When
from infra.simulator.models import Thread
from infra.simulator.permissions import PERMISSION_BITS
from tests.kit.guild import BOT, Guild
from tests.kit.recorded_calls import Call, Died
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="client")

PATCH = ("PATCH", "/channels/{channel_id}")


def another_process(guild: Guild) -> Context:
    return guild.opener().sessions.context


async def merge(context: Context) -> MergeResult:
    channel = await context.store.channels.get(CHANNEL)
    assert channel is not None
    return await merge_duplicates(context, await import_whole(context, channel, stretch=None))


def make(guild: Guild, number: int = 3) -> list[str]:
    """Identical threads: the first archived, the second archived and locked, the third locked, the others active."""
    states: list[dict[str, bool]] = [{"archived": True}, {"archived": True, "locked": True}, {"locked": True}]
    return [
        guild.people.create_thread(CHANNEL, f"Session {NAME}", **(states[n] if n < 3 else {})) for n in range(number)
    ]


def links(guild: Guild, thread_id: str) -> list[str]:
    """What the bot has posted in that thread."""
    found = guild.discord.messages.values()
    return [m.content for m in found if m.channel_id == thread_id and m.author_id == BOT and m.kind == 0]


def assert_merged(guild: Guild, kept: str, others: list[str]) -> None:
    threads: dict[str, Thread] = guild.discord.threads
    assert threads[kept].name == f"Session {NAME}"
    for thread_id in others:
        thread = threads[thread_id]
        assert (thread.name, thread.archived, thread.locked) == (f"↪ Session {NAME}", True, True)
        assert [f"<#{kept}>" in text for text in links(guild, thread_id)] == [True]
        pointer = guild.table.pointer(thread_id)
        assert (pointer["merged_into"], "session_key" in pointer) == (kept, False)
    assert guild.table.namesakes() == []
    item = guild.table.item()
    assert item["discord_thread_id"] == kept


async def test_the_thread_on_record_is_kept_and_each_other_one_links_it(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 5)
    done = await merge(another_process(guild))
    assert (done.merged, done.skipped) == (5, 0)
    assert_merged(guild, kept, others)


async def test_a_second_run_changes_nothing(guild: Guild) -> None:
    await guild.open()
    make(guild, 4)
    context = another_process(guild)
    await merge(context)
    before = guild.everything()
    done = await merge(context)
    assert (done.merged, done.skipped) == (0, 0)
    assert guild.everything() == before


async def test_finding_duplicates_changes_nothing_on_discord(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 4)
    context = another_process(guild)
    before = guild.discord.fingerprint()
    channel = await context.store.channels.get(CHANNEL)
    assert channel is not None
    (group,) = (await find_duplicates(context, channel)).groups
    assert group.kept.id == kept
    assert {other.thread.id for other in group.others} == set(others)
    assert guild.discord.fingerprint() == before


@pytest.mark.guild(imported=False)
async def test_after_the_table_is_lost_the_kept_thread_is_found_again(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 4)
    await merge(another_process(guild))
    guild.table.lose_all()
    assert (await guild.open()).thread_id == kept
    assert [t.id for t in guild.living_threads()] == [kept]
    for thread_id in others:
        assert guild.discord.threads[thread_id].archived


async def test_a_merged_thread_with_a_session_name_is_still_no_sessions_thread(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    (other,) = make(guild, 1)
    await merge(another_process(guild))
    guild.people.unarchive(other)
    guild.people.rename(other, "Session brand new")
    assert (await guild.open("brand new")).thread_id not in (other, kept)


async def test_the_renamed_thread_of_another_session_is_left_alone(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    renamed = (await guild.open("other")).thread_id
    guild.people.rename(renamed, f"Session {NAME}")
    (other,) = make(guild, 1)
    done = await merge(another_process(guild))
    assert (done.merged, done.skipped) == (1, 0)
    assert not guild.discord.threads[renamed].archived
    assert (await guild.open("other")).thread_id == renamed
    assert (await guild.open()).thread_id == kept
    assert guild.discord.threads[other].name.startswith("↪")


async def test_if_the_thread_on_record_was_deleted_the_best_of_the_others_is_kept(guild: Guild) -> None:
    gone = (await guild.open()).thread_id
    others = make(guild, 4)
    guild.people.delete_thread(gone)
    done = await merge(another_process(guild))
    assert (done.merged, done.skipped) == (3, 0)
    item = guild.table.item()
    kept = item["discord_thread_id"]
    assert_merged(guild, kept, [i for i in others if i != kept])


async def test_a_pointer_is_merged_only_if_nothing_has_changed_since_it_was_read(guild: Guild) -> None:
    await guild.open()
    (other,) = make(guild, 1)
    store = another_process(guild).store
    session = await store.sessions.get(CHANNEL, NAME)
    assert session is not None
    taken = {"pk": f"THREAD#{other}", "sk": "THREAD", "parent_channel_id": CHANNEL, "session_key": "quick"}
    guild.table.put(taken)
    assert not await store.pointers.merge(
        session, other, None, at="2026-11-23T12:00:00.000Z"
    )  # somebody has just taken it
    read = Pointer(thread_id=other, parent_channel_id=CHANNEL, session_key="quick")
    quick = {"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#quick", "discord_thread_id": other}
    guild.table.put(quick)
    assert not await store.pointers.merge(session, other, read, at="2026-11-23T12:00:00.000Z")  # and still has it
    assert guild.table.pointer(other) == taken
    guild.table.lose(quick)
    moved = msgspec.structs.replace(session, discord_thread_id="1")
    assert not await store.pointers.merge(
        moved, other, read, at="2026-11-23T12:00:00.000Z"
    )  # the kept one is not the session's
    assert await store.pointers.merge(session, other, read, at="2026-11-23T12:00:00.000Z")


def _calls() -> list[Call]:
    """The remote calls of one undisturbed merge."""
    calls: list[Call] = []
    with Guild() as guild:

        async def scenario() -> None:
            await guild.open()
            make(guild, 2)
            context = another_process(guild)
            guild.calls.forget()
            await merge(context)
            calls.extend(guild.calls)

        guild.run(scenario())
    return calls


CALLS = _calls()


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("nonces", ["known", "forgotten"])
@pytest.mark.guild(table="memory")
async def test_after_a_kill_at_any_call_a_repeat_goes_on_without_a_second_message(
    guild: Guild, call: Call, nonces: str
) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 2)
    context = another_process(guild)
    guild.calls.forget()
    guild.calls.dies_after = call
    with pytest.raises(Died):
        await merge(context)
    if nonces == "forgotten":
        guild.discord.close_nonce_window()
    guild.restart()
    await merge(another_process(guild))
    assert_merged(guild, kept, others)


REFUSAL = json_response(403, {"code": 50013, "message": "Missing Permissions"})
MISHAPS: dict[str, tuple[Any, When]] = {
    "never sent": (DROP, "before"),
    "answer lost": (DROP, "after"),
    "500": (json_response(500, {}), "before"),
    "500 and done": (json_response(500, {}), "after"),
    "refused": (REFUSAL, "before"),
}


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("call", [call for call in CALLS if call.wire == "discord"], ids=str)
@pytest.mark.guild(table="memory")
async def test_after_any_failed_call_a_repeat_finishes_the_merge(guild: Guild, call: Call, mishap: str) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 2)
    context = another_process(guild)
    method, route = call.what.split(" ")
    what, when = MISHAPS[mishap]
    guild.discord.faults.inject(method, route, what, when=when, nth=call.nth)
    with contextlib.suppress(OnethreadError):
        await merge(context)
    await merge(context)
    assert_merged(guild, kept, others)


@pytest.mark.guild(latency=1.0)
async def test_near_the_deadline_it_stops_and_a_repeat_goes_on(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 6)
    context = another_process(guild)
    set_deadline(Deadline.after(guild.now, 15.0))
    with pytest.raises(Merging) as stopped:
        await merge(context)
    assert 0 < stopped.value.progress["merged"] < 6
    set_deadline(None)
    await merge(context)
    assert_merged(guild, kept, others)


async def test_with_too_little_time_it_does_not_call_discord(guild: Guild) -> None:
    await guild.open()
    make(guild, 2)
    context = another_process(guild)
    guild.calls.forget()
    set_deadline(Deadline.after(guild.now, 2.4))
    with pytest.raises(Merging):
        await merge(context)
    set_deadline(None)
    assert not guild.calls.of("discord")


async def test_a_long_rate_limit_is_raised_and_a_repeat_goes_on(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 3)
    context = another_process(guild)
    guild.discord.limit_once(*PATCH, 300.0, nth=3)
    set_deadline(Deadline.after(guild.now, 50.0))
    with pytest.raises(RateLimited):
        await merge(context)
    set_deadline(None)
    await guild.wait(301)
    await merge(context)
    assert_merged(guild, kept, others)


async def test_in_a_guild_full_of_active_threads_those_are_merged_first_to_make_room(guild: Guild) -> None:
    kept = (await guild.open()).thread_id
    others = make(guild, 5)
    guild.discord.switch(active_thread_limit=4)  # the kept one, a locked one and two more: full
    done = await merge(another_process(guild))
    assert done.merged == 5
    assert_merged(guild, kept, others)


async def test_if_no_archived_thread_can_be_opened_it_raises(guild: Guild) -> None:
    await guild.open()
    make(guild, 1)
    guild.discord.switch(active_thread_limit=1)
    with pytest.raises(TooManyThreads):
        await merge(another_process(guild))


async def test_a_missing_permission_is_named(guild: Guild) -> None:
    await guild.open()
    make(guild, 1)
    held = [name for name in PERMISSION_BITS if name != "MANAGE_THREADS"]
    guild.people.set_permissions(CHANNEL, held)
    with pytest.raises(MissingPermissions) as refused:
        await merge(another_process(guild))
    assert "MANAGE_THREADS" in refused.value.permissions


async def test_of_very_many_duplicates_some_are_listed_and_all_are_merged(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MAX_READ", 2)
    monkeypatch.setattr(merging, "MAX_READ", 2)
    kept = (await guild.open()).thread_id
    others = make(guild, 5)
    context = another_process(guild)
    channel = await context.store.channels.get(CHANNEL)
    assert channel is not None
    found = await find_duplicates(context, channel)
    assert (found.threads, found.unread) == (2, 3)
    done = await merge(context)
    assert done.merged == 5
    assert_merged(guild, kept, others)
