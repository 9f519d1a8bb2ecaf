"""The process that creates a post dies right after a remote call; then others open the session, and the reconciler runs.

A post has no anchor, so a second one can come into being. In the end one is kept, with the session; nobody wrote in the other.
"""

import pytest

from tests.exactly_once.acts import POST, POST_AGAIN, Act, calls_of
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import NAME

LEASE_OVER_SECONDS = 16.0
CASES = [(act, call) for act in (POST, POST_AGAIN) for call in calls_of(act)]


@pytest.mark.parametrize("who", ["another", "the same request"])
@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_one_post_is_created_linked_and_kept(act: Act, call: Call, who: str) -> None:
    async def play(guild: Guild) -> None:
        await act.prepare(guild)
        guild.restart()
        guild.calls.forget()
        guild.calls.dies_after = call
        await guild.death(guild.open(owner="who dies"))
        if who == "another":
            await guild.wait(LEASE_OVER_SECONDS)
        opened = await guild.open(owner="who dies" if who == "the same request" else None)
        await guild.reconcile()

        (thread,) = guild.living_threads()
        assert opened.thread_id == thread.id == guild.table.item()["discord_thread_id"]
        assert guild.table.pointer(thread.id)["session_key"] == NAME
        assert guild.table.namesakes() == []

    with act.guild() as guild:
        guild.run(play(guild))


@pytest.mark.parametrize("call", calls_of(POST), ids=str)
def test_after_a_death_the_reconciler_alone_leaves_a_state_in_which_one_post_is_kept(call: Call) -> None:
    async def play(guild: Guild) -> None:
        guild.calls.dies_after = call
        await guild.death(guild.open(owner="who dies"))
        for _ in range(3):
            await guild.wait(minutes=6)
            await guild.reconcile()
        opened = await guild.open()
        assert [thread.id for thread in guild.living_threads()] == [opened.thread_id]

    with POST.guild() as guild:
        guild.run(play(guild))
