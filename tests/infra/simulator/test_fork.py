"""Worlds beside each other: what happens to one does not happen to the other."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.simulator.faults import DROP
from infra.simulator.people import ImpossibleAction, People
from infra.simulator.router import ROUTES
from infra.simulator.simulated_discord import SimulatedDiscord
from tests.infra.simulator.client import ALICE, APPLICATION, FORUM, GUILD, NOON, SECOND, TEXT, Bot, small_world

LATER = NOON + 60 * SECOND


class Scene:
    """A world with something of everything, and the ids in it."""

    def __init__(self) -> None:
        self.discord = small_world()
        bot = Bot(self.discord)
        self.message = bot.post()
        self.thread = bot.start("one")
        self.inside = bot.post(channel=self.thread)
        self.archived = bot.start("two")
        self.locked = bot.start("three")
        people = self.discord.people
        people.add_archived_threads(TEXT, 3, newest=NOON)
        people.archive(self.archived, now=NOON)
        people.lock(self.locked, now=NOON)
        bot.send("PUT", f"/channels/{self.locked}/thread-members/{ALICE}")
        self.discord.begin_interaction("secret", "500", APPLICATION, NOON)
        self.discord.answer_interaction("secret", {"type": 5, "data": {"flags": 64}}, NOON)

    def fill(self, path: str) -> str:
        return path.format(message=self.message, thread=self.thread, inside=self.inside, locked=self.locked)


def remove_and_return_bot(scene: Scene, people: People) -> None:
    people.remove_bot_from_guild(GUILD, now=LATER)
    people.return_bot_to_guild(GUILD)


ACTS: dict[str, Callable[[Scene, People], object]] = {
    "create_thread": lambda s, h: h.create_thread(TEXT, "x", now=LATER, message_id=s.message),
    "post_message": lambda s, h: h.post_message(s.archived, "x", now=LATER),
    "delete_message": lambda s, h: h.delete_message(TEXT, s.message, now=LATER),
    "delete_thread": lambda s, h: h.delete_thread(s.thread, now=LATER),
    "rename": lambda s, h: h.rename(s.thread, "y", now=LATER),
    "archive": lambda s, h: h.archive(s.thread, now=LATER),
    "unarchive": lambda s, h: h.unarchive(s.archived, now=LATER),
    "lock": lambda s, h: h.lock(s.thread, now=LATER),
    "unlock": lambda s, h: h.unlock(s.locked, now=LATER),
    "edit_thread": lambda s, h: h.edit_thread(s.thread, now=LATER, name="y", archived=True),
    "auto_archive": lambda s, h: h.auto_archive(s.thread, now=LATER),
    "auto_archive_idle": lambda s, h: h.auto_archive_idle(now=LATER + 1440 * 60 * SECOND),
    "delete_channel": lambda s, h: h.delete_channel(TEXT, now=LATER),
    "remove_bot_from_guild": lambda s, h: h.remove_bot_from_guild(GUILD, now=LATER),
    "return_bot_to_guild": remove_and_return_bot,
    "set_permissions": lambda s, h: h.set_permissions(TEXT, 0, now=LATER),
    "remove_member": lambda s, h: h.remove_member(GUILD, ALICE),
    "add_archived_threads": lambda s, h: h.add_archived_threads(TEXT, 2, newest=LATER),
}

BODIES: dict[tuple[str, str], tuple[str, Any]] = {
    ("PATCH", "/channels/{channel_id}"): ("/channels/{thread}", {"name": "y"}),
    ("DELETE", "/channels/{channel_id}"): ("/channels/{thread}", None),
    ("POST", "/channels/{channel_id}/messages"): (f"/channels/{TEXT}/messages", {"content": "x", "nonce": "n"}),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): (
        f"/channels/{TEXT}/messages/{{message}}",
        {"content": "y"},
    ),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): ("/channels/{thread}/messages/{inside}", None),
    ("POST", "/channels/{channel_id}/messages/{message_id}/threads"): (
        f"/channels/{TEXT}/messages/{{message}}/threads",
        {"name": "x"},
    ),
    ("POST", "/channels/{channel_id}/threads"): (
        f"/channels/{FORUM}/threads",
        {"name": "x", "message": {"content": "x"}},
    ),
    ("PUT", "/channels/{channel_id}/thread-members/@me"): ("/channels/{locked}/thread-members/@me", None),
    ("DELETE", "/channels/{channel_id}/thread-members/@me"): ("/channels/{thread}/thread-members/@me", None),
    ("PUT", "/channels/{channel_id}/thread-members/{user_id}"): (f"/channels/{{thread}}/thread-members/{ALICE}", None),
    ("DELETE", "/channels/{channel_id}/thread-members/{user_id}"): (
        f"/channels/{{locked}}/thread-members/{ALICE}",
        None,
    ),
    ("PATCH", "/applications/@me"): ("/applications/@me", {"interactions_endpoint_url": "https://example.org"}),
    ("PUT", "/applications/{application_id}/commands"): (
        f"/applications/{APPLICATION}/commands",
        [{"name": "x", "description": "x"}],
    ),
    ("PUT", "/applications/{application_id}/guilds/{guild_id}/commands"): (
        f"/applications/{APPLICATION}/guilds/{GUILD}/commands",
        [{"name": "x", "description": "x"}],
    ),
    ("PATCH", "/webhooks/{application_id}/{token}/messages/@original"): (
        f"/webhooks/{APPLICATION}/secret/messages/@original",
        {"content": "x"},
    ),
    ("DELETE", "/webhooks/{application_id}/{token}/messages/@original"): (
        f"/webhooks/{APPLICATION}/secret/messages/@original",
        None,
    ),
}
# Joining is a change only for who is no member.
LEAVE_FIRST = ("PUT", "/channels/{channel_id}/thread-members/@me")

SETTINGS: dict[str, Callable[[SimulatedDiscord], object]] = {
    "switch": lambda d: d.switch(second_thread_from_message=True),
    "lie": lambda d: d.report_missing_once("5"),
    "limit": lambda d: d.limit_globally(),
    "limit once": lambda d: d.limit_once("GET", "*", 5),
    "fault": lambda d: d.faults.inject("*", "*", DROP),
    "user": lambda d: d.add_user("9"),
    "channel": lambda d: d.add_channel(GUILD, "19"),
    "guild": lambda d: d.add_guild("9"),
    "interaction": lambda d: d.begin_interaction("other", "501", APPLICATION, NOON),
}


def everything(discord: SimulatedDiscord) -> list[object]:
    """All that a bot can read, and what the user sees."""
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


def check_apart(scene: Scene, change: Callable[[SimulatedDiscord], object]) -> None:
    """Changes a fork, then looks at both; then the other way round."""
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


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_persons_act_in_one_world_is_not_seen_in_the_other(act: str) -> None:
    scene = Scene()
    check_apart(scene, lambda discord: ACTS[act](scene, discord.people))


@pytest.mark.parametrize("route", sorted(BODIES), ids=" ".join)
def test_a_request_to_one_world_is_not_seen_in_the_other(route: tuple[str, str]) -> None:
    scene = Scene()
    path, body = BODIES[route]
    if route == LEAVE_FIRST:
        Bot(scene.discord).send("DELETE", f"/channels/{scene.locked}/thread-members/@me")

    def change(discord: SimulatedDiscord) -> None:
        assert Bot(discord, LATER).send(route[0], scene.fill(path), body).status < 300

    check_apart(scene, change)


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_a_setting_of_one_world_does_not_hold_in_the_other(setting: str) -> None:
    check_apart(Scene(), SETTINGS[setting])


def test_closing_the_nonce_window_of_one_world_leaves_the_other_open() -> None:
    bot = Bot(small_world())
    first = bot.post(nonce="n", enforce_nonce=True)
    twin = Bot(bot.discord.fork())
    twin.discord.close_nonce_window()

    assert bot.post(nonce="n", enforce_nonce=True) == first
    assert twin.post(nonce="n", enforce_nonce=True) != first


def test_every_hand_and_every_changing_route_is_in_these_tests() -> None:
    assert set(ACTS) == {name for name in vars(People) if not name.startswith("_")}
    assert set(BODIES) == {(route.method, route.template) for route in ROUTES if route.method != "GET"}


def test_reading_and_counting_leave_the_fingerprint_alone() -> None:
    scene = Scene()
    before = scene.discord.fingerprint()
    everything(scene.discord)

    assert scene.discord.calls
    assert scene.discord.fingerprint() == before
    assert not scene.discord.fork().calls


def test_worlds_that_went_different_ways_to_the_same_end_are_equal() -> None:
    one, two = Bot(small_world(keep_audit_log=False)), Bot(small_world(keep_audit_log=False))
    for bot in (one, two):
        bot.start()
    thread = one.start("gone")
    one.send("DELETE", f"/channels/{thread}")
    one.send("DELETE", f"/channels/{TEXT}/messages/{thread}")

    assert one.discord.fingerprint() == two.discord.fingerprint()


IMPOSSIBLE: dict[str, Callable[[Scene, People], object]] = {
    "rename an archived thread": lambda s, h: h.rename(s.archived, "y", now=LATER),
    "lock an archived thread": lambda s, h: h.lock(s.archived, now=LATER),
    "lock a thread that was archived already": lambda s, h: h.edit_thread(
        s.archived, now=LATER, archived=True, locked=True
    ),
    "delete a thread that is none": lambda s, h: h.delete_thread(s.message, now=LATER),
    "start a second thread from a message": lambda s, h: h.create_thread(TEXT, "x", now=LATER, message_id=s.thread),
    "start a thread from no message": lambda s, h: h.create_thread(TEXT, "x", now=LATER, message_id="9"),
    "delete a message elsewhere": lambda s, h: h.delete_message(FORUM, s.message, now=LATER),
    "post in a forum": lambda s, h: h.post_message(FORUM, "x", now=LATER),
    "post nowhere": lambda s, h: h.post_message("9", "x", now=LATER),
    "name a thread nothing": lambda s, h: h.rename(s.thread, "", now=LATER),
}


@pytest.mark.parametrize("act", sorted(IMPOSSIBLE))
def test_what_nobody_can_do_is_refused_and_changes_nothing(act: str) -> None:
    scene = Scene()
    before = scene.discord.fingerprint()

    with pytest.raises(ImpossibleAction):
        IMPOSSIBLE[act](scene, scene.discord.people)
    assert scene.discord.fingerprint() == before


def test_discords_timer_archives_what_has_been_idle_for_its_time() -> None:
    bot = Bot(small_world())
    idle, busy = bot.start("idle"), bot.start("busy")
    bot.wait(1430 * 60)
    bot.post(channel=busy)
    bot.wait(10 * 60)

    assert bot.discord.people.auto_archive_idle(now=bot.now) == [idle]
    assert bot.active() == ["busy"]
