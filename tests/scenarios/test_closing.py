"""A close that dies, that meets another close, an open or housekeeping: in the end it is closed or open, and all agree."""

import asyncio
from typing import Any, Literal

import pytest

from handler.errors import TryAgain
from handler.sessions.model import Requester
from handler.sessions.threads.close import close
from handler.store.items import Session
from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, HANG, Failure, server_error
from tests.kit.guild import APPLICATION, MEMBER, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="memory", followed=True)

UPDATE, EDIT = "UpdateItem", "PATCH /channels/{channel_id}/messages/{message_id}"
CLOSE_CALLS = [
    Call("dynamodb", UPDATE, 1),  # begun
    Call("discord", "POST /channels/{channel_id}/messages"),
    Call("dynamodb", UPDATE, 2),  # the message on record
    Call("dynamodb", UPDATE, 3),  # the card's edit claimed
    Call("discord", EDIT),
    Call("dynamodb", UPDATE, 4),  # and settled
    Call("discord", "PATCH /channels/{channel_id}"),
    Call("dynamodb", UPDATE, 5),  # closed
]


def by(owner: str = "closer", *, user: str | None = MEMBER, may_unlock: bool = False) -> Requester:
    return Requester(owner=owner, user_id=user, may_unlock=may_unlock)


async def read(guild: Guild) -> Session:
    session = await guild.store.sessions.get(CHANNEL, NAME)
    assert session is not None
    return session


async def close_it(guild: Guild, owner: str = "closer", *, lock: bool = True, **more: Any) -> Session:
    return await close(guild.context, await read(guild), by(owner), lock=lock, reason="done", **more)


def said_in(guild: Guild, thread_id: str) -> list[str]:
    messages = sorted(guild.discord.messages.values(), key=lambda message: int(message.id))
    return [m.content for m in messages if m.channel_id == thread_id and m.author_id == APPLICATION]


def check_closed(guild: Guild, thread_id: str) -> None:
    thread, item = guild.discord.threads[thread_id], guild.table.item()
    assert (thread.archived, thread.locked) == (True, True)
    assert (item["status"], item["archived"], item["locked"], item["locked_by"]) == ("closed", True, True, APPLICATION)
    assert {"closing_at", "watch_guild_id"}.isdisjoint(item)
    assert said_in(guild, thread_id) == [f"⚫ Closed and locked by <@{MEMBER}>\n> done"]
    assert card_of(guild, thread_id).startswith(f"⚫ Closed and locked by <@{MEMBER}> · <t:")


def check_open(guild: Guild, thread_id: str) -> None:
    thread, item = guild.discord.threads[thread_id], guild.table.item()
    assert (thread.archived, thread.locked) == (False, False)
    assert (item["status"], item["archived"], item["watch_guild_id"]) == ("open", False, "1")
    assert not {"closing_at", "closed_at", "closed_by", "close_lock", "locked_by"} & item.keys()
    assert card_of(guild, thread_id).startswith("🟢 Open")


def card_of(guild: Guild, thread_id: str) -> str:
    return guild.discord.messages[thread_id].content.split("\n")[1]


async def settle(guild: Guild) -> None:
    """Time for the reconciler to make right what is left."""
    for _ in range(3):
        await guild.wait(minutes=5)
        await guild.reconcile()


async def test_these_are_the_calls_of_a_close(guild: Guild) -> None:
    await guild.open()
    guild.calls.forget()
    await close_it(guild)
    assert [c for c in guild.calls if not c.what.startswith("Get") and not c.what.startswith("GET")] == CLOSE_CALLS


@pytest.mark.parametrize("goes_on", ["the same request", "another closer", "the reconciler"])
@pytest.mark.parametrize("call", CLOSE_CALLS, ids=str)
async def test_after_a_death_anywhere_the_session_is_closed_once(guild: Guild, call: Call, goes_on: str) -> None:
    thread_id = (await guild.open()).thread_id
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(close_it(guild))
    if goes_on == "the reconciler":
        guild.discord.close_nonce_window()
        await settle(guild)
    else:
        assert (await close_it(guild, "closer" if goes_on == "the same request" else "another")).status == "closed"
        await settle(guild)
    check_closed(guild, thread_id)


@pytest.mark.parametrize("call", CLOSE_CALLS, ids=str)
async def test_after_a_death_anywhere_an_open_opens_it(guild: Guild, call: Call) -> None:
    thread_id = (await guild.open()).thread_id
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(close_it(guild))
    opened = await guild.open(user="77")
    assert opened.thread_id == thread_id
    assert not guild.discord.threads[thread_id].archived
    await settle(guild)
    check_open(guild, thread_id)


@pytest.mark.parametrize("call", [Call("discord", "PATCH /channels/{channel_id}"), Call("dynamodb", UPDATE)], ids=str)
async def test_after_a_death_of_the_reopening_the_next_open_opens_it(guild: Guild, call: Call) -> None:
    thread_id = (await guild.open()).thread_id
    await close_it(guild)
    await guild.wait(60)
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(guild.open(user="77"))
    await guild.open(user="77")
    await settle(guild)
    check_open(guild, thread_id)


