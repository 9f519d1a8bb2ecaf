"""Which of the protocol's steps a change of an item is."""

from typing import Any

import pytest

from infra.page.steps import changes_of, step_of

CLAIMED = {"status": "creating", "generation": "1"}
RECORDED = {**CLAIMED, "source_message_id": "5"}
OPEN = {**RECORDED, "status": "open", "discord_thread_id": "5"}


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ({}, CLAIMED, "claim"),
        (CLAIMED, {**CLAIMED, "lease_until": "later"}, "take over, or renew the lease"),
        (CLAIMED, RECORDED, "record the source message"),
        (RECORDED, OPEN, "commit"),
        (CLAIMED, {"status": "vacant", "generation": "1"}, "drop the claim"),
        (OPEN, {"status": "vacant", "generation": "2"}, "the generation ends"),
        (OPEN, {**OPEN, "status": "closed"}, "close"),
        ({**OPEN, "status": "closed"}, OPEN, "open"),
        (OPEN, {**OPEN, "topic": "new"}, "update"),
        (OPEN, {}, "deleted"),
        ({}, {"question": "{}", "state": "open"}, "question: open"),
    ],
)
def test_a_change_has_its_steps_name(old: dict[str, Any], new: dict[str, Any], step: str) -> None:
    assert step_of(old, new) == step


def test_only_what_differs_is_shown_with_both_values() -> None:
    assert changes_of({"pk": "1", "topic": "old", "status": "open"}, {"pk": "1", "status": "open", "label": "ci"}) == {
        "topic": ["old", None],
        "label": [None, "ci"],
    }
