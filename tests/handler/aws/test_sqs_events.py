"""What is in the messages of SQS: a body of ours and of this version, or nothing."""

import pytest

from handler.aws.sqs_events import Malformed
from handler.reconciler import decode, encode


def test_a_guild_is_decoded_as_it_was_encoded() -> None:
    assert decode(encode("100000000000000001")) == "100000000000000001"


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "{}", "[" * 100_000, '{"guild_id": 1}', '{"guild_id": "1x"}', '{"guild_id": "1\\n"}', '"1"'],
)
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(Malformed):
        decode(body)


def test_a_message_of_another_version_is_malformed() -> None:
    with pytest.raises(Malformed, match="version 2"):
        decode('{"version": 2, "guild_id": "1"}')
