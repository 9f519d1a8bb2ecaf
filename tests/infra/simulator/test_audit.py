"""The audit log."""

from typing import Any

from tests.infra.simulator.client import ALICE, BOT, GUILD, OWNER, TEXT, Bot, refused

LOG = f"/guilds/{GUILD}/audit-logs"


def entries(bot: Bot, **query: object) -> list[Any]:
    return list(bot.get(LOG, **query)["audit_log_entries"])


def changes(entry: Any) -> dict[str, tuple[Any, Any]]:
    """Key → (old value, new value)."""
    return {change["key"]: (change.get("old_value"), change.get("new_value")) for change in entry["changes"]}


def test_creating_changing_and_deleting_a_thread_leaves_entries(bot: Bot) -> None:
    thread = bot.start("one")
    bot.discord.people.rename(thread, "two", now=bot.now, by=ALICE)
    bot.discord.people.edit_thread(thread, now=bot.now, by=ALICE, locked=True, archived=True)
    bot.discord.people.delete_thread(thread, now=bot.now)

    deleted, closed, renamed, created = entries(bot)
    assert [entry["action_type"] for entry in (created, renamed, closed, deleted)] == [110, 111, 111, 112]
    assert [entry["user_id"] for entry in (created, renamed, closed, deleted)] == [BOT, ALICE, ALICE, OWNER]
    assert {entry["target_id"] for entry in entries(bot)} == {thread}
    assert changes(created)["name"] == (None, "one")
    assert changes(renamed) == {"name": ("one", "two")}
    assert changes(closed) == {"archived": (False, True), "locked": (False, True)}
    assert changes(deleted)["name"] == ("two", None)


def test_automatic_archiving_and_opening_by_a_message_leave_no_entry(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.auto_archive(thread, now=bot.now)
    bot.post(channel=thread)

    assert [entry["action_type"] for entry in entries(bot)] == [110]


def test_a_request_without_a_change_leaves_no_entry(bot: Bot) -> None:
    thread = bot.start("one")
    bot.discord.people.rename(thread, "one", now=bot.now)
    bot.send("PATCH", f"/channels/{thread}", {"archived": False})

    assert [entry["action_type"] for entry in entries(bot)] == [110]


def test_the_reason_of_a_request_is_kept_decoded(bot: Bot) -> None:
    thread = bot.start()
    bot.send("DELETE", f"/channels/{thread}", headers={"x-audit-log-reason": "too%20old%20%C3%A9"})

    assert entries(bot)[0]["reason"] == "too old é"


def test_deleting_a_message_of_another_user_leaves_an_entry_and_of_the_bot_none(bot: Bot) -> None:
    own = bot.post()
    other = bot.discord.people.post_message(TEXT, "x", now=bot.now, by=ALICE)
    for message in (own, other):
        bot.send("DELETE", f"/channels/{TEXT}/messages/{message}")

    (entry,) = entries(bot)
    assert (entry["action_type"], entry["user_id"], entry["target_id"]) == (72, BOT, ALICE)
    assert entry["options"]["channel_id"] == TEXT


def test_entries_are_newest_first_and_with_after_oldest_first(bot: Bot) -> None:
    for name in "abcd":
        bot.start(name)
    ids = [entry["id"] for entry in entries(bot)]
    assert ids == sorted(ids, key=int, reverse=True)

    assert [entry["id"] for entry in entries(bot, limit=2)] == ids[:2]
    assert [entry["id"] for entry in entries(bot, limit=2, before=ids[1])] == ids[2:]
    assert [entry["id"] for entry in entries(bot, limit=2, after=ids[3])] == [ids[2], ids[1]]


def test_entries_are_filtered_by_action_and_user(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.rename(thread, "two", now=bot.now, by=ALICE)

    assert [entry["user_id"] for entry in entries(bot, action_type=111)] == [ALICE]
    assert [entry["action_type"] for entry in entries(bot, user_id=BOT)] == [110]


def test_the_log_comes_with_the_existing_threads_and_users_that_it_names(bot: Bot) -> None:
    gone, alive = bot.start("gone"), bot.start("alive")
    bot.discord.people.delete_thread(gone, now=bot.now)

    log = bot.get(LOG)
    assert [thread["id"] for thread in log["threads"]] == [alive]
    assert {user["id"] for user in log["users"]} == {BOT, OWNER}


def test_entries_are_kept_45_days(bot: Bot) -> None:
    bot.start()
    bot.wait(45 * 86400 - 1)
    assert len(entries(bot)) == 1

    bot.wait(1)
    assert entries(bot) == []


def test_the_log_needs_view_audit_log(bot: Bot) -> None:
    bot.discord.people.set_permissions(GUILD, 0, now=bot.now)

    assert refused(bot.send("GET", LOG)) == (403, 50013)


def test_the_log_can_be_switched_off(bot: Bot) -> None:
    bot.discord.switch(keep_audit_log=False)
    bot.start()

    assert entries(bot) == []
