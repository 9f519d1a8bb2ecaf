"""The worker's entrance: what is a message of ours, what is named as failed, and several side by side."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handler import worker
from handler.config import WorkerConfig
from handler.errors import DiscordUnavailable
from infra.interactions import sqs_event, sqs_record
from tests.kit.commands import Case
from tests.kit.deployment import Deployment
from tests.kit.virtual_time import START


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", "null", '{"version":1,"interaction":{},"received_at":"x","expires_at":"x"}']
)
def test_a_malformed_message_is_failed_each_time_and_ends_among_the_dead_letters(body: str) -> None:
    with Deployment() as deployment:

        async def scenario() -> Any:
            event = sqs_event(sqs_record(body, now=START, message_id="m"))
            return await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0)

        assert deployment.run(scenario()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


@pytest.mark.parametrize("change", [{"version": 2}, {"expires_at": "soon"}, {"interaction": {"id": 1}}])
def test_a_message_of_another_form_is_malformed_and_its_token_is_not_logged(
    change: dict[str, Any], capsys: Any
) -> None:
    with Case() as case:

        async def scenario() -> Any:
            await case.handed_over()
            message = case.queue.waiting[0]
            message.text = json.dumps({**message.body, **change})
            return await case.receive()

        assert len(case.run(scenario())["batchItemFailures"]) == 1
        logged = capsys.readouterr().out
        assert '"kind":"malformed"' in logged
        assert "made-up-token" not in logged


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, {"Records": [5]}])
def test_an_event_without_messages_fails_nothing(event: Any) -> None:
    with Deployment() as deployment:

        async def scenario() -> Any:
            return await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0)

        assert deployment.run(scenario()) == {"batchItemFailures": []}


def test_messages_of_one_event_run_side_by_side_and_only_the_failed_ones_are_named(capsys: Any) -> None:
    with Case(DiscordUnavailable(), "done", takes=10.0) as case:

        async def scenario() -> Any:
            await case.handed_over()
            await case.handed_over()
            texts_of = [message.text for message in case.queue.waiting]
            records = [
                sqs_record(text, now=START, message_id=f"m{i}") for i, text in enumerate([*texts_of, "nonsense"])
            ]
            began = case.clock.now()
            answer = await worker.handle(case.environment(WorkerConfig), sqs_event(*records), "r", 60.0)
            assert case.clock.now() - began < timedelta(seconds=11)
            return answer

        failed = [failure["itemIdentifier"] for failure in case.run(scenario())["batchItemFailures"]]
        assert failed == ["m0", "m2"]
        done = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"message":"done"' in line]
        by_message = {line["message_id"]: line for line in done if line["function"] == "worker"}
        assert set(by_message) == {"m0", "m1", "m2"}
        assert by_message["m0"]["outcome"] == "discord_unavailable"
        assert "outcome" not in by_message["m1"]
        assert by_message["m2"]["outcome"] == "malformed"
        assert by_message["m0"]["interaction_id"] != by_message["m1"]["interaction_id"]
