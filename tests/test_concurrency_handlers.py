"""Many people at once, through the real handlers: each request in an execution environment of its own, as on Lambda."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from infra.interactions import (
    DEVELOPMENT_APPLICATION_ID,
    DEVELOPMENT_CHANNEL_ID,
    DEVELOPMENT_GUILD_ID,
    development_key,
)
from infra.local.people import Discord, Person, Place, Seen
from infra.local.stack import Stack

pytestmark = pytest.mark.real_time

PEOPLE = 20


def test_twenty_people_at_once_get_one_thread_under_one_message() -> None:
    with Stack() as stack:
        stack.pools["WebhookFunction"].warm(PEOPLE)
        place = Place(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID)
        answers = asked_at_once(stack, place, "1a06a43")

        (thread,) = stack.discord.living(place.channel_id)
        assert stack.discord.messages(place.channel_id) == [thread]
        assert [re.findall(r"<#(\d+)>", answer.text) for answer in answers] == [[thread]] * PEOPLE
        assert stack.pools["WebhookFunction"].size >= PEOPLE


def asked_at_once(stack: Stack, place: Place, name: str) -> list[Seen]:
    """What each of them reads in the end. On a busy machine some are told to try again, and do."""
    discord = Discord(
        control=stack.discord.url,
        endpoint=f"{stack.gateway.url}/interactions",
        application_id=DEVELOPMENT_APPLICATION_ID,
        key=development_key(),
    )
    start = Barrier(PEOPLE)

    def ask(number: int) -> Seen:
        person = Person(str(1310000000000000000 + number), f"person {number}")
        start.wait()
        return discord.insist(person, place, name)[-1]

    with ThreadPoolExecutor(PEOPLE) as people:
        return list(people.map(ask, range(PEOPLE)))
