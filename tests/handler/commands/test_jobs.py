"""Jobs: what goes through the queue comes out the same, and nothing else comes out."""

import json
import math
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.aws.sqs_events import Malformed
from handler.commands.jobs import Job, NewerJob, back_off, decode, encode, whole_seconds
from handler.discord.interactions import Interaction, parse
from handler.runtime.secrets import Secret
from infra.interactions import interaction
from infra.virtual_time import START
from tests.kit.secrets import INTERACTION_TOKEN


def job() -> Job:
    payload = interaction(
        "1a06a43",
        topic="x",
        channel_id="1",
        guild_id="2",
        user_id="3",
        interaction_id="4",
        token=INTERACTION_TOKEN,
        now=START,
    )
    found = parse(payload)
    assert found is not None
    return Job.of(found, START)


def test_a_job_is_decoded_as_it_was_encoded() -> None:
    assert decode(encode(job())) == job()
    told = job().with_notice(wait_seconds=5, progress={"threads": 3})
    assert decode(encode(told)) == told


def test_a_message_always_has_its_version() -> None:
    assert json.loads(encode(job()))["version"] == 1


def test_a_job_shows_its_token_only_to_the_queue() -> None:
    assert INTERACTION_TOKEN not in repr(job())
    assert INTERACTION_TOKEN in encode(job())


def test_a_job_that_is_put_back_keeps_its_expiry_and_loses_its_notice() -> None:
    again = job().with_notice(wait_seconds=5, progress={"threads": 3}).put_back({}).put_back({})
    assert (again.put_backs, again.wait_seconds, again.progress) == (2, 0, {})
    assert again.expires_at == job().expires_at


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", "[" * 100_000, '"' + "\ud800" + '"'])
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(Malformed):
        decode(body)


@given(
    field=st.sampled_from(["version", "interaction", "received_at", "expires_at"]),
    value=st.none() | st.lists(st.text()),
)
def test_a_mistyped_field_is_malformed_and_its_value_is_not_shown(field: str, value: object) -> None:
    with pytest.raises(Malformed) as malformed:
        decode(json.dumps({**json.loads(encode(job())), field: value}))
    assert INTERACTION_TOKEN not in str(malformed.value)


def test_a_message_of_another_version_is_malformed() -> None:
    with pytest.raises(Malformed, match="version 0"):
        decode(json.dumps({**json.loads(encode(job())), "version": 0}))


def test_of_a_newer_version_it_is_known_whom_to_answer() -> None:
    with pytest.raises(NewerJob, match="version 2") as newer:
        decode(json.dumps({**json.loads(encode(job())), "version": 2}))
    assert newer.value.token.reveal() == INTERACTION_TOKEN
    assert INTERACTION_TOKEN not in repr(newer.value)


@pytest.mark.parametrize(("seconds", "whole"), [(-1.0, 0), (0.0, 0), (0.1, 1), (219.0, 219), (219.3, 220)])
def test_a_wait_is_never_rounded_down(seconds: float, whole: int) -> None:
    assert whole_seconds(seconds) == whole


def put_back(times: int, interaction_id: int) -> Job:
    found = msgspec.structs.replace(job().interaction, id=str(interaction_id))
    return msgspec.structs.replace(job(), interaction=found, put_backs=times)


def test_the_first_wait_is_what_discord_asks_for() -> None:
    assert back_off(put_back(0, 1), 219.3, START) == 220


@pytest.mark.parametrize(("times", "spread"), [(1, 30), (2, 90), (3, 110), (40, 110)])
def test_jobs_that_are_limited_together_again_come_back_one_after_another(times: int, spread: int) -> None:
    delays = [back_off(put_back(times, interaction_id), 30.0, START) for interaction_id in range(200)]
    assert min(delays) >= 30
    assert max(delays) <= 31 + spread
    assert max(delays.count(delay) for delay in delays) <= 3 * 200 / spread


def receives(jobs: int, *, spreads: bool) -> int:
    """How many receives it takes until a limit of two in half a minute has let all of them through."""
    waiting = [(0, put_back(0, interaction_id)) for interaction_id in range(jobs)]
    used, window, count = 0, 0, 0
    while waiting:
        now, job = min(waiting, key=lambda entry: entry[0])
        waiting.remove((now, job))
        count += 1
        if now // 30 != window:
            window, used = now // 30, 0
        if used < 2:
            used += 1
            continue
        left = float(30 - now % 30)
        delay = back_off(job, left, START + timedelta(seconds=min(now, 600))) if spreads else math.ceil(left)
        waiting.append((now + delay, job.put_back({})))
    return count


def test_a_crowd_of_jobs_costs_less_than_if_each_came_back_at_the_end_of_the_limit() -> None:
    assert receives(40, spreads=True) < receives(40, spreads=False) * 3 / 4


def test_a_job_that_is_alone_keeps_most_of_its_token_s_life() -> None:
    now, waiting = START, put_back(0, 1)
    for _ in range(3):
        now += timedelta(seconds=back_off(waiting, 240.0, now))
        waiting = waiting.put_back({})
    assert now + timedelta(seconds=10) < waiting.expiry


def test_a_job_s_place_among_the_others_changes() -> None:
    places = [back_off(put_back(times, 5), 30.0, START) for times in (4, 5, 6, 7)]
    assert len(set(places)) > 1


@given(
    st.builds(
        Interaction,
        id=st.just("1"),
        token=st.text(min_size=1).map(Secret),
        type=st.just(2),
        path=st.lists(st.text(), max_size=3).map(tuple),
        options=st.dictionaries(st.text(), st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1), max_size=3),
        user_permissions=st.none() | st.integers(0, 2**63 - 1),
    )
)
def test_every_interaction_that_can_be_read_can_be_handed_over(interaction: Interaction) -> None:
    assert decode(encode(Job.of(interaction, START))).interaction == interaction
