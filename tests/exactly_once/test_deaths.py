"""The process dies right after a remote call had its effect, after each one in turn; then somebody opens the session.

Whether the dead one's lease is still running or over, and whether Discord remembers the nonce or not: one thread, linked.
Only where the nonce is forgotten may a source message without a thread be left.
"""

import pytest

from handler.sessions.model import Opened
from tests.exactly_once.acts import CREATION, ENDED, FIRST_CONTACT, Act, calls_of
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, GUILD, NAME

LEASE_OVER_SECONDS = 16.0
CASES = [(act, call) for act in (CREATION, FIRST_CONTACT, ENDED) for call in calls_of(act)]


@pytest.mark.parametrize("nonce", ["window open", "window closed"])
@pytest.mark.parametrize("lease", ["lease running", "lease over"])
@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_the_next_open_ends_with_one_linked_thread(act: Act, call: Call, lease: str, nonce: str) -> None:
    async def play(guild: Guild) -> None:
        await _dead(guild, act, call)
        if lease == "lease over":
            await guild.wait(LEASE_OVER_SECONDS)
        if nonce == "window closed":
            guild.discord.close_nonce_window()

        opened = await guild.open()
        _check(guild, opened, messages_left=1 if nonce == "window closed" else 0)

    with act.guild() as guild:
        guild.run(play(guild))


@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_the_same_request_again_need_not_wait(act: Act, call: Call) -> None:
    async def play(guild: Guild) -> None:
        await _dead(guild, act, call)
        began = guild.now

        opened = await guild.open(owner="who dies")
        assert not opened.waited
        assert (guild.now - began).total_seconds() < 1.0
        _check(guild, opened, messages_left=0)

    with act.guild() as guild:
        guild.run(play(guild))


async def _dead(guild: Guild, act: Act, call: Call) -> None:
    """An opener has died right after that call."""
    await act.prepare(guild)
    guild.restart()
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(guild.open(owner="who dies"))


def _check(guild: Guild, opened: Opened, *, messages_left: int) -> None:
    (thread,) = guild.living_threads()
    assert opened.thread_id == thread.id
    without_thread = [message.id for message in guild.source_messages() if message.id != thread.id]
    assert len(without_thread) <= messages_left
    assert [(item["pk"], item["sk"]) for item in guild.table.items() if item["pk"] != f"GUILD#{GUILD}"] == [
        (f"CHANNEL#{CHANNEL}", "CHANNEL"),
        (f"CHANNEL#{CHANNEL}", f"SESSION#{NAME}"),
        (f"THREAD#{thread.id}", "THREAD"),
    ]
    item = guild.table.item()
    assert (item["status"], item["discord_thread_id"]) == ("open", thread.id)
