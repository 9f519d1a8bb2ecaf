"""What people see on the page."""

import pytest

from infra.local.discord import LocalDiscord
from infra.local.people import MONA, OMAR, VERA
from infra.page.world import Unknown, World
from tests.infra.page.conftest import CHANNEL, GUILD, NOW

PRIVATE = 12


def test_servers_are_listed_with_their_channels(world: World) -> None:
    (server,) = world.servers()
    assert (server["id"], [channel["name"] for channel in server["channels"]]) == (GUILD, ["builds"])


def test_a_private_thread_is_shown_to_its_members_and_to_moderators_alone(discord: LocalDiscord, world: World) -> None:
    with discord.lock:
        thread = discord.discord.people.create_thread(CHANNEL, "secret", now=NOW, by=MONA.id, type=PRIVATE)
    seen = {user.name: [t["id"] for t in world.view(CHANNEL, user)["active"]] for user in (MONA, OMAR, VERA)}
    assert seen == {"mona": [thread], "omar": [], "vera (moderator)": [thread]}
    with pytest.raises(Unknown):
        world.view(thread, OMAR)


def test_what_people_write_is_shown_although_the_bot_may_not_read_it(discord: LocalDiscord, world: World) -> None:
    with discord.lock:
        discord.discord.people.post_message(CHANNEL, "hello", now=NOW, by=MONA.id)
    view = world.view(CHANNEL, OMAR)
    assert [message["content"] for message in view["messages"]] == ["hello"]
    assert view["names"][MONA.id] == "mona"


def test_five_thousand_threads_come_fifty_at_a_time_and_can_be_searched(discord: LocalDiscord, world: World) -> None:
    with discord.lock:
        discord.discord.people.add_archived_threads(CHANNEL, 5_000, newest=NOW, name_of="Session {}".format)
    view = world.view(CHANNEL, OMAR)
    assert (len(view["archived"]), view["archived_count"]) == (50, 5_000)
    assert view["archived"][0]["name"] == "Session 0"
    found = world.view(CHANNEL, OMAR, search="session 4999")
    assert [thread["name"] for thread in found["archived"]] == ["Session 4999"]


def test_the_permissions_that_the_bot_lacks_are_named(discord: LocalDiscord, world: World) -> None:
    assert world.view(CHANNEL, OMAR)["missing"] == []
    with discord.lock:
        discord.discord.people.set_permissions(CHANNEL, ["VIEW_CHANNEL"], now=NOW)
    assert "CREATE_PUBLIC_THREADS" in world.view(CHANNEL, OMAR)["missing"]
    assert world.channel(CHANNEL).app_permissions == 1 << 10


def test_what_does_not_exist_is_said_so(world: World) -> None:
    for look in (world.channel, world.message, world.user):
        with pytest.raises(Unknown):
            look("1")
