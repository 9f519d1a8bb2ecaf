"""What stands in the way is named, and nothing is left behind."""

from typing import Any

import pytest

from handler.discord.permissions import Permission
from handler.discord.refusals import NEEDED_TO_CREATE
from handler.sessions.model import Outcome
from infra.simulator.faults import error
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD, NAME

MESSAGES = "/channels/{channel_id}/messages"
THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
ALL = Permission(0)
for _permission in NEEDED_TO_CREATE:
    ALL |= _permission
KNOWN_OR_NEW = pytest.mark.parametrize(
    "guild", [{"imported": True}, {"imported": False}], ids=["known", "new"], indirect=True
)


def nothing_left(guild: Guild) -> bool:
    """No thread, no source message, and a session that is nobody's."""
    status = guild.table.item().get("status", "vacant")
    return not guild.living_threads() and not guild.source_messages() and status == "vacant"


@pytest.mark.parametrize("kind", [2, 13, 4], ids=["voice", "guild", "category"])
@pytest.mark.parametrize("states_channel", [True, False], ids=["stated", "fetched"])
@pytest.mark.guild(imported=False)
async def test_a_channel_that_cannot_hold_such_threads_is_refused_before_anything_is_written(
    guild: Guild, kind: int, states_channel: bool
) -> None:
    guild.kind = kind
    guild.discord.add_channel(GUILD, CHANNEL, kind)
    before = guild.everything()
    refusal = await guild.refused(states_channel=states_channel)

    assert (refusal.kind, refusal.retryable) == ("unsupported_channel", False)
    assert guild.everything() == before


@pytest.mark.guild(imported=False)
async def test_a_post_of_a_forum_means_the_forum(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, "12", 15, "forum")
    post = guild.people.create_thread("12", "a post")
    opened = await guild.open(channel=post, user=None, states_channel=False)

    assert guild.discord.threads[opened.thread_id].parent_id == "12"


@KNOWN_OR_NEW
@pytest.mark.parametrize("lacking", NEEDED_TO_CREATE, ids=lambda permission: str(permission.name))
async def test_each_missing_permission_is_named_before_anything_is_written(guild: Guild, lacking: Permission) -> None:
    before = guild.everything()
    refusal = await guild.refused(app_permissions=int(ALL & ~lacking))

    assert (refusal.kind, refusal.public()["permissions"]) == ("missing_permissions", [lacking.name])
    assert guild.everything() == before


async def test_all_missing_permissions_are_named_at_once(guild: Guild) -> None:
    refusal = await guild.refused(app_permissions=int(Permission.VIEW_CHANNEL))

    assert refusal.public()["permissions"] == ["SEND_MESSAGES", "READ_MESSAGE_HISTORY", "CREATE_PUBLIC_THREADS"]


async def test_with_exactly_what_is_needed_a_session_opens(guild: Guild) -> None:
    guild.people.set_permissions(CHANNEL, int(ALL))

    assert (await guild.open(app_permissions=int(ALL))).outcome is Outcome.CREATED


async def test_reusing_an_active_thread_needs_none_of_the_permissions_to_create(guild: Guild) -> None:
    first = await guild.open()

    assert (await guild.open(app_permissions=int(Permission.VIEW_CHANNEL))).thread_id == first.thread_id


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("READ_MESSAGE_HISTORY", ["READ_MESSAGE_HISTORY"]),
        ("SEND_MESSAGES", ["SEND_MESSAGES"]),
        ("CREATE_PUBLIC_THREADS", ["CREATE_PUBLIC_THREADS"]),
    ],
)
async def test_a_program_hears_from_discord_what_is_missing_and_nothing_is_left(
    guild: Guild, lacking: str, named: list[str]
) -> None:
    guild.people.set_permissions(CHANNEL, int(ALL & ~Permission[lacking]))
    refusal = await guild.refused(user=None)

    assert (refusal.kind, refusal.public()["permissions"]) == ("missing_permissions", named)
    assert nothing_left(guild)
    guild.people.set_permissions(CHANNEL, int(ALL))
    assert (await guild.open()).outcome is Outcome.CREATED


