"""The entrances' numbers fit together, and fit the template that gives them their time."""

from typing import Any

from handler import api, webhook, worker
from handler.commands import jobs
from handler.runtime import deadline
from tests.kit.sam_template import template

DISCORD_WAITS = 3.0  # seconds; Discord docs, "Receiving and Responding"


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


def test_the_webhook_is_done_before_discord_gives_up() -> None:
    assert webhook.ANSWER_SECONDS + deadline.CANCEL_SECONDS < webhook.HAND_OVER_SECONDS < DISCORD_WAITS
    assert properties("WebhookFunction")["Timeout"] > DISCORD_WAITS


def test_a_hand_over_has_time_for_two_attempts_where_the_first_one_hangs() -> None:
    assert webhook.HAND_OVER_SECONDS - webhook.ANSWER_SECONDS > jobs.READ_TIMEOUT_SECONDS


def test_after_the_command_the_worker_has_time_to_put_back_and_to_edit_the_answer() -> None:
    after = deadline.GRACE_SECONDS + deadline.CANCEL_SECONDS + worker.SEND_SECONDS + worker.EDIT_SECONDS
    assert after + worker.NOTE_SECONDS < worker.MARGIN_SECONDS
    assert properties("WorkerFunction")["Timeout"] >= worker.COMMAND_SECONDS + worker.MARGIN_SECONDS


def test_an_edit_that_takes_all_time_leaves_some_to_put_the_job_back() -> None:
    after = worker.SEND_SECONDS + deadline.CANCEL_SECONDS + worker.NOTE_SECONDS
    assert after < worker.SEND_MARGIN_SECONDS < worker.MARGIN_SECONDS


def test_the_worker_knows_its_queue() -> None:
    queue = properties("JobsQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == worker.MAX_RECEIVES
    assert queue["VisibilityTimeout"] == worker.REDELIVERY_SECONDS
    assert queue["VisibilityTimeout"] > properties("WorkerFunction")["Timeout"]


def test_all_receives_of_a_job_fit_into_the_life_of_its_token() -> None:
    life = (jobs.TOKEN_LIFE - jobs.TOKEN_MARGIN).total_seconds()
    assert worker.MAX_RECEIVES * worker.REDELIVERY_SECONDS < life <= properties("JobsQueue")["MessageRetentionPeriod"]


def test_ensure_answers_before_lambda_ends_it() -> None:
    assert deadline.GRACE_SECONDS + deadline.CANCEL_SECONDS < api.MARGIN_SECONDS < properties("ApiFunction")["Timeout"]
