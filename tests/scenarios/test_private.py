"""Private sessions: to whoever may not see one it does not exist."""

import asyncio
from typing import Any

import pytest

from handler.errors import NotAllowed, UnsupportedChannel
from handler.sessions.model import Outcome
from handler.sessions.threads.visibility import may_see
from infra.simulator.faults import DROP, HANG, error, server_error
from infra.simulator.models import PRIVATE_THREAD
from infra.simulator.permissions import default_permissions_without
from tests.kit.guild import BOT, MEMBER, MODERATOR, Guild
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="memory")

ANN, BOB, EVE = MEMBER, "4", "5"
CREATE = "POST /channels/{channel_id}/threads"
WAY = ("POST", "/channels/{channel_id}/threads")
THREAD_MEMBERS = "PUT", "/channels/{channel_id}/thread-members/{user_id}"


async def opened_by(guild: Guild, user: str | None, name: str = NAME, **how: Any) -> str:
    return (await guild.open(name, user=user, private=True, **how)).thread_id


async def test_a_private_session_gets_a_private_thread_with_its_requester_and_members(guild: Guild) -> None:
    opened = await guild.open(user=ANN, private=True, members=(BOB,), topic="@everyone a secret")

    (thread,) = guild.discord.threads.values()
    assert (opened.outcome, opened.thread_id) == (Outcome.CREATED, thread.id)
    assert (thread.kind, thread.invitable, thread.name) == (PRIVATE_THREAD, False, "Session 1a06a43")
    assert [user for user, _ in thread.members] == [BOT, ANN, BOB]
    (message,) = [m for m in guild.discord.messages.values() if m.channel_id == thread.id]
    assert "a secret" in message.content
    assert (message.mentions, message.mention_everyone) == ((), False)
    item = guild.table.private(ANN)
    assert (item["private"], item["creator_id"], item["member_ids"]) == (True, ANN, [BOB])
    assert guild.table.pointer(thread.id)["session_key"] == f"PRIVATE#{NAME}#{ANN}"
    assert guild.table.item() == {}
    assert guild.source_messages() == []


async def test_public_and_private_sessions_of_one_name_never_meet(guild: Guild) -> None:
    public = (await guild.open(user=ANN)).thread_id
    private = await opened_by(guild, ANN)
    assert public != private
    assert (await guild.open(user=ANN)).thread_id == public
    assert await opened_by(guild, ANN) == private


async def test_members_roles_and_moderators_are_led_to_it_and_everybody_else_opens_their_own(guild: Guild) -> None:
    anns = await opened_by(guild, ANN, members=(BOB,), roles=("77",))
    assert await opened_by(guild, BOB) == anns
    assert await opened_by(guild, "6", user_roles=frozenset({"77"})) == anns
    assert await opened_by(guild, MODERATOR, moderates=True) == anns
    eves = await opened_by(guild, EVE)
    assert eves != anns
    assert await opened_by(guild, None) not in (anns, eves)
    assert await opened_by(guild, EVE) == eves
    assert not guild.discord.threads[anns].has_member(EVE)


async def test_an_outsider_makes_the_same_requests_and_gets_the_same_answer_as_if_there_were_none(guild: Guild) -> None:
    async def answer_to(user: str) -> tuple[Any, list[str]]:
        guild.calls.forget()
        opened = await guild.open("x" if user == EVE else "y", user=user, private=True)
        return (opened.outcome, opened.by_new_name, opened.waited, opened.after_deletion), guild.calls.names

    await opened_by(guild, ANN, "x")
    assert await answer_to(EVE) == await answer_to(BOB)


async def test_an_archived_private_session_is_reopened_and_a_deleted_one_replaced(guild: Guild) -> None:
    first = await opened_by(guild, ANN)
    guild.people.auto_archive(first)
    assert (await guild.open(user=ANN, private=True)).outcome is Outcome.REOPENED
    guild.people.delete_thread(first)
    again = await guild.open(user=ANN, private=True)
    assert (again.outcome, again.after_deletion) == (Outcome.CREATED, True)
    assert guild.table.private(ANN)["generation"] == 2


