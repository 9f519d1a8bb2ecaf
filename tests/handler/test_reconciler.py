"""The reconciler's entrance: the schedule sends the due guilds, a message runs its guild, and no fault takes others along."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from handler import reconciler
from handler.config import ReconcilerConfig
from handler.errors import ConfigurationError
from handler.reconciler import decode, encode
from handler.runtime.clock import iso
from handler.sessions.reconcile.run import run_once
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.faults import error, server_error
from infra.simulator.refusals import too_many_requests
from infra.virtual_time import START
from tests.kit.deployment import Deployment
from tests.kit.table_view import GUILD

CONTEXT = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
LIST = "/guilds/*/threads/active"


def know(deployment: Deployment, *guild_ids: str, due_at: str = iso(START)) -> None:
    for guild_id in guild_ids:
        known = {"guild_id": guild_id, "watch_guild_id": guild_id, "due_in": "GUILDS", "due_at": due_at}
        deployment.table.put({"pk": f"GUILD#{guild_id}", "sk": "GUILD", **known})


def waiting(deployment: Deployment) -> list[str]:
    return [decode(message.text) for message in deployment.guilds.waiting]


def records(*bodies: str) -> dict[str, Any]:
    return sqs_event(*(sqs_record(body, now=START, message_id=f"m{n}") for n, body in enumerate(bodies)))


async def receive(deployment: Deployment, event: Any, seconds: float = 120.0) -> dict[str, Any]:
    return await reconciler.handle(deployment.environment(ReconcilerConfig), event, "r", seconds)


def logged(capsys: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def metric(lines: list[dict[str, Any]], name: str) -> float:
    return float(sum(line.get(name, [0])[0] for line in lines if "_aws" in line))


# The schedule


async def test_a_guild_that_was_used_once_is_sent_at_the_next_tick_and_then_run(deployment: Deployment) -> None:
    await deployment.ensure()
    assert await deployment.tick() == {"due": 1, "sent": 1, "unsent": 0}
    assert waiting(deployment) == [GUILD]
    (thread,) = deployment.discord.threads
    deployment.discord.people.rename(thread, "Session 1a06a43: login bug", now=deployment.clock.now())
    answer = await deployment.receive_guilds()
    assert answer["batchItemFailures"] == []
    assert answer["runs"] == [{"guild_id": GUILD, "counts": answer["runs"][0]["counts"]}]
    assert answer["runs"][0]["counts"]["UpdateSession"] == 1
    assert deployment.table.item()["thread_name"] == "Session 1a06a43: login bug"


async def test_a_parked_guild_is_not_sent_until_its_pause_is_over(deployment: Deployment) -> None:
    know(deployment, "1")
    know(deployment, "2", due_at=iso(START + timedelta(hours=1)))
    assert (await deployment.tick())["sent"] == 1
    assert waiting(deployment) == ["1"]
    await deployment.clock.sleep(3601)
    assert (await deployment.tick())["due"] == 2


@pytest.mark.parametrize("event", [None, {}, [], "x", {"source": "aws.scheduler"}])
async def test_any_event_without_records_is_the_schedule(deployment: Deployment, event: Any) -> None:
    know(deployment, "1")
    assert await receive(deployment, event) == {"due": 1, "sent": 1, "unsent": 0}


async def test_guilds_that_could_not_be_sent_are_counted_and_the_others_are_sent(
    deployment: Deployment, capsys: Any
) -> None:
    guilds = [str(number) for number in range(1, 26)]
    know(deployment, *guilds)
    deployment.guilds.rejected = {'"7"': 99}
    assert await receive(deployment, {}) == {"due": 25, "sent": 24, "unsent": 1}
    assert sorted([*waiting(deployment), "7"], key=int) == guilds
    lines = logged(capsys)
    assert metric(lines, "UnsentGuilds") == 1
    assert metric(lines, "DueGuilds") == 25
    assert any("were not sent" in line.get("message", "") for line in lines)


async def test_a_tick_sends_nothing_while_many_guilds_of_an_earlier_one_wait(
    deployment: Deployment, capsys: Any
) -> None:
    guilds = [str(number) for number in range(1, 102)]
    know(deployment, *guilds)
    assert (await deployment.tick())["sent"] == len(guilds)
    assert (await deployment.tick())["sent"] == 0
    assert waiting(deployment) == sorted(waiting(deployment), key=waiting(deployment).index)
    deployment.guilds.receive()
    assert (await deployment.tick())["sent"] == len(guilds)
    assert metric(logged(capsys), "LateTicks") == 1


@pytest.mark.guild(table="memory")
async def test_a_hundred_guilds_that_wait_keep_no_tick_from_sending_all_again(deployment: Deployment) -> None:
    know(deployment, *map(str, range(1, 151)))
    await deployment.tick()
    deployment.guilds.receive(49)
    assert (await deployment.tick())["sent"] == 0
    deployment.guilds.receive(1)
    assert (await deployment.tick())["sent"] == 150


async def test_few_guilds_do_not_pile_up_either(deployment: Deployment) -> None:
    know(deployment, "1", "2", "3")
    assert (await deployment.tick())["sent"] == 3
    assert (await deployment.tick())["sent"] == 0
    assert waiting(deployment) == ["1", "2", "3"]
    deployment.guilds.receive()
    assert (await deployment.tick())["sent"] == 3  # one of them may take long; the others are not to wait for it


async def test_a_tick_that_cannot_read_the_table_is_over_and_says_that_it_was(
    deployment: Deployment, capsys: Any
) -> None:
    deployment.wire.fail("Query", "access_denied")
    assert await deployment.tick() == {"due": 0, "sent": 0, "unsent": 0}
    lines = logged(capsys)
    assert [line["DueGuilds"] for line in lines if "DueGuilds" in line] == [[0.0]]
    assert not metric(lines, "FailedRuns")  # the refusal is counted as the operator's fault
    (done,) = [line for line in lines if line.get("message") == "done"]
    assert done["outcome"] == "store_unavailable"


async def test_a_tick_without_guilds_asks_nothing(deployment: Deployment) -> None:
    assert (await deployment.tick())["sent"] == 0
    assert deployment.guilds.requests == []


async def test_guilds_are_sent_if_the_queue_does_not_say_how_many_wait(deployment: Deployment) -> None:
    know(deployment, *(str(number) for number in range(1, 102)))
    deployment.guilds.faults = ["access_denied"]
    assert (await receive(deployment, {}))["unsent"] == 0


# The guilds


async def test_a_malformed_message_fails_and_the_guilds_of_the_others_are_run(
    deployment: Deployment, capsys: Any
) -> None:
    know(deployment, GUILD)
    answer = await receive(deployment, records("nonsense", encode(GUILD), "{}"))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m2"]
    assert [run["guild_id"] for run in answer["runs"]] == [GUILD]
    done = {line["message_id"]: line for line in logged(capsys) if line.get("message") == "done"}
    assert {id: line["outcome"] for id, line in done.items()} == {"m0": "malformed", "m1": "done", "m2": "malformed"}
    assert done["m1"]["guild_id"] == GUILD
    assert done["m1"]["discord_calls"] == 2


@pytest.mark.parametrize("event", [{"Records": []}, {"Records": None}, {"Records": [5]}])
async def test_an_event_without_messages_fails_nothing_and_is_not_the_schedule(
    deployment: Deployment, event: Any
) -> None:
    know(deployment, GUILD)
    assert await receive(deployment, event) == {"batchItemFailures": [], "runs": []}
    assert waiting(deployment) == []


async def test_a_message_runs_its_guild_even_if_that_is_parked_or_unknown(deployment: Deployment) -> None:
    know(deployment, GUILD, due_at=iso(START + timedelta(days=1)))
    deployment.discord.add_guild("2")
    answer = await receive(deployment, records(encode(GUILD), encode("2")))
    assert (len(answer["runs"]), answer["batchItemFailures"]) == (2, [])


async def test_a_guild_that_the_bot_has_left_is_parked_and_its_message_is_done(
    deployment: Deployment, capsys: Any
) -> None:
    know(deployment, GUILD)
    deployment.discord.people.remove_bot_from_guild(GUILD, now=START)
    answer = await receive(deployment, records(encode(GUILD)))
    assert answer == {"batchItemFailures": [], "runs": [{"guild_id": GUILD, "counts": {"parked": 1}}]}
    runs = [line for line in logged(capsys) if "GuildRuns" in line]
    assert [line["Outcome"] for line in runs] == ["parked"]


async def test_a_refused_token_fails_the_message_and_says_so(deployment: Deployment, capsys: Any) -> None:
    know(deployment, GUILD)
    deployment.discord.faults.inject("GET", LIST, error(401, 0, "401: Unauthorized"), times=1)
    answer = await receive(deployment, records(encode(GUILD)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}], "runs": []}
    assert "bot_token_refused" in [line.get("outcome") for line in logged(capsys)]


async def test_an_unavailable_discord_fails_the_message_and_the_next_delivery_succeeds(deployment: Deployment) -> None:
    know(deployment, GUILD)
    deployment.discord.faults.inject("GET", LIST, server_error(), times=3)
    assert len((await receive(deployment, records(encode(GUILD))))["batchItemFailures"]) == 1
    assert (await receive(deployment, records(encode(GUILD))))["batchItemFailures"] == []


async def test_a_429_is_not_waited_out(deployment: Deployment) -> None:
    know(deployment, GUILD)
    deployment.discord.faults.inject("GET", LIST, too_many_requests(1.0), times=1)
    began = deployment.clock.now()
    answer = await receive(deployment, records(encode(GUILD)))
    assert len(answer["batchItemFailures"]) == 1
    assert deployment.clock.now() - began < timedelta(seconds=0.5)


async def test_a_run_that_takes_too_long_is_cancelled_and_delivered_again(deployment: Deployment) -> None:
    know(deployment, GUILD)
    environment = deployment.environment(ReconcilerConfig)
    await environment.pace(100)  # others have taken the turns of the next twenty seconds
    answer = await receive(deployment, records(encode(GUILD)), 10.0)
    assert answer["batchItemFailures"] == [{"itemIdentifier": "m0"}]


async def test_a_fault_of_ours_fails_only_its_own_message(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    async def faulty(context: Any, guild_id: str, *rest: Any, **more: Any) -> Any:
        if guild_id == "2":
            raise ZeroDivisionError
        return await run_once(context, guild_id, *rest, **more)

    monkeypatch.setattr("handler.reconciler.run_once", faulty)
    know(deployment, GUILD)
    answer = await receive(deployment, records(encode("2"), encode(GUILD)))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert len(answer["runs"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_held_deletions_are_a_metric_and_actions_are_counted_by_name(deployment: Deployment, capsys: Any) -> None:
    for number in range(5):
        await deployment.ensure(session_name=f"s{number}")
    for thread in list(deployment.discord.threads):
        deployment.discord.people.delete_thread(thread, now=deployment.clock.now())
    await deployment.tick()
    assert (await deployment.receive_guilds())["runs"][0]["counts"]["held"] == 5
    lines = logged(capsys)
    assert metric(lines, "HeldDeletions") == 5
    assert [line["Action"] for line in lines if "ReconcileActions" in line] == ["HoldDeletion"]
    assert metric(lines, "ReconcileActions") == 5
    (done,) = (line for line in lines if line.get("guild_id") == GUILD and line.get("message") == "done")
    assert done["counts"] == {"held": 5, "HoldDeletion": 5, "looked_at": 5}


async def test_guilds_of_one_event_share_one_pace(deployment: Deployment) -> None:
    guilds = [str(number) for number in range(1, 6)]
    for guild_id in guilds:
        deployment.discord.add_guild(guild_id)
    know(deployment, *guilds)
    began = deployment.clock.now()
    await receive(deployment, records(*map(encode, guilds)))
    took = (deployment.clock.now() - began).total_seconds()
    assert took >= 8 / 5  # ten requests, five a second, the last two at once


# The environment


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILE_QUEUE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="RECONCILE_QUEUE_URL"):
        reconciler.lambda_handler({}, CONTEXT)
