"""What an interaction or the table says of a channel's type is not believed over what Discord says."""

from typing import Any

import pytest

from handler.sessions.model import Outcome
from infra.simulator.faults import error, server_error
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory", imported=False)

CATEGORY, FORUM, VOICE = "14", "15", "16"


def record(guild: Guild, channel_id: str, kind: int, **more: Any) -> None:
    guild.table.put({"pk": f"CHANNEL#{channel_id}", "sk": "CHANNEL", "guild_id": GUILD, "kind": kind, **more})


async def test_a_thread_that_an_interaction_calls_a_text_channel_means_its_parent_then_and_later(
    deployment: Deployment,
) -> None:
    first = await deployment.ensure()
    thread_id = first["thread"]["id"]
    asked = await deployment.ask(channel_id=thread_id, channel_type=0)
    await deployment.work()
    assert f"<#{thread_id}>" in deployment.shown(asked)

    again = await deployment.ensure(parent_channel_id=thread_id, request_id="2")
    assert again["session"] == first["session"]
    assert not deployment.table.find(f"CHANNEL#{thread_id}", "CHANNEL")


@pytest.mark.parametrize("imported", [{}, {"imported_at": "2026-11-23T11:00:00.000Z"}], ids=["new", "imported"])
@pytest.mark.parametrize("kind", [0, 5, 2, 11])
async def test_a_thread_that_is_on_record_as_a_channel_means_its_parent(
    deployment: Deployment, kind: int, imported: dict[str, str]
) -> None:
    first = await deployment.ensure()
    thread_id = first["thread"]["id"]
    record(deployment, thread_id, kind, **imported)
    inside = await deployment.ensure(session_name="other", parent_channel_id=thread_id, request_id="2")

    assert inside["session"]["parent_channel_id"] == CHANNEL
    assert not deployment.table.find(f"CHANNEL#{thread_id}", "CHANNEL")
    assert [m for m in deployment.discord.messages.values() if m.channel_id == thread_id] == []


@pytest.mark.parametrize("kind", [2, 11, 15, 99])
async def test_a_text_channel_is_opened_whatever_kind_was_recorded_or_stated(deployment: Deployment, kind: int) -> None:
    record(deployment, CHANNEL, kind)
    assert (await deployment.ensure())["outcome"] == "created"
    assert deployment.table.channel()["kind"] == 0

    deployment.table.lose_all()
    asked = await deployment.ask("another", channel_type=kind, parent_id=CHANNEL)
    await deployment.work()
    assert len(deployment.living_threads("another")) == 1
    assert "<#" in deployment.shown(asked)


@pytest.mark.parametrize("stated", [0, 5])
async def test_a_category_that_is_called_a_text_channel_is_refused_and_not_kept_on_record(
    deployment: Deployment, stated: int
) -> None:
    deployment.discord.add_channel(GUILD, CATEGORY, 4)
    asked = await deployment.ask(channel_id=CATEGORY, channel_type=stated)
    await deployment.work()
    assert "text" in deployment.shown(asked)
    record(deployment, CATEGORY, stated, imported_at="2026-11-23T11:00:00.000Z")

    assert (await deployment.ensure(parent_channel_id=CATEGORY))["error"]["kind"] == "unsupported_channel"
    assert not deployment.table.find(f"CHANNEL#{CATEGORY}", "CHANNEL")


@pytest.mark.parametrize("stated", [0, 5])
async def test_a_forum_that_is_called_a_text_channel_gets_its_post_and_is_a_forum_on_record(
    deployment: Deployment, stated: int
) -> None:
    deployment.discord.add_channel(GUILD, FORUM, 15)
    record(deployment, FORUM, stated, imported_at="2026-11-23T11:00:00.000Z")

    assert (await deployment.ensure(parent_channel_id=FORUM))["outcome"] == "created"
    assert deployment.table.channel(FORUM)["kind"] == 15


async def test_a_kind_that_was_only_stated_is_not_refused_while_discord_cannot_be_asked(
    deployment: Deployment,
) -> None:
    deployment.discord.faults.inject("GET", f"/channels/{CHANNEL}", server_error(), times=3)
    with_voice = await deployment.ask(channel_type=2)
    await deployment.work()

    assert "<#" in deployment.shown(with_voice)


async def test_a_channel_of_another_type_that_the_bot_may_not_see_is_refused_for_its_type(
    deployment: Deployment,
) -> None:
    deployment.discord.faults.inject("GET", f"/channels/{VOICE}", error(403, 50001, "Missing Access"))
    asked = await deployment.ask(channel_id=VOICE, channel_type=2)

    assert "text, announcement, forum and media channels" in asked.content


async def test_a_refusal_in_a_channel_of_the_kind_on_record_stays_what_it_is(guild: Guild) -> None:
    odd = error(400, 99999, "odd")
    guild.discord.faults.inject("POST", "/channels/{channel_id}/messages", odd)
    assert (await guild.refused()).kind == "discord_refused"
    assert guild.table.channel()["kind"] == 0


async def test_a_converted_channel_stays_in_use_and_its_kind_is_corrected_when_discord_refuses(guild: Guild) -> None:
    opened = await guild.open()
    guild.people.convert_channel(CHANNEL)
    assert (await guild.open()).thread_id == opened.thread_id
    assert (await guild.open("another")).outcome is Outcome.CREATED

    odd = error(400, 50024, "Cannot execute action on this channel type")
    guild.discord.faults.inject("POST", "/channels/{channel_id}/messages", odd)
    assert (await guild.open("third")).outcome is Outcome.CREATED
    assert guild.table.channel()["kind"] == 5