@pytest.mark.parametrize(
    ("what", "when"),
    [(server_error(), "before"), (server_error(), "after"), (DROP, "after"), (HANG, "after")],
    ids=["before", "after", "dropped", "hanging"],
)
@pytest.mark.parametrize(
    ("method", "route"), [("POST", "/channels/{channel_id}/messages"), ("PATCH", "/channels/{channel_id}")]
)
async def test_an_answer_that_is_lost_is_asked_for_again(
    guild: Guild, method: str, route: str, what: Response | Failure, when: Any
) -> None:
    thread_id = (await guild.open()).thread_id
    guild.discord.faults.inject(method, route, what, when=when, times=5)
    with pytest.raises(TryAgain):
        await close_it(guild)
    guild.discord.faults.clear()
    await close_it(guild)
    await settle(guild)
    check_closed(guild, thread_id)


@pytest.mark.parametrize("number", [2, 5])
async def test_many_who_close_at_once_close_it_once(guild: Guild, number: int) -> None:
    thread_id = (await guild.open()).thread_id
    guild.latency = 0.1
    closed = await asyncio.gather(*(close_it(guild, f"closer-{n}") for n in range(number)))
    assert {session.status for session in closed} == {"closed"}
    await settle(guild)
    check_closed(guild, thread_id)


@pytest.mark.parametrize("milliseconds", range(0, 900, 60))
async def test_a_close_beside_an_open_ends_in_a_state_in_which_all_agree(guild: Guild, milliseconds: int) -> None:
    thread_id = (await guild.open()).thread_id
    await guild.wait(60)
    guild.latency = 0.1
    guild.restart()

    async def open_it() -> None:
        await guild.wait(milliseconds / 1000)
        await guild.open(user="77", process=guild.opener())

    _, closed = await asyncio.gather(open_it(), close_it(guild))
    await settle(guild)
    item = guild.table.item()
    if item["status"] == "closed":
        assert closed.status == "closed"
        check_closed(guild, thread_id)
    else:
        check_open(guild, thread_id)


@pytest.mark.parametrize("moment", ["begun", "archived"])
async def test_an_open_that_meets_a_close_ends_it_and_the_closer_opens_the_thread_again(
    guild: Guild, moment: str
) -> None:
    thread_id = (await guild.open()).thread_id

    async def open_beside() -> None:
        guild.after_call = None
        await guild.open(user="77", process=guild.opener())

    async def when_begun() -> None:
        is_then = moment == "begun" or guild.discord.threads[thread_id].archived
        if "closing_at" in guild.table.item() and is_then and guild.after_call is not None:
            await open_beside()

    guild.after_call, guild.after_every_call = when_begun, True
    session = await close_it(guild)
    assert session.status == "open"
    await settle(guild)
    check_open(guild, thread_id)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_late_lock_of_a_dead_close_is_lifted_by_whoever_opens(
    guild: Guild, when: Literal["before", "after"]
) -> None:
    """The closer dies, somebody opens the session, then the request of the dead one lands; the audit log cannot be read."""
    thread_id = (await guild.open()).thread_id
    guild.calls.forget()
    guild.calls.dies_after = CLOSE_CALLS[0]
    await guild.death(close_it(guild))
    if when == "after":
        await guild.open(user="77")
    await guild.wait(2)
    guild.people.edit_thread(thread_id, archived=True, locked=True, by=APPLICATION)
    opened = await guild.open(user="78")
    assert opened.unlocked
    assert not guild.discord.threads[thread_id].archived


@pytest.mark.guild(settings={"DELETE_AFTER_DAYS": "10", "DELETE_MODE": "delete"})
async def test_a_close_clears_a_mark_for_deletion_and_waits_for_one_that_has_begun(guild: Guild) -> None:
    thread_id = (await guild.open()).thread_id
    await guild.wait(days=11)
    await guild.reconcile()
    assert "delete_marked_at" in guild.table.item()
    await close_it(guild)
    assert "delete_marked_at" not in guild.table.item()
    await settle(guild)
    check_closed(guild, thread_id)

    guild.table.put(guild.table.item(), deleting_at=guild.now)
    guild.people.edit_thread(thread_id, archived=False)
    with pytest.raises(TryAgain, match="deletion is under way"):
        await close_it(guild, "another")


async def test_a_program_is_named_by_its_label(guild: Guild) -> None:
    thread_id = (await guild.open()).thread_id
    requester = Requester(owner="request", label="build-bot")
    session = await close(guild.context, await read(guild), requester)
    assert session.closing.closed_by == "build-bot"
    assert said_in(guild, thread_id) == ["⚫ Closed by *build-bot*"]
    await guild.open()
    session = await close(guild.context, await read(guild), Requester(owner="request 2"))
    assert said_in(guild, thread_id)[-1] == "⚫ Closed by a program"


@pytest.mark.parametrize("archived_by", ["Discord", "nobody"])
async def test_a_kept_session_that_is_closed_stays_closed(guild: Guild, archived_by: str) -> None:
    thread_id = (await guild.open()).thread_id
    guild.table.put(guild.table.item(), keep=True)
    if archived_by == "Discord":
        guild.people.auto_archive(thread_id)
    await close_it(guild)
    await settle(guild)
    check_closed(guild, thread_id)
