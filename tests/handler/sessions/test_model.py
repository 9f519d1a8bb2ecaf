"""What an open returns."""

import pytest

from handler.sessions.model import Opened, Outcome
from tests.kit.samples import session


def test_an_answer_links_the_thread_of_its_session() -> None:
    opened = Opened(
        outcome=Outcome.REUSED, session=session(discord_thread_id="700", guild_id="900"), requested_key="1a06a43"
    )
    assert (opened.thread_id, opened.url) == ("700", "https://discord.com/channels/900/700")


@pytest.mark.parametrize(("requested_key", "by_new_name"), [("1a06a43", False), ("login bug", True)])
def test_an_answer_knows_whether_another_name_led_there(requested_key: str, by_new_name: bool) -> None:
    opened = Opened(outcome=Outcome.REUSED, session=session(discord_thread_id="700"), requested_key=requested_key)
    assert opened.by_new_name is by_new_name


def test_the_outcomes_are_those_of_the_contract() -> None:
    assert [outcome.value for outcome in Outcome] == ["created", "adopted", "reopened", "reused"]