async def test_a_channel_out_of_sight_is_missing_access(guild: Guild) -> None:
    guild.people.set_permissions(CHANNEL, [])

    assert (await guild.refused(user=None)).kind == "missing_access"
    assert nothing_left(guild)


async def test_a_bot_that_is_no_member_is_missing_access(guild: Guild) -> None:
    guild.people.remove_bot_from_guild(GUILD)

    assert (await guild.refused()).kind == "missing_access"
    assert nothing_left(guild)


@pytest.mark.parametrize("switch", ["blocked_title_words", "blocked_message_words"])
async def test_a_name_that_automod_refuses_leaves_nothing_and_another_one_opens(guild: Guild, switch: str) -> None:
    guild.discord.switch(**{switch: (NAME,)})
    refusal = await guild.refused()

    assert (refusal.kind, refusal.retryable) == ("refused_by_automod", False)
    assert nothing_left(guild)
    assert (await guild.open("harmless")).outcome is Outcome.CREATED
    assert (await guild.refused()).kind == "refused_by_automod"


@pytest.mark.guild(active_thread_limit=2)
async def test_too_many_active_threads_leave_nothing_and_it_works_when_one_is_archived(guild: Guild) -> None:
    talks = [guild.people.create_thread(CHANNEL, f"talk {number}") for number in range(2)]
    refusal = await guild.refused()

    assert (refusal.kind, refusal.retryable) == ("too_many_threads", True)
    assert nothing_left(guild)
    guild.people.archive(talks[0])
    assert (await guild.open()).outcome is Outcome.CREATED
    assert len(guild.source_messages()) == 1


@pytest.mark.guild(kind=5, active_thread_limit=0)
async def test_too_many_announcement_threads_are_told_the_same_way(guild: Guild) -> None:
    assert (await guild.refused()).kind == "too_many_threads"
    assert nothing_left(guild)


@pytest.mark.parametrize("how", [{}, {"user": None, "states_channel": False}], ids=["command", "program"])
@KNOWN_OR_NEW
async def test_a_deleted_channel_is_told_as_gone(guild: Guild, how: dict[str, Any]) -> None:
    guild.people.delete_channel(CHANNEL)
    refusal = await guild.refused(**how)

    assert (refusal.kind, refusal.retryable) == ("channel_gone", False)
    assert nothing_left(guild)


async def test_a_channel_deleted_with_the_sessions_thread_is_told_as_gone_and_the_record_stays(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_channel(CHANNEL)

    assert (await guild.refused()).kind == "channel_gone"
    item = guild.table.item()
    assert item["discord_thread_id"] == first.thread_id


async def test_a_channel_deleted_under_a_recorded_source_message_is_told_as_gone(guild: Guild) -> None:
    guild.discord.faults.inject("POST", THREADS, error(500, 0, "no"), times=3)
    assert (await guild.refused()).kind == "discord_unavailable"
    guild.people.delete_channel(CHANNEL)

    assert (await guild.refused()).kind == "channel_gone"


async def test_a_refused_token_is_told_as_such_and_not_hammered(guild: Guild) -> None:
    guild.discord.faults.inject("*", "*", error(401, 0, "401: Unauthorized"), times=1000)
    assert (await guild.refused()).kind == "bot_token_refused"
    sent = len(guild.calls.of("discord"))
    assert sent <= 2  # the two reads of the look-up are sent side by side
    assert (await guild.refused()).kind == "bot_token_refused"
    assert len(guild.calls.of("discord")) == sent
    assert nothing_left(guild)

    guild.discord.faults.clear()
    guild.restart()
    assert (await guild.open()).outcome is Outcome.CREATED


async def test_an_error_lets_the_claim_go_so_that_the_next_one_need_not_wait(guild: Guild) -> None:
    guild.discord.faults.inject("POST", MESSAGES, error(503, 0, "no"), times=3)
    assert (await guild.refused()).kind == "discord_unavailable"
    opened = await guild.open()

    assert (opened.outcome, opened.waited) == (Outcome.CREATED, False)
    assert len(guild.living_threads()) == len(guild.source_messages()) == 1
