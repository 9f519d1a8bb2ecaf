"""Many people at once, through the real handlers: each request in an execution environment of its own, as on Lambda."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from infra.interactions import DEVELOPMENT_CHANNEL_ID, DEVELOPMENT_GUILD_ID
from infra.local.discord_client import Answer, Channel, DiscordClient, User
from infra.local.stack import Stack

pytestmark = pytest.mark.real_time

PEOPLE = 20


def test_twenty_people_at_once_get_one_thread_under_one_message() -> None:
    with Stack() as stack:
        stack.pools["WebhookFunction"].warm(PEOPLE)
        channel = Channel(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID)
        answers = asked_at_once(stack, channel, "1a06a43")

        (thread,) = stack.discord.thread_names(channel.id)
        assert stack.discord.bot_messages(channel.id) == [thread]
        assert [re.findall(r"<#(\d+)>", answer.text) for answer in answers] == [[thread]] * PEOPLE
        assert stack.pools["WebhookFunction"].size >= PEOPLE


def asked_at_once(stack: Stack, channel: Channel, name: str) -> list[Answer]:
    """What each of them reads in the end. On a busy machine some are told to try again, and do."""
    discord = DiscordClient(control_url=stack.discord.url, gateway_url=stack.gateway.url)
    start = Barrier(PEOPLE)

    def ask(number: int) -> Answer:
        user = User(str(1310000000000000000 + number), f"user {number}")
        start.wait()
        return discord.open_and_retry(user, channel, name)[-1]

    with ThreadPoolExecutor(PEOPLE) as people:
        return list(people.map(ask, range(PEOPLE)))
