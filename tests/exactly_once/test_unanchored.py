"""The process that creates a post or a private thread dies right after a remote call; then others go on, and the reconciler.

Such a thread has no anchor, so a second one can come into being. In the end one is kept, with the session; nobody wrote in the other.
"""

import pytest

from tests.exactly_once.acts import POST, POST_AGAIN, PRIVATE, PRIVATE_AGAIN, Act, calls_of
from tests.kit.guild import MEMBER, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import NAME

LEASE_OVER_SECONDS = 16.0
CASES = [(act, call) for act in (POST, POST_AGAIN, PRIVATE, PRIVATE_AGAIN) for call in calls_of(act)]


@pytest.mark.parametrize("who", ["another", "the same request"])
@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_one_thread_is_created_linked_and_kept(act: Act, call: Call, who: str) -> None:
    async def play(guild: Guild) -> None:
        await act.prepare(guild)
        guild.restart()
        guild.calls.forget()
        guild.calls.dies_after = call
        await guild.death(guild.open(owner="who dies", private=act.private))
        if who == "another":
            await guild.wait(LEASE_OVER_SECONDS)
        opened = await guild.open(owner="who dies" if who == "the same request" else None, private=act.private)
        await guild.wait(minutes=6)
        await guild.reconcile()

        (thread,) = guild.living_threads(private=act.private)
        item = guild.table.private(MEMBER) if act.private else guild.table.item()
        assert opened.thread_id == thread.id == item["discord_thread_id"]
        assert guild.table.pointer(thread.id)["session_key"] == (f"PRIVATE#{NAME}#{MEMBER}" if act.private else NAME)
        assert thread.has_member(MEMBER) or not act.private  # who is not in a private thread cannot see it
        assert guild.table.namesakes() == []

    with act.guild() as guild:
        guild.run(play(guild))


@pytest.mark.parametrize(("act", "call"), [(act, call) for act in (POST, PRIVATE) for call in calls_of(act)], ids=str)
def test_after_a_death_the_reconciler_alone_leaves_a_state_in_which_one_thread_is_kept(act: Act, call: Call) -> None:
    async def play(guild: Guild) -> None:
        guild.calls.dies_after = call
        await guild.death(guild.open(owner="who dies", private=act.private))
        for _ in range(3):
            await guild.wait(minutes=6)
            await guild.reconcile()
        opened = await guild.open(private=act.private)
        assert [thread.id for thread in guild.living_threads(private=act.private)] == [opened.thread_id]

    with act.guild() as guild:
        guild.run(play(guild))
