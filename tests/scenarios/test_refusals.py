"""What stands in the way is named, and nothing is left behind."""

from typing import Any

import pytest

from handler.discord.permissions import Permission
from handler.discord.refusals import NEEDED_TO_CREATE
from handler.sessions.model import Outcome
from infra.simulator.faults import error
from tests.kit.stage import Stage, staged
from tests.kit.table_view import CHANNEL, GUILD, NAME

MESSAGES = "/channels/{channel_id}/messages"
THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
ALL = Permission(0)
for _permission in NEEDED_TO_CREATE:
    ALL |= _permission


def nothing_left(stage: Stage) -> bool:
    """No thread, no source message, and a session that is nobody's."""
    item = stage.item()
    return not stage.living_threads() and not stage.source_messages() and (item is None or item["status"] == "vacant")


@pytest.mark.parametrize("kind", [15, 16, 2, 13, 4], ids=["forum", "media", "voice", "stage", "category"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "asked for"])
@staged(imported=False)
async def test_a_channel_that_cannot_hold_such_threads_is_refused_before_anything_is_written(
    stage: Stage, kind: int, told: bool
) -> None:
    stage.kind = kind
    stage.discord.add_channel(GUILD, CHANNEL, kind)
    before = stage.everything()
    refusal = await stage.refused(told=told)

    assert (refusal.kind, refusal.retryable) == ("unsupported_channel", False)
    assert stage.everything() == before


@staged(imported=False)
async def test_a_post_of_a_forum_means_the_forum_which_is_refused(stage: Stage) -> None:
    stage.discord.add_channel(GUILD, "12", 15, "forum")
    post = stage.discord.people.create_thread("12", "a post", now=stage.now)
    before = stage.everything()

    assert (await stage.refused(channel=post, user=None, told=False)).kind == "unsupported_channel"
    assert stage.everything() == before


@pytest.mark.parametrize("imported", [True, False], ids=["known", "new"])
@pytest.mark.parametrize("lacking", NEEDED_TO_CREATE, ids=lambda permission: str(permission.name))
def test_each_missing_permission_is_named_before_anything_is_written(lacking: Permission, imported: bool) -> None:
    @staged(imported=imported)
    async def play(stage: Stage) -> None:
        before = stage.everything()
        refusal = await stage.refused(app_permissions=int(ALL & ~lacking))

        assert (refusal.kind, refusal.public()["permissions"]) == ("missing_permissions", [lacking.name])
        assert stage.everything() == before

    play()


@staged()
async def test_all_missing_permissions_are_named_at_once(stage: Stage) -> None:
    refusal = await stage.refused(app_permissions=int(Permission.VIEW_CHANNEL))

    assert refusal.public()["permissions"] == ["SEND_MESSAGES", "READ_MESSAGE_HISTORY", "CREATE_PUBLIC_THREADS"]


@staged()
async def test_with_exactly_what_is_needed_a_session_opens(stage: Stage) -> None:
    stage.discord.people.set_permissions(CHANNEL, int(ALL), now=stage.now)

    assert (await stage.open(app_permissions=int(ALL))).outcome is Outcome.CREATED


@staged()
async def test_reusing_an_active_thread_needs_none_of_the_permissions_to_create(stage: Stage) -> None:
    first = await stage.open()

    assert (await stage.open(app_permissions=int(Permission.VIEW_CHANNEL))).thread_id == first.thread_id


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("READ_MESSAGE_HISTORY", ["READ_MESSAGE_HISTORY"]),
        ("SEND_MESSAGES", ["SEND_MESSAGES"]),
        ("CREATE_PUBLIC_THREADS", ["CREATE_PUBLIC_THREADS"]),
    ],
)
@staged()
async def test_a_program_hears_from_discord_what_is_missing_and_nothing_is_left(
    stage: Stage, lacking: str, named: list[str]
) -> None:
    stage.discord.people.set_permissions(CHANNEL, int(ALL & ~Permission[lacking]), now=stage.now)
    refusal = await stage.refused(user=None)

    assert (refusal.kind, refusal.public()["permissions"]) == ("missing_permissions", named)
    assert nothing_left(stage)
    stage.discord.people.set_permissions(CHANNEL, int(ALL), now=stage.now)
    assert (await stage.open()).outcome is Outcome.CREATED


