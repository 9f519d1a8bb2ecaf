"""Discord refuses a user's own words in this server: which ones is said, and nothing is left behind."""

from typing import Any

import pytest

from infra.simulator.exchange import Response, json_response
from infra.simulator.faults import DROP, When, server_error
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL

pytestmark = pytest.mark.guild(table="memory", imported=True)

BAD = "1488"
MESSAGES = "/channels/{channel_id}/messages"
THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
THREAD = "/channels/{channel_id}"


def form(**errors: Any) -> Response:
    return json_response(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def at(code: str) -> dict[str, Any]:
    return {"_errors": [{"code": code, "message": "Discord's own words"}]}


def nothing_left(guild: Guild) -> bool:
    return (guild.source_messages(), guild.discord.threads, guild.table.item(BAD)["status"]) == ([], {}, "vacant")


@pytest.mark.guild(refused_title_words=(BAD,))
async def test_a_refused_name_is_told_to_the_user_each_time_and_remembered_by_nobody(deployment: Deployment) -> None:
    for _ in range(2):
        asked = await deployment.ask(BAD)
        assert "session name" in deployment.shown(asked)
        assert "Choose another name" in deployment.shown(asked)
        assert not deployment.queue.waiting
        assert nothing_left(deployment)
    answer = await deployment.ensure(session_name=BAD)
    assert (answer["error"]["kind"], answer["error"]["retryable"]) == ("invalid_name", False)
    assert nothing_left(deployment)

    deployment.discord.switch(refused_title_words=())
    assert (await deployment.ensure(session_name=BAD))["outcome"] == "created"
    assert len(deployment.source_messages()) == 1


@pytest.mark.parametrize(
    ("route", "refusal", "topic", "kind", "says"),
    [
        (THREADS, form(name=at("BASE_TYPE_BAD_LENGTH")), None, "invalid_name", "session name"),
        (THREADS, form(name={"0": at("ANYTHING")}), "a topic", "invalid_name", "session name"),
        (THREADS, json_response(400, {"name": ["Must be shorter."]}), None, "invalid_name", "session name"),
        (MESSAGES, form(content=at("BASE_TYPE_MAX_LENGTH")), "a topic", "invalid_request", "topic"),
        (MESSAGES, form(content=at("CONTENT_INVALID")), None, "invalid_name", "session name"),
        (THREADS, form(auto_archive_duration=at("BASE_TYPE_CHOICES")), None, "discord_refused", "50035"),
        (MESSAGES, form(nonce=at("NONCE_TYPE_TOO_LONG")), "a topic", "discord_refused", "50035"),
        (THREADS, json_response(400, {"name": "BadRequest", "message": "no"}), None, "discord_refused", "400"),
    ],
)
async def test_the_error_says_which_words_were_refused(
    guild: Guild, route: str, refusal: Response, topic: str | None, kind: str, says: str
) -> None:
    guild.discord.faults.inject("POST", route, refusal)
    error = await guild.refused(BAD, topic=topic)

    assert (error.kind, error.retryable) == (kind, False)
    assert says in error.message
    assert nothing_left(guild)


async def merged(deployment: Deployment) -> str:
    """What the merge button of the list of duplicates is answered with."""
    listed = await deployment.administer("duplicates")
    await deployment.work()
    pressed = await deployment.press(listed)
    await deployment.work()
    return deployment.shown(pressed)


def duplicates(deployment: Deployment, switch: str = "refused_title_words") -> list[str]:
    """Two threads of a name that the server refuses by now; the fuller one first."""
    threads = [deployment.people.create_thread(CHANNEL, f"Session {BAD}") for _ in range(2)]
    deployment.people.post_message(threads[0], "a word")
    deployment.discord.switch(**{switch: (BAD,)})
    return threads


@pytest.mark.parametrize("mishap", [None, (DROP, "after"), (DROP, "before"), (server_error(), "before")])
@pytest.mark.parametrize("switch", ["refused_title_words", "blocked_title_words"])
async def test_duplicates_of_a_refused_name_are_merged_under_a_name_of_ours(
    deployment: Deployment, switch: str, mishap: tuple[Any, When] | None
) -> None:
    kept, other = duplicates(deployment, switch)
    if mishap is not None:  # at the second attempt, with our name
        deployment.discord.faults.inject("PATCH", THREAD, mishap[0], when=mishap[1], nth=2)
    assert "Closed 1 duplicate thread" in await merged(deployment)

    thread = deployment.discord.threads[other]
    assert (thread.name, thread.archived, thread.locked) == ("↪ Duplicate", True, True)
    assert [thread.id for thread in deployment.living_threads(BAD)] == [kept]
    listed = await deployment.administer("duplicates")
    assert "No duplicates" in deployment.shown(listed)


async def test_a_duplicate_that_cannot_be_renamed_at_all_is_left_to_people(deployment: Deployment) -> None:
    duplicates(deployment)
    deployment.discord.switch(refused_title_words=(BAD, "duplicate"))
    text = await merged(deployment)

    assert "by hand" in text
    assert "again" not in text
