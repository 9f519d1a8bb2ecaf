"""``/session list`` and ``/session find``, from the signed interaction to the page that is read and turned."""

from datetime import timedelta
from typing import Any

import pytest

from handler.commands.texts import UNKNOWN_BUTTON
from handler.runtime.clock import iso
from infra.interactions import MEMBER_PERMISSIONS, parts_of
from infra.simulator.components import BUTTON, SECTION
from infra.virtual_time import START
from tests.kit.deployment import USER, Asked, Deployment, in_thread
from tests.kit.item_reads import ItemReads
from tests.kit.listed_sessions import put, put_many
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory")
MAX_LOOKED_AT = 100
PAGE = 8


def entries(case: Deployment, asked: Asked) -> list[str]:
    """The text of each session of the page."""
    message = case.discord.original_response(asked.token)
    assert message is not None
    return [part["components"][0]["content"] for part in parts_of(message) if part["type"] == SECTION]


def shown_names(case: Deployment, asked: Asked) -> list[str]:
    return [entry.split("**")[1] for entry in entries(case, asked)]


def buttons(case: Deployment, asked: Asked) -> dict[str, str]:
    """The buttons that turn the page: their labels, and their custom ids."""
    message = case.discord.original_response(asked.token)
    assert message is not None
    return {p["label"]: p["custom_id"] for p in parts_of(message) if p["type"] == BUTTON and "custom_id" in p}


async def turn(case: Deployment, asked: Asked, label: str, **more: Any) -> Asked:
    return await case.press(asked, buttons(case, asked)[label], **more)


async def test_an_entry_says_name_state_topic_who_and_when_and_opens_the_thread(deployment: Deployment) -> None:
    thread_id = put(deployment, "1a06a43", 5, topic="login *fails*", created_by=USER, locked=True)
    asked = await deployment.use("session list")
    assert asked.kind == 4
    at = int((START - timedelta(minutes=5)).timestamp())
    assert entries(deployment, asked) == [
        f"🟢 **1a06a43** · open · 🔒 locked\nlogin \\*fails\\*\n-# <#{thread_id}> · <@{USER}> · <t:{at}:R>"
    ]
    message = deployment.discord.original_response(asked.token)
    assert message is not None
    assert f"https://discord.com/channels/{GUILD}/{thread_id}" in str(message["components"])
    assert asked.callback["data"]["allowed_mentions"] == {"parse": []}
    assert buttons(deployment, asked) == {}


async def test_sessions_that_were_really_opened_are_listed_in_the_channel_and_in_a_thread(
    deployment: Deployment,
) -> None:
    await deployment.ask("first")
    await deployment.work()
    await deployment.clock.sleep(60)
    await deployment.ask("second", topic="it is about this")
    thread_id = deployment.table.item("first")["discord_thread_id"]
    place = in_thread(thread_id)
    for where in ({}, place):
        asked = await deployment.use("session list", **where)
        assert shown_names(deployment, asked) == ["second", "first"]
        assert f"in <#{CHANNEL}>" in deployment.shown(asked)
    assert "it is about this" in deployment.shown(asked)


async def test_the_pages_have_each_session_once_forwards_and_backwards(deployment: Deployment) -> None:
    names = put_many(deployment, 3 * PAGE - 2)
    asked = await deployment.use("session list")
    first = shown_names(deployment, asked)
    second = await turn(deployment, asked, "Older ▶")
    assert second.kind == 7
    third = await turn(deployment, second, "Older ▶")
    pages = [first, shown_names(deployment, second), shown_names(deployment, third)]
    assert [name for page in pages for name in page] == names
    assert list(buttons(deployment, third)) == ["◀ Newer"]
    back = await turn(deployment, third, "◀ Newer")
    assert shown_names(deployment, back) == pages[1]
    top = await turn(deployment, back, "◀ Newer")
    assert shown_names(deployment, top) == pages[0]
    assert list(buttons(deployment, top)) == ["Older ▶"]


async def test_a_page_reads_one_item_more_than_it_shows(deployment: Deployment) -> None:
    put_many(deployment, 40)
    reads = ItemReads(deployment)
    asked = await deployment.use("session list")
    await turn(deployment, asked, "Older ▶")
    assert reads == 2 * [PAGE + 1, 0]  # of the public sessions, and of the private ones


