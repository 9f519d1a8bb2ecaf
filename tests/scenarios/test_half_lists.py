"""Discord answers half a list: nothing is created because of what it leaves out, and nothing is stuck afterwards."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from handler.sessions.model import Outcome
from infra.simulator.exchange import json_response
from infra.simulator.state import HalfPages
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory", search_ready=False)

ACTIVE = "/guilds/{guild_id}/threads/active"
# One page that lacks what follows, and says so of nothing, cannot be told from the end of the past.
KINDS = [kind for kind in get_args(HalfPages) if kind != "lost"]


def add_past(guild: Guild) -> list[str]:
    """Three pages of archived threads, newer than any mark."""
    newest = guild.now - timedelta(minutes=2)
    return guild.discord.people.add_archived_threads(
        CHANNEL, 250, newest=newest, name_of="Session {}".format, step=timedelta(seconds=1)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.guild(imported=False)
async def test_an_import_that_reads_half_a_page_creates_nothing_and_goes_on_later(
    guild: Guild, kind: HalfPages
) -> None:
    old = add_past(guild)
    guild.discord.switch(archived_pages=kind)
    error = await guild.refused("200")
    assert (error.kind, error.retryable) == ("discord_unavailable", True)
    assert guild.source_messages() == []
    assert "imported_at" not in guild.table.channel()

    guild.discord.switch(archived_pages=None)
    opened = await guild.open("200")
    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, old[200])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_look_up_that_reads_half_a_page_creates_nothing(guild: Guild, kind: HalfPages) -> None:
    old = add_past(guild)
    guild.discord.switch(archived_pages=kind)
    assert (await guild.refused("200")).kind == "discord_unavailable"
    assert guild.source_messages() == []

    guild.discord.switch(archived_pages=None)
    assert (await guild.open("200")).thread_id == old[200]


@pytest.mark.parametrize("imported", [True, False], ids=["look-up", "import"])
async def test_a_second_page_that_is_empty_for_once_is_read_again(imported: bool) -> None:
    with Guild(imported=imported, search_ready=False) as guild:
        old = add_past(guild)
        lost = json_response(200, {"threads": [], "members": [], "has_more": False})
        guild.discord.faults.inject("GET", f"/channels/{CHANNEL}/threads/archived/public", lost, nth=2)

        assert (await guild.open("200")).thread_id == old[200]


@pytest.mark.parametrize("imported", [True, False], ids=["look-up", "import"])
@pytest.mark.parametrize(
    "half", [{}, {"threads": None}, {"threads": [{}]}, {"threads": [], "has_more": True}, []], ids=str
)
async def test_half_a_list_of_active_threads_creates_nothing(half: Any, imported: bool) -> None:
    with Guild(imported=imported) as guild:
        made = guild.people.create_thread(CHANNEL, "Session 1a06a43")
        guild.discord.faults.inject("GET", ACTIVE, json_response(200, half), times=3)
        assert (await guild.refused()).kind == "discord_unavailable"
        assert guild.source_messages() == []

        assert (await guild.open()).thread_id == made


@pytest.mark.guild(imported=False)
async def test_who_asks_while_discord_answers_half_a_list_gets_the_old_thread_in_the_end(
    deployment: Deployment,
) -> None:
    old = add_past(deployment)
    deployment.discord.switch(archived_pages="unfinished")
    asked = await deployment.ask("200")
    deployment.discord.switch(archived_pages=None)
    await deployment.work()

    assert f"<#{old[200]}>" in deployment.shown(asked)
    assert [t.id for t in deployment.living_threads("200")] == [old[200]]
    assert deployment.table.item("200")["guild_id"] == GUILD
