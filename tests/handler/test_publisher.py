"""The publisher: what is in the table becomes an event, at least once and in order, whatever fails."""

from collections.abc import Iterator
from typing import Any

import pytest

from handler.config import PublisherConfig, load
from handler.store.items import session_from_item
from tests.kit.aws_faults import What
from tests.kit.aws_wire import BUS, QUEUE_URL
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL, GUILD

NAME = "1a06a43"


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment(table="memory", imported=True) as deployment:
        yield deployment


def thread_of(deployment: Deployment, name: str = NAME) -> str:
    session = session_from_item(deployment.table.item(name))
    assert session.discord_thread_id is not None
    return session.discord_thread_id


async def test_an_open_is_published_once_it_has_its_thread(deployment: Deployment) -> None:
    await deployment.ask(NAME, topic="login bug")
    assert await deployment.publish() == {"batchItemFailures": []}

    (event,) = deployment.bus.events
    thread_id = thread_of(deployment)
    assert (event["Source"], event["DetailType"], event["EventBusName"]) == ("onethread", "SessionOpened", BUS)
    detail = event["Detail"]
    assert detail["thread"] == {"id": thread_id, "url": f"https://discord.com/channels/{GUILD}/{thread_id}"}
    session = detail["session"]
    assert (session["session_key"], session["parent_channel_id"], session["status"]) == (NAME, CHANNEL, "open")
    assert session["topic"] == "login bug"
    assert len(detail["event_id"]) == 32


async def test_what_happens_to_a_session_is_published_in_its_order(deployment: Deployment) -> None:
    await deployment.ask(NAME)
    deployment.people.archive(thread_of(deployment))
    await deployment.reconcile()
    await deployment.ask(NAME)
    deployment.people.delete_thread(thread_of(deployment))
    await deployment.reconcile()
    await deployment.ask(NAME)
    await deployment.publish()
    assert deployment.bus.types() == [
        "SessionOpened",
        "SessionArchived",
        "SessionReopened",
        "SessionDeleted",
        "SessionOpened",
    ]
    ids = [event["Detail"]["event_id"] for event in deployment.bus.events]
    assert len(set(ids)) == len(ids)


async def test_what_programs_need_not_know_is_no_event(deployment: Deployment) -> None:
    await deployment.ask(NAME)
    await deployment.publish()
    deployment.bus.events.clear()
    deployment.people.rename(thread_of(deployment), "another name")
    deployment.people.post_message(thread_of(deployment))
    await deployment.reconcile()
    await deployment.ask(NAME)
    await deployment.publish()
    assert not deployment.bus.events


@pytest.mark.parametrize("fault", ["refused", "lost", "500", "500_after", "throttled", "access_denied"])
async def test_an_event_that_the_bus_may_not_have_is_published_again_as_the_same_one(
    deployment: Deployment, fault: What
) -> None:
    await deployment.ask(NAME)
    deployment.bus.faults = [fault, fault]
    assert (await deployment.publish())["batchItemFailures"]
    deployment.bus.faults.clear()
    assert await deployment.publish() == {"batchItemFailures": []}
    assert set(deployment.bus.types()) == {"SessionOpened"}
    assert len({event["Detail"]["event_id"] for event in deployment.bus.events}) == 1


async def test_an_entry_that_the_bus_refuses_alone_holds_back_what_comes_after_it(deployment: Deployment) -> None:
    await deployment.ask(NAME)
    await deployment.publish()
    deployment.people.archive(thread_of(deployment))
    await deployment.reconcile()
    deployment.bus.refused = 1
    assert (await deployment.publish())["batchItemFailures"]
    assert deployment.bus.types() == ["SessionOpened"]
    await deployment.publish()
    assert deployment.bus.types() == ["SessionOpened", "SessionArchived"]


async def test_many_changes_are_published_ten_at_a_time(deployment: Deployment) -> None:
    for number in range(25):
        await deployment.ask(f"run {number}")
    deployment.bus.faults = [None, "500", "500"]
    assert (await deployment.publish())["batchItemFailures"]
    assert len(deployment.bus.events) == 10
    await deployment.publish()
    opened = [event["Detail"]["session"]["session_key"] for event in deployment.bus.events]
    assert opened == [f"run {number}" for number in range(25)]


async def test_a_change_that_nobody_can_read_goes_to_the_dead_letters_and_holds_nothing_back(
    deployment: Deployment,
) -> None:
    await deployment.ask("first")
    deployment.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#broken"}, status="unheard of")
    await deployment.ask("second")
    assert await deployment.publish() == {"batchItemFailures": []}
    assert deployment.bus.types() == ["SessionOpened", "SessionOpened"]
    (letter,) = deployment.letters.sent
    assert (letter.body["sk"], letter.body["pk"]) == ("SESSION#broken", f"CHANNEL#{CHANNEL}")


async def test_a_publisher_that_dies_after_any_call_loses_nothing(deployment: Deployment) -> None:
    for number in range(12):
        await deployment.ask(f"run {number}")
    deployment.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#broken"}, status="unheard of")
    await deployment.ask("the last")
    for calls in (1, 2, 3):  # ten events, a letter, three events
        deployment.calls.forget()
        deployment.calls.dies_after = calls
        await deployment.death(deployment.publish())
    assert await deployment.publish() == {"batchItemFailures": []}
    opened = {e["Detail"]["event_id"]: e["Detail"]["session"]["session_key"] for e in deployment.bus.events}
    assert list(opened.values()) == [*(f"run {number}" for number in range(12)), "the last"]
    assert {letter.body["sk"] for letter in deployment.letters.sent} == {"SESSION#broken"}


async def test_while_the_dead_letters_take_nothing_the_record_fails(deployment: Deployment) -> None:
    deployment.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#broken"}, status="unheard of")
    deployment.letters.faults = ["500", "500"]
    assert (await deployment.publish())["batchItemFailures"]
    assert await deployment.publish() == {"batchItemFailures": []}
    assert len(deployment.letters.sent) == 1


@pytest.mark.parametrize("event", [None, {}, [], {"Records": None}, {"Records": []}])
async def test_an_event_without_records_publishes_nothing(deployment: Deployment, event: Any) -> None:
    from handler import publisher

    answer = await publisher.handle(deployment.environment(PublisherConfig), event, "request", 30.0)
    assert answer == {"batchItemFailures": []}


def test_the_publisher_needs_neither_the_table_nor_a_token() -> None:
    config = load(PublisherConfig, {"EVENT_BUS_NAME": BUS, "PUBLISHER_DEAD_LETTERS_URL": QUEUE_URL})
    assert (config.event_bus_name, config.log_level) == (BUS, "INFO")
