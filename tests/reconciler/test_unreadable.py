"""One bad entry of Discord's lists, or one bad item of the table, costs nobody the others and is never overwritten."""

import json
from typing import Any, Final

import pytest

from handler import reconciler
from handler.config import ReconcilerConfig
from handler.errors import DiscordUnavailable, UnreadableItem
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.opening.channel_import import import_afresh
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.exchange import json_response
from infra.virtual_time import START
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG
from tests.reconciler.housekeeping import BETWEEN_RUNS, DELETES, idle

# What may have become of a session's item; None takes an attribute away.
BAD_ITEMS: Final[dict[str, dict[str, Any]]] = {
    "status of a newer version": {"status": "suspended"},
    "no status": {"status": None},
    "no generation": {"generation": None},
    "generation as a text": {"generation": "1"},
    "no thread": {"discord_thread_id": None},
    "thread as a number": {"discord_thread_id": 77},
    "a time that is none": {"last_activity_at": "yesterday"},
    "a flag that is no time": {"unreachable_since": "yes"},
    "archived as a text": {"archived": "no"},
    "another session's key": {"session_key": "b"},
}


def switch_odd(guild: Guild, *entries: tuple[str, Any]) -> None:
    """From here on Discord shows these entries of its lists in another shape: id, and what comes instead."""
    guild.discord.switch(odd_entries=tuple((entry_id, json.dumps(shape)) for entry_id, shape in entries))


def odd_thread(guild: Guild, thread_id: str, **odd: Any) -> tuple[str, Any]:
    thread = guild.discord.threads[thread_id]
    shape = {"id": thread_id, "type": 11, "name": thread.name, "parent_id": thread.parent_id, "thread_metadata": None}
    return thread_id, {**shape, **odd}


# Items of the table


@pytest.mark.parametrize("broken", BAD_ITEMS)
async def test_a_run_goes_on_without_a_session_that_cannot_be_read(guild: Guild, broken: str) -> None:
    threads = [(await guild.open(name)).thread_id for name in ("a", "bad")]
    await guild.reconcile()
    guild.table.put(guild.table.item("bad"), **BAD_ITEMS[broken])
    before = guild.table.item("bad")
    for thread_id in threads:
        guild.people.rename(thread_id, "Session: bug")
    counts = await guild.report()
    assert (counts["unreadable"], counts["failed"]) == (1, 0)
    assert guild.table.item("a")["thread_name"] == "Session: bug"
    assert guild.table.item("bad") == before


@pytest.mark.parametrize("broken", BAD_ITEMS)
async def test_an_open_of_a_session_that_cannot_be_read_fails_and_changes_nothing(guild: Guild, broken: str) -> None:
    thread_id = (await guild.open("bad")).thread_id
    guild.table.put(guild.table.item("bad"), **BAD_ITEMS[broken])
    before = guild.everything()
    error = await guild.refused("bad")
    assert (error.kind, error.retryable) == (UnreadableItem.kind, False)
    assert guild.everything() == before
    assert [thread.id for thread in guild.living_threads("bad")] == [thread_id]
    assert (await guild.open("another")).outcome == "created"


@pytest.mark.parametrize("broken", ["session", "pointer"])
async def test_a_thread_whose_owner_cannot_be_read_is_neither_adopted_nor_doubled(guild: Guild, broken: str) -> None:
    """A thread that was renamed: the name leads to it, and nobody can tell whose it is."""
    thread_id = (await guild.open("bad")).thread_id
    await guild.reconcile()
    if broken == "session":
        guild.table.put(guild.table.item("bad"), status="suspended")
    else:
        guild.table.put(guild.table.pointer(thread_id), session_key=5)
    guild.people.rename(thread_id, "Session new")
    assert (await guild.report())["failed"] == 0
    assert (await guild.refused("new")).kind == UnreadableItem.kind
    assert [thread.id for thread in guild.living_threads("new")] == [thread_id]
    assert guild.table.item("new")["status"] == "vacant"


@pytest.mark.parametrize(
    "bad",
    [
        {"sk": "NAMESAKE#x#no-thread"},
        {"sk": "NAMESAKE#x#77", "gone_at": "once"},
        {"sk": "NAMESAKE#x"},
    ],
    ids=str,
)
async def test_a_namesake_that_cannot_be_read_is_passed_over(guild: Guild, bad: dict[str, Any]) -> None:
    await guild.open("a")
    guild.table.put({"pk": f"CHANNEL#{CHANNEL}", "watch_guild_id": GUILD, **bad})
    assert (await guild.report())["unreadable"] == 1
    assert (await guild.open("x")).outcome == "created"