async def test_a_404_of_a_private_thread_is_no_evidence_while_a_list_has_it(guild: Guild) -> None:
    first = await opened_by(guild, ANN)
    guild.people.auto_archive(first)
    guild.discord.faults.inject("GET", f"/channels/{first}", error(404, 10003, "Unknown Channel"), times=3)
    again = await guild.open(user=ANN, private=True)
    assert (again.thread_id, again.session.generation) == (first, 1)


async def test_the_requester_is_added_on_each_open_because_the_link_leads_nowhere_else(guild: Guild) -> None:
    guild.discord.faults.inject(*THREAD_MEMBERS, DROP, times=9)
    thread_id = await opened_by(guild, ANN, members=(BOB,))
    assert [user for user, _ in guild.discord.threads[thread_id].members] == [BOT]
    guild.discord.faults.clear()
    await opened_by(guild, ANN, members=(BOB,))
    assert [user for user, _ in guild.discord.threads[thread_id].members] == [BOT, ANN, BOB]


async def test_who_may_not_say_who_is_in_adds_nobody(guild: Guild) -> None:
    thread_id = await opened_by(guild, ANN, members=(BOB,))
    await opened_by(guild, BOB, members=(EVE,))
    assert not guild.discord.threads[thread_id].has_member(EVE)
    await opened_by(guild, ANN, members=(EVE,))
    assert guild.discord.threads[thread_id].has_member(EVE)
    assert guild.table.private(ANN)["member_ids"] == [BOB, EVE]


async def test_roles_are_added_by_a_silent_mention(guild: Guild) -> None:
    thread_id = await opened_by(guild, ANN, roles=("77",))
    last = max((m for m in guild.discord.messages.values() if m.channel_id == thread_id), key=lambda m: int(m.id))
    assert "<@&77>" in last.content
    assert last.flags & 1 << 12


async def test_if_the_record_is_lost_only_who_is_in_the_thread_gets_it_back_for_its_creator(guild: Guild) -> None:
    anns = await opened_by(guild, ANN, members=(BOB,))
    guild.people.auto_archive(anns)
    guild.table.lose_all(but=("CHANNEL",))
    assert await opened_by(guild, EVE) != anns
    assert (await guild.open(user=BOB, private=True)).thread_id == anns
    assert await opened_by(guild, ANN) == anns
    assert guild.table.private(ANN)["member_ids"] == [BOB]


async def test_if_the_record_is_lost_a_program_finds_what_a_program_had_opened(guild: Guild) -> None:
    anns = await opened_by(guild, ANN)
    programs = await opened_by(guild, None)
    guild.table.lose_all(but=("CHANNEL",))
    assert await opened_by(guild, None) == programs
    assert await opened_by(guild, ANN) == anns


@pytest.mark.parametrize("kind", [5, 15, 16])
async def test_only_text_channels_have_private_sessions(kind: int) -> None:
    with Guild(kind=kind) as guild:
        refused = await guild.refused(private=True)
        assert isinstance(refused, UnsupportedChannel)
        assert "text channels" in refused.message


async def test_a_member_needs_the_right_to_create_private_threads(guild: Guild) -> None:
    refused = await guild.refused(private=True, user_permissions=1 << 10 | 1 << 11 | 1 << 35 | 1 << 38)
    assert isinstance(refused, NotAllowed)
    assert "Create Private Threads" in refused.message


async def test_an_answer_that_was_lost_leads_to_no_second_private_thread(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, server_error(), when="after")
    thread_id = await opened_by(guild, ANN)
    assert list(guild.discord.threads) == [thread_id]
    assert guild.calls.count(CREATE) == 1


