"""What is offered while people type names and tags."""

from typing import Any

import pytest

from handler.errors import StoreUnavailable
from infra.interactions import MODERATOR_PERMISSIONS
from infra.simulator.permissions import default_permissions_without
from infra.table.memory_table import MemoryTable
from tests.kit.deployment import Deployment, in_thread
from tests.kit.item_reads import ItemReads
from tests.kit.listed_sessions import put, put_many, session_item
from tests.kit.table_view import CHANNEL

pytestmark = pytest.mark.guild(table="memory")
MAX_CHOICES = 25
PAGE, MAX_LOOKED_AT = 8, 100  # of a list
IN_THREAD = in_thread("55")


async def offered(case: Deployment, typed: str, path: str = "session open", **more: Any) -> list[str]:
    return [choice["value"] for choice in await case.complete(path, options={"name": typed}, **more)]


@pytest.mark.parametrize("where", [{}, IN_THREAD], ids=["channel", "thread"])
async def test_an_empty_text_offers_what_was_active_last(deployment: Deployment, where: dict[str, Any]) -> None:
    names = put_many(deployment, 40)
    assert await offered(deployment, "", **where) == names[:MAX_CHOICES]
    assert await offered(deployment, "Session ", **where) == names[:MAX_CHOICES]


@pytest.mark.parametrize("typed", ["1a06", "1A06A", " Session 1a06", "１a06"])
async def test_a_beginning_offers_the_names_that_begin_so_the_last_active_first(
    deployment: Deployment, typed: str
) -> None:
    put(deployment, "1A06a43", 10)
    put(deployment, "1a06a99", 5)
    put(deployment, "other", 1)
    assert await offered(deployment, typed) == ["1a06a99", "1A06a43"]


@pytest.mark.parametrize(
    "path", ["session info", "session close", "session topic", "session tag", "session keep", "session-admin delete"]
)
async def test_every_command_that_takes_a_name_completes_it(deployment: Deployment, path: str) -> None:
    put(deployment, "1a06a43", 10)
    assert await offered(deployment, "1", path) == ["1a06a43"]


async def test_a_choice_shows_state_and_topic_and_sends_the_name(deployment: Deployment) -> None:
    put(deployment, "a", 1, topic="login fails", archived=True)
    put(deployment, "b", 2, topic="x" * 300)
    put(deployment, "c", 3, status="closed", archived=True)
    shown = await deployment.complete("session open")
    assert [choice["name"] for choice in shown] == ["a · archived · login fails", f"b · {'x' * 95}…", "c · closed"]
    assert [choice["value"] for choice in shown] == ["a", "b", "c"]


async def test_a_session_without_a_thread_and_a_name_that_no_choice_holds_are_not_offered(
    deployment: Deployment,
) -> None:
    put(deployment, "a", 1, status="vacant", discord_thread_id=None)
    put(deployment, "b" * 101, 2)
    put(deployment, "🧵" * 50, 3)
    assert await offered(deployment, "") == ["🧵" * 50]
    assert await offered(deployment, "b") == []


@pytest.mark.parametrize("typed", ["x" * 401, "ﷺ" * 60, "\u200b", "#", "*", "\\"])
async def test_whatever_is_typed_is_answered(deployment: Deployment, typed: str) -> None:
    put(deployment, "a", 1)
    assert await offered(deployment, typed) == (["a"] if typed == "\u200b" else [])


async def test_outside_a_guild_and_when_the_table_is_out_of_reach_nothing_is_offered(deployment: Deployment) -> None:
    put(deployment, "a", 1)
    deployment.seam = unreachable
    assert await offered(deployment, "") == []


async def unreachable(*_: Any, **__: Any) -> dict[str, Any]:
    raise StoreUnavailable


@pytest.mark.long
async def test_over_a_hundred_thousand_sessions_one_query_reads_at_most_25_items_beyond_those_offered(
    deployment: Deployment,
) -> None:
    deployment.seam = MemoryTable(deployment.table.name, map(numbered, range(100_000)))
    reads = ItemReads(deployment)
    for typed, expected in (("", "000000"), ("0", "000000"), ("0999", "099900"), ("099999", "099999"), ("z", None)):
        names = await offered(deployment, typed)
        assert names[:1] == ([expected] if expected else [])
        assert reads.pop() <= len(names) + MAX_CHOICES
        assert not reads
    for path, options, most in (
        ("list", {}, [0, PAGE + 1]),
        ("list", {"state": "closed"}, [0, MAX_LOOKED_AT]),
        ("find", {"text": "0999"}, [0, MAX_CHOICES, MAX_LOOKED_AT]),
    ):
        await deployment.use(f"session {path}", options=options)
        assert sorted(reads) == most
        reads.clear()


SAMPLE = session_item("a", 0)


def numbered(number: int) -> dict[str, Any]:
    """The sessions of a large channel, the first of them the one that was active last."""
    key = f"{number:06}"
    names = {"sk": f"SESSION#{key}", "session_key": key, "session_name": key}
    return {**SAMPLE, **names, "activity": f"2026-11-23T12:00:00.000Z#{900_000 - number}"}


TAGS: dict[str, Any] = {"tags": [("71", "Bug"), ("72", "Big feature"), ("73", "Debug")], "moderated_tags": ["73"]}


@pytest.mark.guild(kind=15, channel=TAGS)
@pytest.mark.parametrize(
    ("typed", "permissions", "expected"),
    [
        ("", {}, ["Bug", "Big feature"]),
        ("BUG", {"member_permissions": MODERATOR_PERMISSIONS}, ["Bug", "Debug"]),
        ("fea", {}, ["Big feature"]),
        ("x", {}, []),
    ],
)
async def test_tags_are_those_of_the_forum_that_the_member_may_use(
    deployment: Deployment, typed: str, permissions: dict[str, Any], expected: list[str]
) -> None:
    chosen = await deployment.complete(
        "session open", focused="tag", options={"name": "a", "tag": typed}, **IN_THREAD, **permissions
    )
    assert [choice["value"] for choice in chosen] == expected
    assert deployment.calls.of("discord") == ["GET /channels/{channel_id}"]


async def test_a_text_channel_has_no_tags_and_is_not_asked_for(deployment: Deployment) -> None:
    assert await deployment.complete("session open", focused="tag", options={"name": "a"}) == []
    assert deployment.calls.of("discord") == []


@pytest.mark.guild(kind=15, channel=TAGS)
async def test_a_forum_that_the_bot_cannot_see_offers_no_tags(deployment: Deployment) -> None:
    deployment.people.set_permissions(CHANNEL, default_permissions_without("VIEW_CHANNEL"))
    assert await deployment.complete("session open", focused="tag", options={"name": "a"}, **IN_THREAD) == []