@staged()
async def test_a_channel_out_of_sight_is_missing_access(stage: Stage) -> None:
    stage.discord.people.set_permissions(CHANNEL, [], now=stage.now)

    assert (await stage.refused(user=None)).kind == "missing_access"
    assert nothing_left(stage)


@staged()
async def test_a_bot_that_is_no_member_is_missing_access(stage: Stage) -> None:
    stage.discord.people.remove_bot_from_guild(GUILD, now=stage.now)

    assert (await stage.refused()).kind == "missing_access"
    assert nothing_left(stage)


@pytest.mark.parametrize("switch", ["blocked_title_words", "blocked_message_words"])
@staged()
async def test_a_name_that_automod_refuses_leaves_nothing_and_another_one_opens(stage: Stage, switch: str) -> None:
    stage.discord.switch(**{switch: (NAME,)})
    refusal = await stage.refused()

    assert (refusal.kind, refusal.retryable) == ("refused_by_automod", False)
    assert nothing_left(stage)
    assert (await stage.open("harmless")).outcome is Outcome.CREATED
    assert (await stage.refused()).kind == "refused_by_automod"


@staged(active_thread_limit=2)
async def test_too_many_active_threads_leave_nothing_and_it_works_when_one_is_archived(stage: Stage) -> None:
    talks = [stage.person_makes(f"talk {number}") for number in range(2)]
    refusal = await stage.refused()

    assert (refusal.kind, refusal.retryable) == ("too_many_threads", True)
    assert nothing_left(stage)
    stage.discord.people.archive(talks[0], now=stage.now)
    assert (await stage.open()).outcome is Outcome.CREATED
    assert len(stage.source_messages()) == 1


@staged(kind=5, active_thread_limit=0)
async def test_too_many_announcement_threads_are_told_the_same_way(stage: Stage) -> None:
    assert (await stage.refused()).kind == "too_many_threads"
    assert nothing_left(stage)


@pytest.mark.parametrize("how", [{}, {"user": None, "told": False}], ids=["command", "program"])
@pytest.mark.parametrize("imported", [True, False], ids=["known", "new"])
def test_a_deleted_channel_is_told_as_gone(imported: bool, how: dict[str, Any]) -> None:
    @staged(imported=imported)
    async def play(stage: Stage) -> None:
        stage.discord.people.delete_channel(CHANNEL, now=stage.now)
        refusal = await stage.refused(**how)

        assert (refusal.kind, refusal.retryable) == ("channel_gone", False)
        assert nothing_left(stage)

    play()


@staged()
async def test_a_channel_deleted_with_the_sessions_thread_is_told_as_gone_and_the_record_stays(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_channel(CHANNEL, now=stage.now)

    assert (await stage.refused()).kind == "channel_gone"
    item = stage.item()
    assert item is not None
    assert item["discord_thread_id"] == first.thread_id


@staged()
async def test_a_channel_deleted_under_a_recorded_source_message_is_told_as_gone(stage: Stage) -> None:
    stage.discord.faults.inject("POST", THREADS, error(500, 0, "no"), times=3)
    assert (await stage.refused()).kind == "discord_unavailable"
    stage.discord.people.delete_channel(CHANNEL, now=stage.now)

    assert (await stage.refused()).kind == "channel_gone"


@staged()
async def test_a_refused_token_is_told_as_such_and_not_hammered(stage: Stage) -> None:
    stage.discord.faults.inject("*", "*", error(401, 0, "401: Unauthorized"), times=1000)
    assert (await stage.refused()).kind == "bot_token_refused"
    sent = stage.count("discord")
    assert sent <= 2  # the two reads of the look-up are sent side by side
    assert (await stage.refused()).kind == "bot_token_refused"
    assert stage.count("discord") == sent
    assert nothing_left(stage)

    stage.discord.faults.clear()
    stage.restart()
    assert (await stage.open()).outcome is Outcome.CREATED


@staged()
async def test_an_error_lets_the_claim_go_so_that_the_next_one_need_not_wait(stage: Stage) -> None:
    stage.discord.faults.inject("POST", MESSAGES, error(503, 0, "no"), times=3)
    assert (await stage.refused()).kind == "discord_unavailable"
    opened = await stage.open()

    assert (opened.outcome, opened.waited) == (Outcome.CREATED, False)
    assert len(stage.living_threads()) == len(stage.source_messages()) == 1