async def test_a_private_thread_that_lands_late_is_deleted_by_the_reconciler_and_noted_nowhere(guild: Guild) -> None:
    guild.discord.faults.inject(*WAY, HANG, when="late", seconds=20.0)
    kept = await opened_by(guild, ANN)
    await guild.wait(minutes=6)
    assert len(guild.discord.threads) == 2
    await guild.reconcile()
    assert list(guild.discord.threads) == [kept]
    assert guild.table.of_kind("NAMESAKE#") == []


async def test_20_openers_of_one_creator_at_once_create_one_private_thread(guild: Guild) -> None:
    processes = [guild.opener() for _ in range(4)]
    opened = await asyncio.gather(*(guild.open(private=True, process=processes[n % 4]) for n in range(20)))
    assert {answer.thread_id for answer in opened} == set(guild.discord.threads)
    assert len(guild.discord.threads) == 1


@pytest.mark.guild(table="memory", imported=False)
async def test_a_persons_or_a_sessions_private_thread_is_never_adopted_noted_or_named_in_public(guild: Guild) -> None:
    guild.people.create_thread(CHANNEL, f"Session {NAME}", type=PRIVATE_THREAD)
    guild.people.create_thread(CHANNEL, f"Session {NAME}", type=PRIVATE_THREAD, archived=True)
    private = await opened_by(guild, ANN)
    guild.people.rename(await opened_by(guild, ANN, "another"), f"Session {NAME}")
    for _ in range(2):
        await guild.reconcile()
        await guild.wait(minutes=6)
    public = await guild.open(user=ANN)

    assert public.outcome is Outcome.CREATED
    assert guild.discord.threads[public.thread_id].kind == 11
    assert guild.table.of_kind("NAMESAKE#") == []
    assert await opened_by(guild, ANN) == private


async def test_the_reconciler_follows_a_private_session_under_its_own_key(guild: Guild) -> None:
    await guild.open("followed", user=ANN)
    thread_id = await opened_by(guild, ANN)
    guild.people.rename(thread_id, "Session a new name")
    assert await guild.reconcile() == {"UpdateSession": 1}
    guild.people.auto_archive(thread_id)
    assert await guild.reconcile() == {"UpdateSession": 1}
    item = guild.table.private(ANN)
    assert (item["thread_name"], item["archived"]) == ("Session a new name", True)
    assert item["listed_in"] == f"{CHANNEL}#private"

    guild.people.delete_thread(thread_id)
    await guild.reconcile()
    assert (guild.table.private(ANN)["status"], guild.table.private(ANN)["generation"]) == ("vacant", 2)
    assert guild.table.pointer(thread_id) == {}
    assert guild.table.item() == {}


async def test_a_private_session_is_seen_by_its_creator_members_roles_and_moderators_only(guild: Guild) -> None:
    session = (await guild.open(user=ANN, private=True, members=(BOB,), roles=("77",))).session
    assert session.private
    for who in ({"user_id": ANN}, {"user_id": BOB}, {"user_id": EVE, "role_ids": {"77", "1"}}):
        assert may_see(session, **who)
    assert may_see(session, user_id=EVE, moderates=True)
    assert not may_see(session, user_id=EVE, role_ids={"1"})
    assert not may_see(session, user_id=None)
    assert may_see((await guild.open()).session, user_id=EVE)


async def test_without_manage_threads_the_lists_that_the_bot_may_read_have_to_do(guild: Guild) -> None:
    guild.people.set_permissions(CHANNEL, default_permissions_without("MANAGE_THREADS"))
    anns = await opened_by(guild, ANN)
    guild.people.auto_archive(anns)
    guild.table.lose_all(but=("CHANNEL",))
    assert await opened_by(guild, ANN) == anns


async def test_the_channels_access_role_is_let_into_each_private_session(guild: Guild) -> None:
    guild.table.put(guild.table.channel(), access_role_id="88")
    anns = await opened_by(guild, ANN, roles=("77",))
    assert guild.table.private(ANN)["role_ids"] == ["77", "88"]
    assert await opened_by(guild, "6", user_roles=frozenset({"88"})) == anns
