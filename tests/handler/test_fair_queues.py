"""Every message of a queue names its server, so that one server's messages do not delay another's."""

import pytest

from handler.commands.jobs import NO_GUILD
from handler.errors import RateLimited
from infra.interactions import interaction
from infra.virtual_time import START
from tests.kit.commands import Case
from tests.kit.deployment import USER, Deployment
from tests.kit.table_view import CHANNEL, GUILD

ANOTHER_GUILD = "100000000000000021"


@pytest.mark.parametrize("guild_id", [GUILD, ANOTHER_GUILD])
async def test_a_job_and_one_that_is_put_back_name_their_server(case: Case, guild_id: str) -> None:
    case.script(RateLimited(5.0), "done")
    await case.through(guild_id=guild_id)
    assert [(sent.group, sent.delay > 0) for sent in case.queue.sent] == [(guild_id, False), (guild_id, True)]


async def test_all_jobs_from_direct_messages_are_one_group(case: Case) -> None:
    payload = interaction("x", channel_id=CHANNEL, guild_id=GUILD, user_id=USER, token="made-up-token-dm", now=START)
    del payload["guild_id"], payload["guild"], payload["member"]
    await case.deliver({**payload, "user": {"id": USER}}, old=2.9)
    assert [sent.group for sent in case.queue.sent] == [NO_GUILD]


async def test_each_guild_to_reconcile_is_a_group_of_its_own(deployment: Deployment) -> None:
    deployment.discord.add_guild(ANOTHER_GUILD)
    deployment.discord.add_channel(ANOTHER_GUILD, "100000000000000022")
    await deployment.ask()
    await deployment.ask(guild_id=ANOTHER_GUILD, channel_id="100000000000000022")
    await deployment.tick()
    assert {sent.group: sent.body["guild_id"] for sent in deployment.guilds.sent} == {
        guild: guild for guild in (GUILD, ANOTHER_GUILD)
    }
