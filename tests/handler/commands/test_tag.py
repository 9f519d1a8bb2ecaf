"""``/session tag``, and the card of a post, from the signed interaction to what its user reads."""

from typing import Any

import pytest

from infra.interactions import BOT_PERMISSIONS, MODERATOR_PERMISSIONS
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.guild import MEMBER
from tests.kit.table_view import CHANNEL

TAGS = [*((str(70 + n), f"Tag {n}") for n in range(6)), ("79", "Done")]
FORUM: dict[str, Any] = {"tags": TAGS, "moderated_tags": ["79"]}
MODERATOR: dict[str, Any] = {"user_id": "88", "member_permissions": MODERATOR_PERMISSIONS}

pytestmark = pytest.mark.guild(table="memory", imported=True, kind=15, channel=FORUM)


def shown(deployment: Deployment, message_id: str) -> list[str]:
    """The lines of the message above the thread, without its first one."""
    return deployment.discord.messages[message_id].content.split("\n")[1:]


async def post(deployment: Deployment, **how: Any) -> dict[str, Any]:
    """The session's post is open; the place of a command in it."""
    thread_id = (await deployment.open(**how)).thread_id
    return in_thread(thread_id)


async def tag(deployment: Deployment, name: str, place: dict[str, Any], **more: Any) -> Asked:
    return await deployment.use("session tag", options={"tag": name}, **place, **more)


def applied(deployment: Deployment, place: dict[str, Any]) -> tuple[str, ...]:
    return deployment.discord.threads[place["channel_id"]].applied_tags


async def test_a_tag_is_added_and_naming_it_again_takes_it_away(deployment: Deployment) -> None:
    place = await post(deployment, tags=("Tag 1",))
    added = await tag(deployment, " tag 2", place)
    assert added.content == f"Added the tag **Tag 2** to **1a06a43** (<#{place['channel_id']}>)."
    assert applied(deployment, place) == ("71", "72")
    taken = await tag(deployment, "Tag 1", place)
    assert taken.content.startswith("Took the tag **Tag 1** away from")
    assert applied(deployment, place) == ("72",)


@pytest.mark.parametrize("has", [False, True])
async def test_a_repeat_of_one_request_does_not_undo_it(deployment: Deployment, has: bool) -> None:
    place = await post(deployment, tags=("Tag 1",) if has else ())
    given: dict[str, Any] = {"interaction_id": "1574394082099200777"}
    first = await tag(deployment, "Tag 1", place, **given)
    after = applied(deployment, place)
    again = await tag(deployment, "Tag 1", place, **given)
    assert again.content == first.content
    assert applied(deployment, place) == after == (() if has else ("71",))


async def test_moderators_tags_are_theirs(deployment: Deployment) -> None:
    place = await post(deployment)
    assert "Only moderators can use the tag **Done** here." in (await tag(deployment, "done", place)).content
    assert applied(deployment, place) == ()
    assert "Added the tag **Done**" in (await tag(deployment, "done", place, **MODERATOR)).content


@pytest.mark.parametrize(
    ("name", "says"),
    [("Tag 5", "at most 5 tags. Take one away first"), ("Nope", "This channel has no tag **Nope**. It has **Tag 0**")],
)
async def test_a_tag_that_cannot_be_had_is_refused(deployment: Deployment, name: str, says: str) -> None:
    place = await post(deployment, tags=tuple(f"Tag {n}" for n in range(5)))
    assert says in (await tag(deployment, name, place)).content
    assert applied(deployment, place) == ("70", "71", "72", "73", "74")


@pytest.mark.guild(channel={"tags": TAGS, "flags": 1 << 4})
async def test_the_last_tag_stays_where_each_post_needs_one(deployment: Deployment) -> None:
    place = await post(deployment, tags=("Tag 1",))
    assert "Each post in this channel needs a tag." in (await tag(deployment, "Tag 1", place)).content
    assert applied(deployment, place) == ("71",)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"archived": True}, "is archived"),
        ({"locked": True}, "The thread is locked"),
        (None, "it seems to be deleted"),
    ],
)
async def test_a_post_that_cannot_be_changed_says_why(deployment: Deployment, state: Any, says: str) -> None:
    place = await post(deployment)
    if state is None:
        deployment.people.delete_thread(place["channel_id"])
    else:
        deployment.people.edit_thread(place["channel_id"], **state)
    assert says in (await tag(deployment, "Tag 1", place)).content


async def test_the_bot_needs_manage_threads_for_tags(deployment: Deployment) -> None:
    place = await post(deployment)
    without = BOT_PERMISSIONS & ~(1 << 34)
    deployment.people.set_permissions(CHANNEL, without)
    assert "**Manage Threads**" in (await tag(deployment, "Tag 1", place, app_permissions=without)).content


@pytest.mark.guild(kind=0, channel={})
async def test_a_thread_of_a_text_channel_has_no_tags(deployment: Deployment) -> None:
    place = await post(deployment)
    assert "Only posts in forum and media channels have tags." in (await tag(deployment, "Tag 1", place)).content


async def test_the_first_message_of_a_post_is_its_card(deployment: Deployment) -> None:
    place = await post(deployment)
    message = place["channel_id"]
    assert shown(deployment, message)[0].startswith("🟢 Open · started <t:")
    await deployment.use("session close", options={}, **place)
    await deployment.work()
    assert shown(deployment, message)[0].startswith(f"⚫ Closed by <@{MEMBER}>")
    assert deployment.discord.threads[message].archived
    await deployment.wait(60)
    await deployment.open()
    assert shown(deployment, message)[0].startswith("🟢 Open")
