"""Jobs: what goes through the queue comes out the same, and nothing else comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.aws.sqs_events import Malformed
from handler.commands.jobs import Job, decode, encode, whole_seconds
from handler.discord.interactions import Interaction, parse
from handler.runtime.secrets import Secret
from infra.interactions import interaction
from tests.kit.secrets import INTERACTION_TOKEN
from tests.kit.virtual_time import START


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
    with pytest.raises(Malformed, match="version 2"):
        decode(json.dumps({**json.loads(encode(job())), "version": 2}))


@pytest.mark.parametrize(("seconds", "whole"), [(-1.0, 0), (0.0, 0), (0.1, 1), (219.0, 219), (219.3, 220)])
def test_a_wait_is_never_rounded_down(seconds: float, whole: int) -> None:
    assert whole_seconds(seconds) == whole


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