STATES: dict[str, dict[str, Any]] = {
    "open": {},
    "archived": {"archived": True},
    "closed": {"status": "closed", "archived": True},
    "waiting": {"waiting_since": iso(START)},
}


@pytest.mark.parametrize("state", STATES)
async def test_a_state_shows_the_sessions_in_it(deployment: Deployment, state: str) -> None:
    for number, (name, attributes) in enumerate(STATES.items()):
        put(deployment, name, number, **attributes)
    asked = await deployment.use("session list", options={"state": state})
    assert shown_names(deployment, asked) == [state]


async def test_mine_are_those_of_whoever_asks_and_of_whoever_presses(deployment: Deployment) -> None:
    for number in range(2 * PAGE):
        put(deployment, f"a{number}", number, created_by=USER)
        put(deployment, f"b{number}", number, created_by="88")
    asked = await deployment.use("session list", options={"mine": True, "state": "open"})
    assert {name[0] for name in shown_names(deployment, asked)} == {"a"}
    pressed = await turn(deployment, asked, "Older ▶", user_id="88")
    assert {name[0] for name in shown_names(deployment, pressed)} == {"b"}


async def test_where_few_match_a_page_reads_a_bounded_number_and_offers_to_look_further(
    deployment: Deployment,
) -> None:
    put_many(deployment, 2 * MAX_LOOKED_AT + 50, archived=True)
    put(deployment, "rare", 10_000)
    reads = ItemReads(deployment)
    asked = await deployment.use("session list", options={"state": "open"})
    assert "None so far." in deployment.shown(asked)
    looked = 1
    while not (found := shown_names(deployment, asked)):
        asked = await turn(deployment, asked, "Look further back")
        looked += 1
    assert (found, looked) == (["rare"], 3)
    assert list(buttons(deployment, asked)) == ["◀ Newer"]
    assert reads == [MAX_LOOKED_AT, 0, MAX_LOOKED_AT, 0, 51, 0]


@pytest.mark.parametrize(
    ("options", "text"),
    [({}, "None yet. `/session open` starts one."), ({"state": "closed"}, "None."), ({"mine": True}, "None.")],
)
async def test_an_empty_list_says_so(deployment: Deployment, options: dict[str, Any], text: str) -> None:
    asked = await deployment.use("session list", options=options)
    assert deployment.shown(asked).endswith(text)


async def test_an_unknown_state_is_refused(deployment: Deployment) -> None:
    asked = await deployment.use("session list", options={"state": "vacant"})
    assert asked.content.startswith("I couldn't read that command.")


@pytest.mark.parametrize(
    "custom_id",
    [
        "list:",
        "list:open",
        "list:<",
        "list:vacant<2026-11-23T12:00:00.000Z#1",
        "list:open<2026-11-23T12:00:00.000Z",
        "list:open=2026-11-23T12:00:00.000Z#1",
        "list:<CHANNEL#11",
        "find:",
        "find:x",
        "find:x|text",
        "find:|",
        "find:|\u200d",
        "find:|" + "x" * 41,
    ],
)
async def test_a_forged_button_is_explained(deployment: Deployment, custom_id: str) -> None:
    put_many(deployment, 20)
    pressed = await deployment.press(await deployment.use("session list"), custom_id)
    assert (pressed.kind, pressed.content) == (4, UNKNOWN_BUTTON)


async def test_a_button_of_a_page_whose_sessions_have_gone_leads_to_what_there_is(deployment: Deployment) -> None:
    names = put_many(deployment, 20)
    asked = await deployment.use("session list")
    second = await turn(deployment, asked, "Older ▶")
    deployment.table.lose(*(deployment.table.item(name) for name in names[:18]))
    again = await turn(deployment, asked, "Older ▶")
    assert shown_names(deployment, again) == names[18:]
    top = await turn(deployment, second, "◀ Newer")
    assert shown_names(deployment, top) == names[18:]
    deployment.table.lose_all()
    empty = (
        await turn(deployment, top, "◀ Newer") if buttons(deployment, top) else await turn(deployment, again, "◀ Newer")
    )
    assert deployment.shown(empty).endswith("None yet. `/session open` starts one.")