async def test_what_is_broken_of_a_guilds_item_is_found_out_again(guild: Guild) -> None:
    await guild.open("a")
    await guild.reconcile()
    watermark = guild.table.guild()["audit_watermark"]
    guild.table.put(guild.table.guild(), parked="often", audit_watermark=5, let_through_until="soon")
    assert (await guild.report())["unreadable"] == 1
    assert guild.table.guild()["audit_watermark"] == watermark


async def test_a_channel_that_cannot_be_read_costs_only_itself(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, "11")
    for channel in (CHANNEL, "11"):
        await guild.open("a", channel)
    await guild.reconcile()
    guild.table.put(guild.table.channel("11"), kind="text")
    for channel in (CHANNEL, "11"):
        guild.people.archive(guild.table.item("a", channel)["discord_thread_id"])
    assert (await guild.reconcile())["failed"] == 1
    assert all(guild.table.item("a", channel)["archived"] for channel in (CHANNEL, "11"))
    assert (await guild.refused("b", channel="11")).kind == UnreadableItem.kind
    assert (await guild.open("b")).outcome == "created"


@pytest.mark.guild(settings=DELETES)
async def test_bad_sessions_at_the_head_of_the_order_do_not_keep_the_others_from_their_turn(guild: Guild) -> None:
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    bad = [f"bad {number}" for number in range(6)]
    for name in bad:
        await idle(guild, name, days=0)
    thread_id = await idle(guild, "old")
    for name in bad:
        guild.table.put(guild.table.item(name), status="suspended")
    for _ in range(2):
        await guild.wait(minutes=BETWEEN_RUNS)
        assert (await guild.report())["unreadable"] == len(bad)
    assert thread_id not in guild.discord.threads
    assert all(guild.table.item(name)["status"] == "suspended" for name in bad)


async def test_the_duplicates_of_a_session_that_cannot_be_read_are_left_alone(guild: Guild) -> None:
    for name in ("a", "bad"):
        await guild.open(name)
        guild.people.create_thread(CHANNEL, f"Session {name}")
    await guild.reconcile()
    guild.table.put(guild.table.item("bad"), status="suspended")
    channel = await guild.store.channels.get(CHANNEL)
    assert channel is not None
    found = await find_duplicates(guild.context, channel)
    assert [group.session_key for group in found.groups] == ["a"]


# Lists of Discord


async def test_a_run_goes_on_without_an_audit_entry_that_cannot_be_read(guild: Guild) -> None:
    for name in ("a", "b"):
        guild.people.archive((await guild.open(name)).thread_id)
    await guild.reconcile()
    for name in ("a", "b"):
        guild.people.delete_thread(guild.table.item(name)["discord_thread_id"])
    first, last = guild.discord.state.audit[GUILD][-2:]
    switch_odd(guild, (first.id, {"id": first.id, "action_type": None, "target_id": first.target_id}))
    counts = await guild.report()
    assert (counts["unreadable"], counts["EndGeneration"]) == (1, 1)
    assert guild.table.item("b")["status"] == "vacant"
    assert guild.table.guild()["audit_watermark"] == last.id
    assert (await guild.report())["unreadable"] == 0


async def test_a_page_of_audit_entries_that_cannot_be_read_is_passed(guild: Guild) -> None:
    guild.people.archive((await guild.open("a")).thread_id)
    await guild.reconcile()
    noisy = guild.people.create_thread(CHANNEL, "talk")
    for number in range(150):
        guild.people.rename(noisy, f"talk {number}")
    guild.people.delete_thread(guild.table.item("a")["discord_thread_id"])
    noise = guild.discord.state.audit[GUILD][-151:-1]
    switch_odd(guild, *((entry.id, {"id": entry.id, "action_type": {}}) for entry in noise))
    counts = await guild.report()
    assert (counts["unreadable"], counts["EndGeneration"]) == (150, 1)


@pytest.mark.parametrize("shape", [{}, {"type": "thread"}, {"id": None}, {"name": 5}, {"parent_id": 10}], ids=str)
async def test_a_run_goes_on_without_an_active_thread_that_cannot_be_read(guild: Guild, shape: dict[str, Any]) -> None:
    a, odd = [(await guild.open(name)).thread_id for name in ("a", "odd")]
    stranger = guild.people.create_thread(CHANNEL, "talk")
    await guild.reconcile()
    guild.people.rename(a, "Session a: bug")
    guild.people.rename(odd, "Session odd: bug")
    switch_odd(guild, odd_thread(guild, odd, **shape), odd_thread(guild, stranger, **shape))
    counts = await guild.report()
    assert (counts["unreadable"], counts["UpdateSession"]) == (2, 2)  # its own GET tells what the list does not
    assert guild.table.item("odd")["discord_thread_id"] == odd


