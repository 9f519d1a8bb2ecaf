"""What counts as a name, through the real functions: what people see is what they open, however it is written."""

import pytest

from tests.kit.deployment import Deployment
from tests.kit.markdown import read_bold
from tests.kit.table_view import CHANNEL

pytestmark = pytest.mark.guild(table="client", imported=True)

LOOK_ALIKE = [
    *["1a06a43", "1a06\u200ba43", "\ufeff1a06a43", "1a06\u00ada43", "1a\u206006a43", "\u202e1a06a43\u202c"],
    *["1a06a43\ufe0f", "1a06a43\U000e0041\U000e007f", "Sess\u200bion 1a06a43", "1a0\x006a43", "\u31641a06a43"],
]


async def test_names_that_look_the_same_lead_to_one_thread_which_has_a_clean_name(deployment: Deployment) -> None:
    for name in reversed(LOOK_ALIKE):
        await deployment.ask(name)
    assert [thread.name for thread in deployment.discord.threads.values()] == ["Session 1a06a43"]


async def test_a_thread_whose_name_has_invisible_characters_is_found(deployment: Deployment) -> None:
    thread = deployment.people.create_thread(CHANNEL, "\u200bSession\u00ad 1a06\u200ba43\ufeff")
    assert f"<#{thread}>" in (await deployment.ask()).content
    assert len(deployment.discord.threads) == 1


@pytest.mark.parametrize("name", ["\u3164", "\u2800", "\u0301", "\u200b\ufe0f", "Session \u3164", "Session Session"])
async def test_a_name_that_shows_nothing_is_refused_clearly_before_any_call(deployment: Deployment, name: str) -> None:
    assert "needs a name that people can see" in (await deployment.ask(name)).content
    assert (await deployment.ensure(session_name=name))["error"]["kind"] == "invalid_name"
    assert not deployment.discord.calls


@pytest.mark.parametrize(
    "name",
    [
        *["a_b", "_a_b_", "@everyone", "<@1> & <#2>", "**bold** `code`", "https://example.test/a_b", ":smile: ~~x~~"],
        *["Session Session 7", "1. # - > x", r"\o/ C:\a_b", "||x|| [a](b)", "❤\ufe0f می\u200cخواهم", "discord.gg/abc"],
    ],
)
async def test_a_name_copied_from_what_the_bot_says_leads_back(deployment: Deployment, name: str) -> None:
    first = await deployment.ask(name)
    (thread,) = deployment.discord.threads
    above = deployment.discord.messages[thread].content
    for copied in (read_bold(first.content), read_bold(above), deployment.discord.threads[thread].name):
        again = await deployment.ask(copied)
        assert f"<#{thread}>" in again.content
        assert read_bold(again.content) == read_bold(first.content)
    assert len(deployment.discord.threads) == 1


async def test_links_in_a_topic_stay_links(deployment: Deployment) -> None:
    await deployment.ask(topic="*see* https://example.test/a_b_c?x=[1] and a_b")
    (message,) = deployment.discord.messages.values()
    assert message.content.splitlines()[-1] == r"> \*see\* https://example.test/a_b_c?x=[1] and a_b"


@pytest.mark.parametrize(
    ("deployment_prefix", "name", "thread_name"),
    [
        ("Ticket", "ticketing", "Ticket ticketing"),
        ("Ticket", "Ticket 7", "Ticket 7"),
        ("#", "#7", "#7"),
        ("Session:", "7", "Session:7"),
        ("🧵", "7", "🧵7"),
    ],
)
async def test_a_prefix_of_any_end_gives_a_session_one_thread(
    deployment_prefix: str, name: str, thread_name: str
) -> None:
    with Deployment(table="client", imported=True, settings={"SESSION_NAME_PREFIX": deployment_prefix}) as deployment:
        first = await deployment.ask(name)
        assert [thread.name for thread in deployment.discord.threads.values()] == [thread_name]
        deployment.table.lose_all(but=["CHANNEL"])
        assert (await deployment.ask(thread_name)).content.rpartition(": ")[2] == first.content.rpartition(": ")[2]
        assert len(deployment.discord.threads) == 1