async def test_one_session_that_cannot_be_read_hides_no_other(deployment: Deployment) -> None:
    put(deployment, "a", 1, generation="many")
    put(deployment, "b", 2, status="vacant")
    put(deployment, "c", 3)
    asked = await deployment.use("session list")
    assert shown_names(deployment, asked) == ["c"]


@pytest.mark.parametrize("path", ["session list", "session find"])
async def test_past_the_deadline_the_worker_shows_the_page(deployment: Deployment, path: str) -> None:
    put_many(deployment, 20)
    options = {"text": "s0"} if path.endswith("find") else {}
    asked = await deployment.use(path, options=options, old=2.9)
    assert asked.kind == 5
    await deployment.work()
    assert len(shown_names(deployment, asked)) == PAGE
    turned = await deployment.press(asked, next(iter(buttons(deployment, asked).values())), old=2.9)
    assert turned.kind == 6
    await deployment.work()
    assert len(shown_names(deployment, turned)) == PAGE


async def test_a_plain_member_may_list_and_find(deployment: Deployment) -> None:
    put(deployment, "1a06a43", 1)
    for path, options in (("session list", {}), ("session find", {"text": "1a06"})):
        asked = await deployment.use(path, options=options, member_permissions=MEMBER_PERMISSIONS)
        assert shown_names(deployment, asked) == ["1a06a43"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1A06", ["1a06a43"]),
        ("Session 1a06", ["1a06a43"]),
        ("LOG", ["login bug", "ticket"]),
        ("bug", ["login bug"]),
        ("reset fails", ["ticket"]),
        ("renamed", ["other"]),
        ("ogin", ["ticket", "login bug"]),
        ("🧵", ["🧵 threads"]),
        ("nothing like it", []),
    ],
)
async def test_find_matches_names_and_topics(deployment: Deployment, text: str, found: list[str]) -> None:
    put(deployment, "ticket", 1, topic="Login FAILS after a reset")
    put(deployment, "login bug", 2)
    put(deployment, "1a06a43", 3)
    put(deployment, "other", 4, thread_name="Session other: renamed")
    put(deployment, "🧵 threads", 5)
    asked = await deployment.use("session find", options={"text": text})
    assert shown_names(deployment, asked) == found
    assert deployment.shown(asked).startswith('**Sessions with "')


async def test_find_shows_names_that_begin_so_first_and_goes_on_with_a_button(deployment: Deployment) -> None:
    for number in range(2 * MAX_LOOKED_AT):
        put(deployment, f"t{number}", number, topic="about abc" if number % 20 == 0 else None)
    for number in range(PAGE + 2):
        put(deployment, f"abc{number}", 1000 + number)
    reads = ItemReads(deployment)
    asked = await deployment.use("session find", options={"text": "abc"})
    pages = [shown_names(deployment, asked)]
    assert pages[0] == [f"abc{number}" for number in range(PAGE)]
    while buttons(deployment, asked):
        asked = await deployment.press(asked, next(iter(buttons(deployment, asked).values())))
        pages.append(shown_names(deployment, asked))
    everything = [name for page in pages for name in page]
    assert sorted(everything) == sorted({*everything})
    assert len(everything) == PAGE + 2 + 10
    assert max(reads) == MAX_LOOKED_AT


async def test_find_without_a_match_says_so(deployment: Deployment) -> None:
    asked = await deployment.use("session find", options={"text": "*x*"})
    assert deployment.shown(asked) == '**Sessions with "\\*x\\*"**\nNone in this channel.'


@pytest.mark.parametrize(("text", "said"), [("", "Type a word"), (" \u200b ", "Type a word"), ("🧵" * 21, "too long")])
async def test_a_text_that_cannot_be_looked_for_is_refused(deployment: Deployment, text: str, said: str) -> None:
    asked = await deployment.use("session find", options={"text": text})
    assert said in asked.content


async def test_the_longest_text_fits_into_its_button(deployment: Deployment) -> None:
    put_many(deployment, 2 * MAX_LOOKED_AT)
    asked = await deployment.use("session find", options={"text": "🧵" * 20})
    further = await turn(deployment, asked, "Look further back")
    assert "🧵" * 20 in deployment.shown(further)