async def test_a_thread_that_a_list_shows_in_another_shape_is_not_gone(guild: Guild) -> None:
    odd = (await guild.open("odd")).thread_id
    await guild.reconcile()
    switch_odd(guild, odd_thread(guild, odd))
    unknown = json_response(404, {"code": 10003, "message": "Unknown Channel"})
    guild.discord.faults.inject("GET", f"/channels/{odd}", unknown, times=1_000)
    assert (await guild.report())["failed"] == 1
    assert isinstance(await guild.refused("odd"), DiscordUnavailable)
    assert guild.table.item("odd")["discord_thread_id"] == odd


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("readable", [True, False])
async def test_a_look_up_reads_a_listed_thread_of_another_shape_by_itself(
    guild: Guild, readable: bool, archived: bool
) -> None:
    """If that fails, too, only the opens of that name do."""
    stranger = guild.people.create_thread(CHANNEL, "Session odd")
    if archived:
        guild.people.archive(stranger)
    switch_odd(guild, odd_thread(guild, stranger))
    if not readable:
        guild.discord.faults.inject("GET", f"/channels/{stranger}", json_response(200, {"id": stranger}), times=1_000)
    assert (await guild.open("a")).outcome == "created"
    if readable:
        assert (await guild.open("odd")).thread_id == stranger
        return
    for _ in range(2):
        assert isinstance(await guild.refused("odd"), DiscordUnavailable)
        await guild.wait(minutes=10)
        await guild.open("b")  # moves the watermark past it
    assert [thread.id for thread in guild.living_threads("odd")] == [stranger]


@pytest.mark.parametrize("readable", [True, False])
async def test_a_listed_thread_whose_name_is_not_known_is_read_or_passed_over(guild: Guild, readable: bool) -> None:
    stranger = guild.people.create_thread(CHANNEL, "Session odd")
    switch_odd(guild, odd_thread(guild, stranger, name=None))
    if not readable:
        guild.discord.faults.inject("GET", f"/channels/{stranger}", json_response(200, {"id": stranger}), times=1_000)
    assert (await guild.open("a")).outcome == "created"
    if readable:
        assert (await guild.open("odd")).thread_id == stranger


@pytest.mark.parametrize("entry", [None, {}, {"id": None}])
async def test_a_run_passes_an_active_thread_without_an_id_and_an_open_creates_nothing(
    guild: Guild, entry: object
) -> None:
    stranger = guild.people.create_thread(CHANNEL, "Session odd")
    switch_odd(guild, (stranger, entry))
    assert (await guild.report())["unreadable"] == 1
    assert isinstance(await guild.refused("odd"), DiscordUnavailable)
    assert [thread.id for thread in guild.living_threads("odd")] == [stranger]


@pytest.mark.guild(imported=False, followed=False)
async def test_an_import_settles_a_thread_of_another_shape_for_the_opens_of_its_name(guild: Guild) -> None:
    threads = guild.discord.people.add_archived_threads(CHANNEL, 5, newest=guild.now, name_of="Session {}".format)
    switch_odd(guild, odd_thread(guild, threads[2]), odd_thread(guild, threads[3], name=5))
    assert (await guild.open("new")).outcome == "created"
    assert guild.table.threads() >= {threads[0], threads[1], threads[4]}
    assert (await guild.open("2")).thread_id == threads[2]


@pytest.mark.guild(imported=False, followed=False)
async def test_an_import_passes_a_session_that_cannot_be_read(guild: Guild) -> None:
    threads = guild.discord.people.add_archived_threads(CHANNEL, 3, newest=guild.now, name_of="Session {}".format)
    await guild.open("new")
    guild.table.put(guild.table.item("1"), status="suspended")
    before = guild.table.item("1")
    channel = await guild.store.channels.get(CHANNEL)
    assert channel is not None
    await import_afresh(guild.context, channel, "request", stretch=60.0)
    assert guild.table.item("1") == before
    assert guild.table.channel()["imported_at"]
    assert (await guild.refused("1")).kind == UnreadableItem.kind
    assert len(guild.living_threads("1")) == 1
    assert guild.table.item("2")["discord_thread_id"] == threads[2]


# Through the entrance


async def test_what_a_run_skips_is_counted_and_logged_by_its_ids(deployment: Deployment, capsys: Any) -> None:
    for name in ("a", "bad"):
        await deployment.ensure(session_name=name)
    deployment.table.put(deployment.table.item("bad"), status="suspended", topic="between us")
    event = sqs_event(sqs_record(reconciler.encode(GUILD), now=START, message_id="m"))
    answer = await reconciler.handle(deployment.environment(ReconcilerConfig), event, "r", 60.0)
    assert answer["batchItemFailures"] == []
    assert answer["runs"][0]["counts"]["unreadable"] == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["unreadable"] for line in lines if "unreadable" in line] == [[f"CHANNEL#{CHANNEL} SESSION#bad"]]
    assert [line["Unreadable"] for line in lines if "Unreadable" in line] == [[1.0]]
    assert "between us" not in json.dumps(lines)
