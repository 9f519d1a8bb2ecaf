"""Discord's thread search, beside each look-up that may lead to a creation: a hint for what the lists do not show."""

from datetime import timedelta
from typing import Any

import pytest

from handler.sessions.model import Outcome
from infra.simulator.exchange import Response, json_response
from infra.simulator.faults import DROP, HANG, bad_gateway, error, server_error
from infra.simulator.refusals import too_many_requests
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD, NAME

HINT_TIMEOUT_SECONDS = 0.5

pytestmark = pytest.mark.guild(table="memory")

FOUND = f"Session {NAME}"
SEARCH = "GET /channels/{channel_id}/threads/search"
ARCHIVED = "GET /channels/{channel_id}/threads/archived/public"
THREAD = "GET /channels/{channel_id}"
PATH = SEARCH.removeprefix("GET ")


async def add_hidden(guild: Guild, *names: str) -> list[str]:
    """Archived threads that are in no list, because the channel was converted after them. The search knows them."""
    made = [guild.people.create_thread(CHANNEL, name, archived=True) for name in names or (FOUND,)]
    guild.people.convert_channel(CHANNEL)
    await guild.wait(60)
    return made


@pytest.mark.parametrize("imported", [True, False], ids=["look-up", "import"])
@pytest.mark.parametrize("kind", [0, 5], ids=["text to announcement", "announcement to text"])
async def test_a_thread_from_before_the_channel_was_converted_is_adopted(kind: int, imported: bool) -> None:
    with Guild(kind=kind, imported=imported) as guild:
        (hidden,) = await add_hidden(guild)
        opened = await guild.open()

        assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, hidden)
        assert guild.source_messages() == []
        assert guild.table.item()["archived"] is False


async def test_a_lost_table_makes_no_second_thread_in_a_converted_channel(deployment: Deployment) -> None:
    first = await deployment.ensure()
    deployment.people.archive(first["thread"]["id"])
    deployment.people.convert_channel(CHANNEL)
    deployment.table.lose_all()
    await deployment.wait(60)
    asked = await deployment.ask()
    await deployment.work()

    assert f"<#{first['thread']['id']}>" in deployment.shown(asked)
    assert len(deployment.living_threads()) == 1


@pytest.mark.guild(imported=False)
async def test_in_a_channel_that_is_not_imported_a_hit_needs_no_page_of_the_past(guild: Guild) -> None:
    newest = guild.now - timedelta(days=1)
    old = guild.discord.people.add_archived_threads(CHANNEL, 450, newest=newest, name_of="Session {}".format)
    opened = await guild.open("400")

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, old[400])
    assert guild.calls.count(ARCHIVED) == 0
    assert "imported_at" not in guild.table.channel()


NO_ANSWERS: dict[str, Any] = {
    "not ready": json_response(202, {"message": "soon", "code": 110000, "documents_indexed": 0, "retry_after": 2}),
    "500": server_error(),
    "502": bad_gateway(),
    "403": error(403, 50001, "Missing Access"),
    "404": error(404, 0, "404: Not Found"),
    "404, channel": error(404, 10003, "Unknown Channel"),
    "429": too_many_requests(3600.0),
    "429, short": too_many_requests(1.0),
    "dropped": DROP,
    "hangs": HANG,
    "nothing": Response(200, {}, b""),
    "nonsense": json_response(200, {"threads": "none", "has_more": False}),
    "half": json_response(200, {"threads": [{}], "has_more": False, "total_results": 1}),
    "another channel's": json_response(
        200,
        {
            "threads": [
                {"id": "77", "type": 11, "name": FOUND, "parent_id": "11", "thread_metadata": {"archived": True}}
            ],
            "has_more": True,
            "total_results": 9000,
        },
    ),
}


