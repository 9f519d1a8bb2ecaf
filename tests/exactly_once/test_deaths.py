"""The process dies right after a remote call had its effect, after each one in turn; then somebody opens the session.

Whether the dead one's lease is still running or over, and whether Discord remembers the nonce or not: one thread, linked.
Only where the nonce is forgotten may a source message without a thread be left.
"""

import pytest

from handler.sessions.model import Opened
from tests.exactly_once.acts import CREATION, ENDED, FIRST_CONTACT, Act, calls_of
from tests.kit import virtual_time
from tests.kit.journal import Call
from tests.kit.stage import Stage
from tests.kit.table_view import CHANNEL, GUILD, NAME

LEASE_OVER_SECONDS = 16.0
CASES = [(act, call) for act in (CREATION, FIRST_CONTACT, ENDED) for call in calls_of(act)]


@pytest.mark.parametrize("nonce", ["window open", "window closed"])
@pytest.mark.parametrize("lease", ["lease running", "lease over"])
@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_the_next_open_ends_with_one_linked_thread(act: Act, call: Call, lease: str, nonce: str) -> None:
    async def play(stage: Stage) -> None:
        await _dead(stage, act, call)
        if lease == "lease over":
            await stage.wait(LEASE_OVER_SECONDS)
        if nonce == "window closed":
            stage.discord.close_nonce_window()

        opened = await stage.open()
        _check(stage, opened, messages_left=1 if nonce == "window closed" else 0)

    with act.stage() as stage:
        virtual_time.run(stage.play(play(stage)))


@pytest.mark.parametrize(("act", "call"), CASES, ids=[f"{act} - {call}" for act, call in CASES])
def test_after_a_death_the_same_request_again_need_not_wait(act: Act, call: Call) -> None:
    async def play(stage: Stage) -> None:
        await _dead(stage, act, call)
        began = stage.now

        opened = await stage.open(owner="who dies")
        assert not opened.waited
        assert (stage.now - began).total_seconds() < 1.0
        _check(stage, opened, messages_left=0)

    with act.stage() as stage:
        virtual_time.run(stage.play(play(stage)))


async def _dead(stage: Stage, act: Act, call: Call) -> None:
    """An opener has died right after that call."""
    await act.prepare(stage)
    stage.restart()
    stage.forget()
    stage.dies_after = call
    await stage.death(stage.open(owner="who dies"))


def _check(stage: Stage, opened: Opened, *, messages_left: int) -> None:
    (thread,) = stage.living_threads()
    assert opened.thread_id == thread.id
    without_thread = [message.id for message in stage.source_messages() if message.id != thread.id]
    assert len(without_thread) <= messages_left
    assert [(item["pk"], item["sk"]) for item in stage.items() if item["pk"] != f"GUILD#{GUILD}"] == [
        (f"CHANNEL#{CHANNEL}", "CHANNEL"),
        (f"CHANNEL#{CHANNEL}", f"SESSION#{NAME}"),
        (f"THREAD#{thread.id}", "THREAD"),
    ]
    item = stage.item()
    assert item is not None
    assert (item["status"], item["discord_thread_id"]) == ("open", thread.id)
