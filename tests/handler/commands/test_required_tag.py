"""A forum that demands a tag: the answer asks for it, and the choice opens the session that was meant."""

from typing import Any

import pytest

from handler.commands.texts import UNKNOWN_BUTTON
from infra.interactions import MEMBER_PERMISSIONS, parts_of, selection
from tests.kit.deployment import Asked, Deployment, in_thread

REQUIRE_TAG = 1 << 4
TAGS = [("71", "Bug"), ("72", "Done")]
FORUM: dict[str, Any] = {"flags": REQUIRE_TAG, "tags": TAGS, "moderated_tags": ["72"]}
INSIDE = in_thread("900")

pytestmark = pytest.mark.guild(table="memory", imported=True, kind=15, channel=FORUM)


async def ask(deployment: Deployment, name: str, **options: str) -> Asked:
    asked = await deployment.use("session open", options={"name": name, **options}, **INSIDE)
    await deployment.work()
    return asked


async def choose(deployment: Deployment, asked: Asked, tag: str) -> Asked:
    member = {**INSIDE, "member_permissions": MEMBER_PERMISSIONS}
    chosen = await deployment.press(asked, "open-tag", values=[tag], **member)
    await deployment.work()
    return chosen


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("1a06a43", None),
        ("*odd* `name`_ [x](y)", "see **https://example.test/a_b** <@1> > - # x"),
        ("x" * 92, "y" * 300),
    ],
)
async def test_the_choice_opens_the_session_with_its_topic(
    deployment: Deployment, name: str, topic: str | None
) -> None:
    asked = await ask(deployment, name, **({"topic": topic} if topic else {}))
    assert "needs a tag" in deployment.shown(asked)
    assert not deployment.discord.threads

    chosen = await choose(deployment, asked, "Bug")
    (thread,) = deployment.discord.threads.values()
    assert (thread.name, thread.applied_tags) == (f"Session {name}", ("71",))
    assert f"<#{thread.id}>" in deployment.shown(chosen)
    assert deployment.table.item(name.casefold()).get("topic") == topic

    again = await choose(deployment, asked, "Bug")
    assert f"<#{thread.id}>" in deployment.shown(again)
    assert len(deployment.discord.threads) == 1


async def test_only_tags_that_the_member_may_use_are_offered(deployment: Deployment) -> None:
    asked = await ask(deployment, "1a06a43")
    message = deployment.discord.original_response(asked.token)
    assert message is not None
    (select,) = [part for part in parts_of(message) if "options" in part]
    assert [option["value"] for option in select["options"]] == ["Bug"]
    assert "Only moderators" in deployment.shown(await choose(deployment, asked, "Done"))
    assert not deployment.discord.threads


@pytest.mark.parametrize("content", ["", "something else", "Each session here needs a tag. Choose one for ****:"])
async def test_a_choice_beneath_another_message_is_refused(deployment: Deployment, content: str) -> None:
    message = {"id": "77", "content": content, "flags": 64, "components": [], "embeds": [], "mentions": []}
    place = deployment._place(0.0, INSIDE)
    chosen = await deployment.deliver(selection(message, "open-tag", ["Bug"], **place))
    assert (chosen.kind, chosen.content) == (4, UNKNOWN_BUTTON)