@pytest.mark.parametrize("imported", [True, False], ids=["look-up", "import"])
@pytest.mark.parametrize("what", NO_ANSWERS)
async def test_a_search_that_fails_keeps_nobody_from_a_new_thread(what: str, imported: bool) -> None:
    with Guild(imported=imported) as guild:
        guild.discord.faults.inject("GET", PATH, NO_ANSWERS[what], times=99)
        begun = guild.now
        opened = await guild.open()

        assert opened.outcome is Outcome.CREATED
        searches = 1 if imported else 2
        assert (guild.now - begun).total_seconds() <= searches * HINT_TIMEOUT_SECONDS
        assert 1 <= guild.calls.count(SEARCH) <= searches, "it is asked once beside the lists, and is not waited for"
        assert guild.calls.count(THREAD) == 0


@pytest.mark.guild(latency=0.2)
async def test_a_hanging_search_costs_a_user_less_than_a_second(deployment: Deployment) -> None:
    await deployment.ensure(session_name="another")
    deployment.discord.faults.inject("GET", PATH, HANG, times=99)
    asked = await deployment.ask()

    assert asked.kind == 4, "it is answered at once"
    assert asked.seconds < 1 + 5 * deployment.latency
    assert len(deployment.living_threads()) == 1


@pytest.mark.parametrize("change", ["rename", "delete_thread", "convert"])
async def test_a_hit_is_believed_only_as_it_is_now(guild: Guild, change: str) -> None:
    (hidden,) = await add_hidden(guild)
    guild.discord.stop_search_index()
    if change == "rename":
        guild.people.edit_thread(hidden, archived=False, name="talk")
        guild.people.archive(hidden)
    elif change == "delete_thread":
        guild.people.delete_thread(hidden)
    else:
        guild.table.put({"pk": f"THREAD#{hidden}", "sk": "THREAD", "merged_into": "123"})
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id != hidden) == (Outcome.CREATED, True)
    assert guild.calls.count(THREAD) == 1


async def test_a_private_thread_that_the_search_shows_is_never_adopted(guild: Guild) -> None:
    private = guild.people.create_thread(CHANNEL, FOUND, type=12, archived=True)
    await guild.wait(60)

    assert (await guild.open()).thread_id != private
    assert guild.calls.count(THREAD) == 0


async def test_while_a_hit_cannot_be_read_nothing_is_created(guild: Guild) -> None:
    (hidden,) = await add_hidden(guild)
    guild.discord.faults.inject("GET", f"/channels/{hidden}", server_error(), times=3)
    assert (await guild.refused()).kind == "discord_unavailable"
    assert guild.source_messages() == []

    assert (await guild.open()).thread_id == hidden


async def test_a_hit_that_the_bot_may_not_see_is_no_match(guild: Guild) -> None:
    (hidden,) = await add_hidden(guild)
    guild.discord.faults.inject("GET", f"/channels/{hidden}", error(403, 50001, "Missing Access"))

    assert (await guild.open()).outcome is Outcome.CREATED


async def test_of_several_hits_the_one_with_most_messages_is_adopted_and_the_others_are_namesakes(guild: Guild) -> None:
    few, most = (guild.people.create_thread(CHANNEL, FOUND) for _ in range(2))
    guild.people.post_message(most)
    for thread_id in (few, most):
        guild.people.archive(thread_id)
    guild.people.convert_channel(CHANNEL)
    await guild.wait(60)

    assert (await guild.open()).thread_id == most
    assert guild.table.namesakes() == [few]


async def test_a_hit_that_a_list_shows_too_is_not_read_again(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, FOUND)
    await guild.wait(60)

    assert (await guild.open()).thread_id == made
    assert guild.calls.count(THREAD) == 0


async def test_a_session_that_is_on_record_is_not_searched_for(guild: Guild) -> None:
    opened = await guild.open()
    guild.people.auto_archive(opened.thread_id)
    guild.calls.forget()
    await guild.open()

    assert guild.calls.count(SEARCH) == 0
    assert guild.table.channel()["guild_id"] == GUILD
