"""A private session, as others see it: like one that does not exist. And as those see it whose it is."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from infra.interactions import MEMBER_PERMISSIONS, MODERATOR_PERMISSIONS
from tests.handler.commands.test_lists import shown_names, turn
from tests.kit.deployment import USER, Deployment
from tests.kit.item_reads import ItemReads
from tests.kit.listed_sessions import put, put_many, put_private

pytestmark = pytest.mark.guild(table="memory")
OWNER = "77"
Act = Callable[[Deployment], Awaitable[Any]]


def using(path: str, **options: Any) -> Act:
    async def act(case: Deployment) -> Any:
        return (await case.use(path, options=options)).callback

    return act


def typing(path: str, typed: str) -> Act:
    async def act(case: Deployment) -> Any:
        return await case.complete(path, options={"name": typed})

    return act


async def turning(case: Deployment) -> Any:
    return (await turn(case, await case.use("session list"), "Older ▶", member_permissions=MEMBER_PERMISSIONS)).callback


# What a member may do, as whom the secret does not concern.
ACTS: Final[dict[str, Act]] = {
    "list": using("session list"),
    "list mine": using("session list", mine=True),
    "list open": using("session list", state="open"),
    "list archived": using("session list", state="archived"),
    "turn the page": turning,
    "find its name": using("session find", text="secret"),
    "find its topic": using("session find", text="salary"),
    "info": using("session info", name="secret"),
    "add": using("session add", name="secret", user=USER),
    "remove": using("session remove", name="secret", user=USER),
    "keep": using("session keep", name="secret", on=True),
    "close": using("session close", name="secret"),
    "topic": using("session topic", name="secret", text="mine"),
    "tag": using("session tag", name="secret", tag="mine"),
    "type nothing": typing("session open", ""),
    "type its beginning": typing("session open", "sec"),
    "type its name": typing("session info", "secret"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
async def test_to_others_a_private_session_changes_no_byte_and_no_read(deployment: Deployment, act: Act) -> None:
    put_many(deployment, 20)
    reads = ItemReads(deployment)
    before = await act(deployment), len(reads)
    for number in range(120):
        put_private(deployment, f"secret {number}", number / 10, creator=OWNER, topic="the salary")
    put_private(deployment, "secret", 0, creator=OWNER, topic="the salary", member_ids=["88"], role_ids=["99"])
    reads.clear()
    assert (await act(deployment), len(reads)) == before


SEERS: Final[dict[str, dict[str, Any]]] = {
    "creator": {"user_id": OWNER},
    "member": {"user_id": "88"},
    "role": {"roles": ["99"]},
    "moderator": {"member_permissions": MODERATOR_PERMISSIONS},
}


@pytest.mark.parametrize("seer", SEERS.values(), ids=SEERS.keys())
async def test_those_whom_it_concerns_have_it_in_their_lists(deployment: Deployment, seer: dict[str, Any]) -> None:
    put(deployment, "a", 1)
    put(deployment, "b", 3)
    put_private(deployment, "secret", 2, creator=OWNER, topic="the salary", member_ids=["88"], role_ids=["99"])
    listed = await deployment.use("session list", **seer)
    assert shown_names(deployment, listed) == ["a", "secret", "b"]
    assert "🟢 **secret** · open · private" in deployment.shown(listed)
    found = await deployment.use("session find", options={"text": "salary"}, **seer)
    assert shown_names(deployment, found) == ["secret"]
    told = await deployment.use("session info", options={"name": "secret"}, **seer)
    assert "🟢 **secret** · open · private" in deployment.shown(told)


async def test_a_public_session_of_the_same_name_comes_first(deployment: Deployment) -> None:
    put_private(deployment, "secret", 2, creator=OWNER)
    put(deployment, "secret", 1)
    told = await deployment.use("session info", options={"name": "secret"}, user_id=OWNER)
    assert "private" not in deployment.shown(told)


@pytest.mark.parametrize("public", [0, 5, 30])
async def test_a_moderator_turns_pages_of_many_private_sessions_without_gaps_and_repeats(
    deployment: Deployment, public: int
) -> None:
    put_many(deployment, public)
    secrets = [f"p{number:03}" for number in range(130)]
    for number, name in enumerate(secrets):
        put_private(deployment, name, 10.6 + number / 4, creator=OWNER)
    asked = await deployment.use("session list", member_permissions=MODERATOR_PERMISSIONS)
    pages = [shown_names(deployment, asked)]
    while "Older ▶" in str(asked.callback):
        asked = await turn(deployment, asked, "Older ▶", member_permissions=MODERATOR_PERMISSIONS)
        pages.append(shown_names(deployment, asked))
    names = [name for page in pages for name in page]
    assert len(names) == len({*names}) == public + len(secrets)
    for page in reversed(pages[:-1]):
        asked = await turn(deployment, asked, "◀ Newer", member_permissions=MODERATOR_PERMISSIONS)
        assert shown_names(deployment, asked) == page
