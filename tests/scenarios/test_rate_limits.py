"""Discord limits the starting of threads, for minutes at a time."""

from handler.sessions.model import Outcome
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL

START = "/channels/{channel_id}/messages/{message_id}/threads"


async def test_while_starts_are_limited_no_message_is_posted_that_would_stand_there_without_its_thread(
    guild: Guild,
) -> None:
    guild.discord.limit_once("POST", START, 240)

    first = await guild.refused("first")
    second = await guild.refused("second")

    assert (first.kind, second.kind) == ("rate_limited", "rate_limited")
    posted = [m for m in guild.discord.messages.values() if m.channel_id == CHANNEL]
    assert len(posted) == 1, "the first one's, whose thread is started from it later"


async def test_each_start_that_the_limit_allows_is_made(guild: Guild) -> None:
    guild.discord.limit_route("POST", START, 2, 60)

    opened = [await guild.open(name) for name in ("first", "second")]

    assert [each.outcome for each in opened] == [Outcome.CREATED] * 2
    assert (await guild.refused("third")).kind == "rate_limited"
    assert len(guild.source_messages()) == 2
