"""Forks: what happens in one does not happen in the other."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.simulator.faults import DROP
from infra.simulator.people import ImpossibleAction, People
from infra.simulator.router import ROUTES
from infra.simulator.simulated_discord import SimulatedDiscord
from tests.infra.simulator.client import ALICE, APPLICATION, FORUM, GUILD, NOON, SECOND, TEXT, Bot, small_world
from tests.infra.simulator.scene import REQUESTS, Scene, route_of

LATER = NOON + 60 * SECOND


def remove_and_return_bot(scene: Scene, people: People) -> None:
    people.remove_bot_from_guild(GUILD, now=LATER)
    people.return_bot_to_guild(GUILD)


ACTIONS: dict[str, Callable[[Scene, People], object]] = {
    "create_thread": lambda s, p: p.create_thread(TEXT, "x", now=LATER, message_id=s.message),
    "post_message": lambda s, p: p.post_message(s.archived, "x", now=LATER),
    "delete_message": lambda s, p: p.delete_message(TEXT, s.message, now=LATER),
    "delete_thread": lambda s, p: p.delete_thread(s.thread, now=LATER),
    "rename": lambda s, p: p.rename(s.thread, "y", now=LATER),
    "archive": lambda s, p: p.archive(s.thread, now=LATER),
    "unarchive": lambda s, p: p.unarchive(s.archived, now=LATER),
    "lock": lambda s, p: p.lock(s.thread, now=LATER),
    "unlock": lambda s, p: p.unlock(s.locked, now=LATER),
    "edit_thread": lambda s, p: p.edit_thread(s.thread, now=LATER, name="y", archived=True),
    "auto_archive": lambda s, p: p.auto_archive(s.thread, now=LATER),
    "auto_archive_idle": lambda s, p: p.auto_archive_idle(now=LATER + 1440 * 60 * SECOND),
    "convert_channel": lambda s, p: p.convert_channel(TEXT, now=LATER),
    "delete_channel": lambda s, p: p.delete_channel(TEXT, now=LATER),
    "remove_bot_from_guild": lambda s, p: p.remove_bot_from_guild(GUILD, now=LATER),
    "return_bot_to_guild": remove_and_return_bot,
    "set_permissions": lambda s, p: p.set_permissions(TEXT, 0, now=LATER),
    "remove_member": lambda s, p: p.remove_member(GUILD, ALICE),
    "set_roles": lambda s, p: p.set_roles(GUILD, ALICE, ["7"]),
    "add_archived_threads": lambda s, p: p.add_archived_threads(TEXT, 2, newest=LATER),
}

CHANGES = [request for request in REQUESTS if request[0] != "GET"]

SETTINGS: dict[str, Callable[[SimulatedDiscord], object]] = {
    "switch": lambda d: d.switch(second_thread_from_message=True),
    "404 once": lambda d: d.report_missing_once("5"),
    "stopped index": lambda d: d.stop_search_index(),
    "limit": lambda d: d.limit_globally(),
    "limit once": lambda d: d.limit_once("GET", "*", 5),
    "fault": lambda d: d.faults.inject("*", "*", DROP),
    "user": lambda d: d.add_user("9"),
    "channel": lambda d: d.add_channel(GUILD, "19"),
    "guild": lambda d: d.add_guild("9"),
    "interaction": lambda d: d.begin_interaction("other", "501", APPLICATION, NOON),
}


def everything(discord: SimulatedDiscord) -> list[object]:
    """All that the bot can read."""
    bot = Bot(discord, LATER)
    paths = [route.template for route in ROUTES if route.method == "GET"]
    filled = [
        path.format(
            channel_id=TEXT, guild_id=GUILD, application_id=APPLICATION, message_id=0, user_id=ALICE, token="secret"
        )
        for path in paths
    ]
    threads = [f"/channels/{thread}" for thread in sorted(discord.threads)]
    return [bot.send("GET", path).body for path in filled + threads]


def check_independent(scene: Scene, change: Callable[[SimulatedDiscord], object]) -> None:
    """Change the fork, then the original, and look at the other one each time."""
    for changed_is_fork in (True, False):
        one, two = scene.discord, scene.discord.fork()
        changed, kept = (two, one) if changed_is_fork else (one, two)
        before, seen = kept.fingerprint(), everything(kept)
        assert changed.fingerprint() == before
        assert hash(changed.fingerprint()) == hash(before)

        change(changed)
        assert changed.fingerprint() != before
        assert kept.fingerprint() == before
        assert everything(kept) == seen


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_persons_action_in_one_fork_is_not_seen_in_the_other(action: str) -> None:
    scene = Scene()
    check_independent(scene, lambda discord: ACTIONS[action](scene, discord.people))


@pytest.mark.parametrize(("method", "path", "body", "status"), CHANGES, ids=lambda value: str(value)[:60])
def test_a_request_to_one_fork_is_not_seen_in_the_other(method: str, path: str, body: Any, status: int) -> None:
    scene = Scene()

    def change(discord: SimulatedDiscord) -> None:
        assert Bot(discord, LATER).send(method, scene.fill(path), body).status == status

    check_independent(scene, change)


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_a_setting_of_one_fork_does_not_hold_in_the_other(setting: str) -> None:
    check_independent(Scene(), SETTINGS[setting])


def test_closing_the_nonce_window_in_one_fork_leaves_it_open_in_the_other() -> None:
    bot = Bot(small_world())
    first = bot.post(nonce="n", enforce_nonce=True)
    twin = Bot(bot.discord.fork())
    twin.discord.close_nonce_window()

    assert bot.post(nonce="n", enforce_nonce=True) == first
    assert twin.post(nonce="n", enforce_nonce=True) != first


def test_every_action_and_every_changing_route_is_in_these_tests() -> None:
    assert set(ACTIONS) == {name for name in vars(People) if not name.startswith("_")}
    assert {route_of(method, path) for method, path, *_ in CHANGES} == {r for r in ROUTES if r.method != "GET"}


def test_reading_and_counting_do_not_change_the_fingerprint() -> None:
    scene = Scene()
    before = scene.discord.fingerprint()
    everything(scene.discord)

    assert scene.discord.calls
    assert scene.discord.fingerprint() == before
    assert not scene.discord.fork().calls


def test_different_ways_to_the_same_state_give_equal_fingerprints() -> None:
    one, two = Bot(small_world(keep_audit_log=False)), Bot(small_world(keep_audit_log=False))
    for bot in (one, two):
        bot.start()
    thread = one.start("gone")
    one.send("DELETE", f"/channels/{thread}")
    one.send("DELETE", f"/channels/{TEXT}/messages/{thread}")

    assert one.discord.fingerprint() == two.discord.fingerprint()


IMPOSSIBLE: dict[str, Callable[[Scene, People], object]] = {
    "rename an archived thread": lambda s, p: p.rename(s.archived, "y", now=LATER),
    "lock an archived thread": lambda s, p: p.lock(s.archived, now=LATER),
    "lock a thread that was archived already": lambda s, p: p.edit_thread(
        s.archived, now=LATER, archived=True, locked=True
    ),
    "delete a thread that does not exist": lambda s, p: p.delete_thread(s.message, now=LATER),
    "start a second thread from a message": lambda s, p: p.create_thread(TEXT, "x", now=LATER, message_id=s.thread),
    "start a thread from a message that does not exist": lambda s, p: p.create_thread(
        TEXT, "x", now=LATER, message_id="9"
    ),
    "delete a message of another channel": lambda s, p: p.delete_message(FORUM, s.message, now=LATER),
    "convert a forum": lambda s, p: p.convert_channel(FORUM, now=LATER),
    "post in a forum": lambda s, p: p.post_message(FORUM, "x", now=LATER),
    "post in a channel that does not exist": lambda s, p: p.post_message("9", "x", now=LATER),
    "give a thread an empty name": lambda s, p: p.rename(s.thread, "", now=LATER),
}


@pytest.mark.parametrize("action", sorted(IMPOSSIBLE))
def test_an_impossible_action_is_refused_and_changes_nothing(action: str) -> None:
    scene = Scene()
    before = scene.discord.fingerprint()

    with pytest.raises(ImpossibleAction):
        IMPOSSIBLE[action](scene, scene.discord.people)
    assert scene.discord.fingerprint() == before


def test_discords_timer_archives_threads_that_have_been_idle_for_long_enough() -> None:
    bot = Bot(small_world())
    idle, busy = bot.start("idle"), bot.start("busy")
    bot.wait(1430 * 60)
    bot.post(channel=busy)
    bot.wait(10 * 60)

    assert bot.discord.people.auto_archive_idle(now=bot.now) == [idle]
    assert bot.active() == ["busy"]
