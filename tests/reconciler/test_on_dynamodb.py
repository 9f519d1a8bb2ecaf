"""The same run over the clients that Lambda has: boto3, with moto behind its wire."""

import pytest

from tests.kit.guild import MODERATOR, Guild
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="moto", imported=False)


async def test_a_guild_is_followed_and_costs_nothing_more_once_it_is(guild: Guild) -> None:
    threads = {name: (await guild.open(name)).thread_id for name in "abcd"}
    guild.people.rename(threads["a"], "Session z")
    guild.people.archive(threads["b"])
    guild.people.delete_thread(threads["c"])
    guild.people.lock(threads["d"])
    stranger = guild.people.create_thread(CHANNEL, "Session new")
    counts = await guild.report()
    assert {
        name: counts[name] for name in ("UpdateSession", "EndGeneration", "Settle", "AddNamesake", "failed", "lost")
    } == {
        "UpdateSession": 3,
        "EndGeneration": 1,
        "Settle": 1,
        "AddNamesake": 1,
        "failed": 0,
        "lost": 0,
    }
    assert guild.table.item("a")["thread_name"] == "Session z"
    assert guild.table.item("b")["archived"] is True
    assert guild.table.item("c")["status"] == "vacant"
    assert guild.table.item("d")["locked_by"] == MODERATOR
    assert guild.table.item("new")["discord_thread_id"] == stranger
    await guild.report()
    assert sorted(guild.calls.names) == [
        "GET /guilds/{guild_id}/audit-logs",
        "GET /guilds/{guild_id}/threads/active",
        "Query",
    ]


async def test_the_sweep_and_held_deletions_are_written_as_dynamodb_takes_them(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abcde"]
    for thread_id in threads:
        guild.people.archive(thread_id)
    await guild.report()
    guild.people.set_permissions(GUILD, ())
    assert (await guild.report())["MoveToEnd"] == 5
    for thread_id in threads[:4]:
        guild.people.delete_thread(thread_id)
    assert (await guild.report())["HoldDeletion"] == 4
    await guild.wait(31 * 60)
    assert (await guild.report())["EndGeneration"] == 4
    assert [item["status"] for item in guild.table.of_kind("SESSION#")].count("vacant") == 4
