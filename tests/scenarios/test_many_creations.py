"""How many sessions a member may have created (`MemberCreationsPerHour`): a bound that nobody meets who uses it by hand."""

import asyncio
import re
from typing import Any

import pytest

from tests.kit.aws_faults import Fault
from tests.kit.deployment import USER, Asked, Deployment
from tests.kit.guild import IMPORTED_AT
from tests.kit.memory_wire import MemoryWire
from tests.kit.table_view import CHANNEL, GUILD

MOST, EACH = 3, 1200  # sessions, and how many seconds it takes until one more may be created
OTHER = "100000000000000777"
pytestmark = pytest.mark.guild(table="memory", imported=True, settings={"MEMBER_CREATIONS_PER_HOUR": str(MOST)})


async def use_up(deployment: Deployment) -> None:
    for number in range(MOST):
        assert "Started a thread" in (await deployment.ask(f"old {number}")).content


def is_refused(asked: Asked) -> bool:
    return "You've started a lot of sessions here" in asked.content


def claims(deployment: Deployment) -> list[Any]:
    return [item for item in deployment.table.items() if item.get("status") == "creating"]


async def test_one_too_many_is_refused_with_the_time_of_the_next_and_leaves_nothing(deployment: Deployment) -> None:
    await use_up(deployment)
    refused = await deployment.ask("new")
    assert refused.kind == 4
    assert is_refused(refused)
    (again_at,) = re.findall(r"<t:(\d+):R>", refused.content)
    assert int(again_at) - deployment.now.timestamp() == pytest.approx(EACH, abs=2)
    assert not deployment.living_threads("new")
    assert len(deployment.source_messages()) == MOST
    assert not claims(deployment)
    assert not deployment.queue.sent


async def test_what_was_used_up_comes_back_one_after_another(deployment: Deployment) -> None:
    await use_up(deployment)
    await deployment.wait(EACH)
    assert "Started a thread" in (await deployment.ask("one")).content
    assert is_refused(await deployment.ask("two"))
    await deployment.wait(3600)
    for number in range(MOST):
        assert "Started a thread" in (await deployment.ask(f"new {number}")).content
    assert is_refused(await deployment.ask("one too many"))
    await deployment.days_pass(3)
    assert not deployment.table.of_kind("MEMBER#")


async def test_sessions_that_exist_are_linked_reopened_and_adopted_all_the_same(deployment: Deployment) -> None:
    await use_up(deployment)
    assert "is already open" in (await deployment.ask("old 0")).content
    deployment.people.archive(deployment.living_threads("old 1")[0].id)
    assert "reopened" in (await deployment.ask("old 1")).content
    thread = deployment.people.create_thread(CHANNEL, "Session by hand")
    assert f"<#{thread}>" in (await deployment.ask("by hand")).content
    assert is_refused(await deployment.ask("new"))


async def test_other_members_and_programs_are_not_concerned(deployment: Deployment) -> None:
    await use_up(deployment)
    assert "Started a thread" in (await deployment.ask("new", user_id=OTHER)).content
    for number in range(MOST + 1):
        assert (await deployment.ensure(session_name=f"by a program {number}"))["outcome"] == "created"


async def test_the_same_member_has_a_bound_of_its_own_in_another_server(deployment: Deployment) -> None:
    await use_up(deployment)
    deployment.discord.add_guild("100000000000000021")
    deployment.discord.add_channel("100000000000000021", "100000000000000022")
    there: dict[str, Any] = {"guild_id": "100000000000000021", "channel_id": "100000000000000022"}
    await deployment.ask("new", **there)
    assert deployment.living_threads("new", "100000000000000022")


async def test_a_request_that_webhook_and_worker_work_on_is_counted_once(deployment: Deployment) -> None:
    for number in range(MOST):
        deployment.latency = 1.0  # the webhook is cut off after its claim
        asked = await deployment.ask(f"slow {number}")
        assert asked.kind == 5
        deployment.latency = 0.0
        await deployment.work()
        assert "Started a thread" in deployment.shown(asked)
    assert is_refused(await deployment.ask("new"))


async def test_the_worker_says_so_at_once_and_does_not_put_the_job_back(deployment: Deployment) -> None:
    await use_up(deployment)
    asked = await deployment.ask("new", old=2.9)
    assert await deployment.work() == 1
    assert "You've started a lot of sessions here" in deployment.shown(asked)
    assert len(deployment.queue.sent) == 1
    assert not deployment.queue.dead


async def test_no_more_than_the_bound_are_created_at_once(deployment: Deployment) -> None:
    deployment.latency = 0.1
    asked = await asyncio.gather(*(deployment.ask(f"new {number}") for number in range(MOST * 3)))
    assert sum("Started a thread" in one.content for one in asked) == MOST
    assert sum(map(is_refused, asked)) == MOST * 2
    assert len(deployment.discord.threads) == MOST
    assert not claims(deployment)


async def test_who_waits_for_the_claim_of_another_request_is_not_counted(deployment: Deployment) -> None:
    await use_up(deployment)
    deployment.latency = 0.1
    first, second = await asyncio.gather(deployment.ask("new", user_id=OTHER), _a_moment_later(deployment, "new"))
    assert "Started a thread" in first.content
    assert f"<#{deployment.living_threads('new')[0].id}>" in second.content


async def _a_moment_later(deployment: Deployment, name: str) -> Asked:
    await asyncio.sleep(0.05)
    return await deployment.ask(name)


async def test_in_a_channel_that_is_being_imported_a_request_is_counted_once(deployment: Deployment) -> None:
    deployment.table.lose(deployment.table.channel())
    deployment.discord.people.add_archived_threads(CHANNEL, 500, newest=IMPORTED_AT)
    deployment.latency = 1.0
    asked = await deployment.ask("new", old=2.0)
    await deployment.work()
    assert "Started a thread" in deployment.shown(asked)
    deployment.latency = 0.0
    deployment.restart()
    for number in range(MOST - 1):
        assert "Started a thread" in (await deployment.ask(f"more {number}")).content
    assert is_refused(await deployment.ask("too many"))


@pytest.mark.guild(settings={"MEMBER_CREATIONS_PER_HOUR": "0"})
async def test_without_a_bound_nothing_is_counted(deployment: Deployment) -> None:
    for number in range(5):
        assert "Started a thread" in (await deployment.ask(f"new {number}")).content
    assert not deployment.table.of_kind("MEMBER#")


async def test_a_wrong_clock_does_not_shut_a_member_out(deployment: Deployment) -> None:
    far = int(deployment.now.timestamp() + 86_400) * 1000
    deployment.table.put({"pk": f"GUILD#{GUILD}", "sk": f"MEMBER#{USER}", "used_until": far})
    assert "Started a thread" in (await deployment.ask("new")).content


@pytest.mark.guild(table="client")
async def test_if_the_count_cannot_be_written_the_worker_finishes_the_request(deployment: Deployment) -> None:
    assert isinstance(deployment.wire, MemoryWire)
    deployment.wire.faults.append(Fault("UpdateItem", 2, "access_denied"))  # the first one is the claim
    asked = await deployment.ask("new")
    assert asked.kind == 5
    assert not deployment.source_messages()
    await deployment.work()
    assert f"<#{deployment.living_threads('new')[0].id}>" in deployment.shown(asked)
