"""Who loses the role by which a private session was theirs is taken out of its thread."""

import pytest

from infra.simulator.faults import server_error
from infra.simulator.models import PRIVATE_THREAD
from tests.kit.guild import MEMBER, Guild
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory")

ANN, BOB, CARL, ROLE = MEMBER, "4", "6", "77"
REMOVAL = ("DELETE", "/channels/{channel_id}/thread-members/{user_id}")


async def with_a_role(guild: Guild, *users: str) -> str:
    """A private session of a role's, in whose thread these members with the role talk; the thread's id."""
    thread_id = (await guild.open(user=ANN, private=True, members=(BOB,), roles=(ROLE,))).thread_id
    for user in users:
        guild.people.set_roles(GUILD, user, [ROLE])
        guild.people.post_message(thread_id, by=user)
    await guild.reconcile()
    return thread_id


def members(guild: Guild, thread_id: str) -> set[str]:
    return {user for user, _ in guild.discord.threads[thread_id].members}


async def test_who_lost_the_role_is_removed_and_nobody_else(guild: Guild) -> None:
    thread_id = await with_a_role(guild, ANN, BOB, CARL, "8")
    for user in (ANN, BOB, CARL):
        guild.people.set_roles(GUILD, user, [])
    counts = await guild.reconcile()
    assert counts["RemoveMember"] == 1
    assert {ANN, BOB, "8"} <= members(guild, thread_id)
    assert CARL not in members(guild, thread_id)


async def test_who_has_it_again_or_another_of_the_sessions_roles_stays(guild: Guild) -> None:
    thread_id = await with_a_role(guild, CARL)
    guild.people.set_roles(GUILD, CARL, [])
    guild.people.set_roles(GUILD, CARL, [ROLE])
    await guild.reconcile()
    assert CARL in members(guild, thread_id)


async def test_a_run_that_cannot_remove_somebody_leaves_it_to_the_next_one(guild: Guild) -> None:
    thread_id = await with_a_role(guild, CARL)
    guild.people.set_roles(GUILD, CARL, [])
    guild.discord.faults.inject(*REMOVAL, server_error(), times=10)
    await guild.reconcile()
    assert CARL in members(guild, thread_id)
    guild.discord.faults.clear()
    await guild.reconcile()
    assert CARL not in members(guild, thread_id)


async def test_other_roles_and_public_threads_are_no_concern(guild: Guild) -> None:
    thread_id = await with_a_role(guild, CARL)
    public = (await guild.open("public", user=CARL)).thread_id
    guild.people.set_roles(GUILD, CARL, [ROLE, "78"])
    guild.people.set_roles(GUILD, CARL, [ROLE])
    guild.people.set_roles(GUILD, "9", ["78"])
    guild.people.set_roles(GUILD, "9", [])
    guild.calls.forget()
    await guild.reconcile()
    assert not [call for call in guild.calls.of("discord") if "members" in call]
    assert CARL in members(guild, thread_id) & members(guild, public)


async def test_who_left_the_server_is_gone_already(guild: Guild) -> None:
    thread_id = await with_a_role(guild, CARL)
    guild.people.set_roles(GUILD, CARL, [])
    guild.discord.people.remove_member(GUILD, CARL)
    counts = await guild.reconcile()
    assert not counts["failed"]
    assert guild.discord.threads[thread_id].kind == PRIVATE_THREAD
    assert guild.table.private(ANN)["parent_channel_id"] == CHANNEL
