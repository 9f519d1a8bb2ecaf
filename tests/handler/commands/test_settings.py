"""``/session-admin settings``, from the signed interaction to its effect on opens."""

from typing import Any

import pytest

from infra.interactions import MEMBER_PERMISSIONS
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.table_view import CHANNEL, GUILD, NAME

pytestmark = pytest.mark.guild(table="memory", imported=True)

MANAGE_THREADS, SEND_MESSAGES, CREATE_PUBLIC_THREADS, SEND_IN_THREADS = 1 << 34, 1 << 11, 1 << 35, 1 << 38
ONLOOKER = MEMBER_PERMISSIONS & ~SEND_MESSAGES & ~CREATE_PUBLIC_THREADS & ~SEND_IN_THREADS
CREATE_PRIVATE_THREADS = 1 << 36
ROLE = "555"
SHOWN = """Settings of <#10>:
- Who can start and reopen sessions: **members who may do it by hand** · default
- Who can have a locked session unlocked: **moderators** · default
- A quiet thread leaves the channel list after: **3 days** · default
- New sessions: **public** · default
- Added to private sessions: **nobody** · default
Change one with `/session-admin settings`, or take it back to the default with `reset:`."""


async def choose(deployment: Deployment, **options: Any) -> Asked:
    return await deployment.administer("settings", options=options)


async def test_without_options_each_value_is_shown_with_where_it_comes_from(deployment: Deployment) -> None:
    shown = await choose(deployment)
    assert shown.content == SHOWN
    await choose(deployment, unlock="everyone")
    again = await choose(deployment)
    assert again.content == SHOWN.replace("**moderators** · default", "**everyone** · set here")


@pytest.mark.guild(settings={"OPEN_POLICY": "everyone", "AUTO_ARCHIVE_MINUTES": "60"})
async def test_the_deployments_parameters_hold_where_nothing_is_set(deployment: Deployment) -> None:
    shown = (await choose(deployment)).content
    assert "reopen sessions: **everyone** · default" in shown
    assert "after: **1 hour** · default" in shown
    await choose(deployment, open="permitted")
    refused = await deployment.ask(member_permissions=ONLOOKER)
    assert "You need **Send Messages** and **Create Public Threads** here" in refused.content


@pytest.mark.guild(imported=False)
async def test_settings_of_an_unknown_channel_are_kept_and_do_not_count_as_its_import(deployment: Deployment) -> None:
    assert (await choose(deployment, open="everyone")).content.startswith("Saved. Settings of <#10>:")
    assert deployment.table.channel().get("imported_at") is None
    assert "Started a thread" in (await deployment.ask(member_permissions=ONLOOKER)).content
    assert deployment.table.channel()["open_policy"] == "everyone"
    assert deployment.table.channel()["imported_at"]


async def test_a_repeat_says_the_same_and_changes_nothing(deployment: Deployment) -> None:
    first = await choose(deployment, open="everyone", archive_after=60)
    before = deployment.table.items()
    assert (await choose(deployment, open="everyone", archive_after=60)).content == first.content
    assert deployment.table.items() == before


async def test_in_a_thread_the_settings_of_its_channel_are_meant(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    asked = await deployment.administer("settings", options={"unlock": "everyone"}, **in_thread(thread_id))
    assert "Settings of <#10>:" in asked.content
    assert deployment.table.channel()["unlock_policy"] == "everyone"


async def test_one_setting_is_reset_or_all_and_what_is_given_stays(deployment: Deployment) -> None:
    await choose(deployment, open="everyone", unlock="everyone", archive_after=60)
    await choose(deployment, reset="unlock")
    assert "unlock_policy" not in deployment.table.channel()
    assert deployment.table.channel()["open_policy"] == "everyone"
    shown = await choose(deployment, reset="all", archive_after=1440)
    assert "after: **1 day** · set here" in shown.content
    assert "by hand** · default" in shown.content
    assert (await choose(deployment, reset="archive_after")).content == "Saved. " + SHOWN


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"open": "nobody"}, "`open` is `permitted`, `everyone` or a role."),
        ({"open": "<@555>"}, "`open` is `permitted`, `everyone` or a role."),
        ({"open": "@"}, "`open` is `permitted`, `everyone` or a role."),
        ({"unlock": "nobody"}, "I don't know that setting."),
        ({"archive_after": 61}, "I don't know that setting."),
        ({"archive_after": "60"}, "I don't know that setting."),
        ({"reset": "everything"}, "I don't know that setting."),
    ],
    ids=str,
)
async def test_a_value_that_was_not_offered_is_refused_and_nothing_is_written(
    deployment: Deployment, options: dict[str, Any], says: str
) -> None:
    before = deployment.table.items()
    asked = await choose(deployment, **{"unlock": "everyone", **options})
    assert asked.content.startswith(says)
    assert deployment.table.items() == before


async def test_a_member_without_manage_threads_neither_sees_nor_changes_settings(deployment: Deployment) -> None:
    before = deployment.table.items()
    asked = await deployment.use("session-admin settings", options={"open": "everyone"})
    assert asked.content == "Only members with **Manage Threads** can do that. Ask a moderator."
    assert deployment.table.items() == before


async def test_past_the_deadline_the_settings_are_changed_by_the_worker(deployment: Deployment) -> None:
    asked = await deployment.administer("settings", options={"open": "everyone"}, old=2.9)
    assert asked.kind == 5
    await deployment.work()
    assert deployment.shown(asked).startswith("Saved. ")
    assert deployment.table.channel()["open_policy"] == "everyone"


async def test_a_channel_that_can_have_no_sessions_has_no_settings(deployment: Deployment) -> None:
    deployment.discord.add_channel(GUILD, "12", 2)  # voice
    asked = await deployment.administer("settings", channel_id="12", channel_type=2)
    assert "not in this type of channel" in asked.content
    assert not deployment.table.channel("12")


async def test_everyone_has_threads_started_and_reopened_where_that_is_set(deployment: Deployment) -> None:
    await choose(deployment, open="everyone")
    assert "Started a thread" in (await deployment.ask(member_permissions=ONLOOKER)).content
    (thread,) = deployment.living_threads()
    deployment.people.archive(thread.id)
    assert "reopened it" in (await deployment.ask(member_permissions=ONLOOKER)).content


@pytest.mark.parametrize("typed", [f"<@&{ROLE}>", ROLE, f" <@&{ROLE}> "])
async def test_with_a_role_sessions_are_started_and_reopened_for_its_members_and_moderators_alone(
    deployment: Deployment, typed: str
) -> None:
    shown = await choose(deployment, open=typed)
    assert f"reopen sessions: **<@&{ROLE}> and moderators** · set here" in shown.content
    refused = await deployment.ask()
    assert (
        refused.content == f"Here only members with <@&{ROLE}> can start sessions. Ask one of them to open **{NAME}**."
    )
    assert not deployment.living_threads()
    assert "Started a thread" in (await deployment.ask(roles=["554", ROLE], member_permissions=ONLOOKER)).content
    (thread,) = deployment.living_threads()
    assert "is already open" in (await deployment.ask()).content
    deployment.people.archive(thread.id)
    refused = await deployment.ask()
    assert f"archived: <#{thread.id}>. Here only members with <@&{ROLE}> can reopen sessions." in refused.content
    assert deployment.discord.threads[thread.id].archived
    moderator = await deployment.ask(member_permissions=MEMBER_PERMISSIONS | MANAGE_THREADS)
    assert "reopened it" in moderator.content


async def test_a_thread_that_somebody_made_is_not_reopened_for_who_lacks_the_role(deployment: Deployment) -> None:
    await choose(deployment, open=ROLE)
    deployment.people.create_thread(CHANNEL, f"Session {NAME}", archived=True)
    assert "can reopen sessions" in (await deployment.ask()).content
    assert not deployment.table.item()


async def test_after_a_deletion_the_next_thread_takes_the_role_too(deployment: Deployment) -> None:
    await deployment.ask()
    await choose(deployment, open=ROLE)
    deployment.people.delete_thread(deployment.living_threads()[0].id)
    assert "can start sessions" in (await deployment.ask()).content


@pytest.mark.parametrize("typed", ["@everyone", GUILD, "Everyone"])
async def test_the_role_that_all_members_have_means_everyone(deployment: Deployment, typed: str) -> None:
    await choose(deployment, open=typed)
    assert deployment.table.channel()["open_policy"] == "everyone"


async def test_the_settings_of_another_channel_do_not_hold_here(deployment: Deployment) -> None:
    deployment.discord.add_channel(GUILD, "12")
    await deployment.administer("settings", options={"open": "everyone"}, channel_id="12")
    assert "You need" in (await deployment.ask(member_permissions=ONLOOKER)).content


async def test_a_locked_thread_is_unlocked_for_everybody_where_that_is_set(deployment: Deployment) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.lock(thread.id)
    assert "is locked" in (await deployment.ask()).content
    await choose(deployment, unlock="everyone")
    assert "I've unlocked it" in (await deployment.ask()).content


async def test_a_new_thread_leaves_the_list_after_the_time_that_is_set(deployment: Deployment) -> None:
    await choose(deployment, archive_after=10080)
    await deployment.ask()
    assert deployment.living_threads()[0].auto_archive_duration == 10080


@pytest.mark.guild(kind=15, imported=False)
async def test_a_new_post_leaves_the_list_after_the_time_that_is_set(deployment: Deployment) -> None:
    place: dict[str, Any] = {"channel_type": 15}
    await deployment.administer("settings", options={"archive_after": 60}, **place)
    asked = await deployment.ask(**place)
    await deployment.work()
    assert "Started a thread" in deployment.shown(asked)
    assert deployment.living_threads()[0].auto_archive_duration == 60


async def test_a_plain_reuse_reads_no_settings(deployment: Deployment) -> None:
    await deployment.ask()
    deployment.calls.forget()
    await deployment.ask()
    assert deployment.calls.of("dynamodb") == ["GetItem"]


async def test_the_choices_of_open_follow_what_is_typed(deployment: Deployment) -> None:
    async def offered(typed: str) -> list[str]:
        choices = await deployment.complete("session-admin settings", focused="open", options={"open": typed})
        return [choice["value"] for choice in choices]

    assert await offered("") == ["permitted", "everyone"]
    assert await offered("ev") == ["everyone"]
    assert await offered("support") == ["permitted", "everyone"]
    assert await offered(f"<@&{ROLE}>") == [f"<@&{ROLE}>"]


async def test_settings_that_cannot_be_read_are_left_alone(deployment: Deployment) -> None:
    deployment.table.put(deployment.table.channel(), open_policy="whoever")
    before = deployment.table.items()
    for asked in (await choose(deployment, unlock="everyone"), await deployment.ask()):
        assert "I can't read what I have on record" in asked.content
    assert deployment.table.items() == before


async def opened_thread(deployment: Deployment, **how: Any) -> Any:
    """The newest thread after an open that the worker finishes."""
    asked = await deployment.ask(**how)
    await deployment.work()
    assert "Started a thread" in deployment.shown(asked)
    return max(deployment.discord.threads.values(), key=lambda thread: int(thread.id))


async def test_where_sessions_are_private_by_default_an_open_says_otherwise_or_gets_a_private_one(
    deployment: Deployment,
) -> None:
    await deployment.ask("old")
    shown = await choose(deployment, private=True)
    assert "- New sessions: **private** · set here" in shown.content
    thread = await opened_thread(deployment, name=NAME, user_id="3")
    assert thread.is_private
    assert deployment.table.private("3")["discord_thread_id"] == thread.id
    again = await deployment.ask(user_id="3")
    assert f"<#{thread.id}>" in again.content
    assert not (await opened_thread(deployment, name=NAME, options={"private": False})).is_private
    assert "is already open" in (await deployment.ask("old")).content
    assert len(deployment.living_threads("old")) == 1


async def test_a_private_default_needs_the_members_right_to_start_private_threads(deployment: Deployment) -> None:
    await choose(deployment, private=True)
    asked = await deployment.ask(member_permissions=MEMBER_PERMISSIONS & ~CREATE_PRIVATE_THREADS)
    assert "You need **Create Private Threads**" in asked.content


async def test_members_of_the_access_role_are_let_into_private_sessions(deployment: Deployment) -> None:
    shown = await choose(deployment, access_role=ROLE)
    assert f"- Added to private sessions: **<@&{ROLE}>** · set here" in shown.content
    thread = await opened_thread(deployment, options={"private": True})
    mentions = [m for m in deployment.discord.messages.values() if m.channel_id == thread.id and ROLE in m.content]
    assert len(mentions) == 1
    shown = await choose(deployment, reset="access_role")
    assert "- Added to private sessions: **nobody** · default" in shown.content


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"access_role": GUILD}, 0, "That role can't be added"),
        ({"access_role": "role"}, 0, "That role can't be added"),
        ({"tag": "Bug"}, 0, "Only posts of forum and media channels have tags."),
        ({"private": True}, 5, "Private sessions work in text channels only"),
        ({"access_role": ROLE}, 15, "Private sessions work in text channels only"),
        ({"tag": "Feature"}, 15, "This channel has no tag **Feature**. It has **Bug**, **Done**."),
    ],
    ids=str,
)
async def test_what_makes_no_sense_in_a_channel_is_refused_and_not_written(
    deployment: Deployment, options: dict[str, Any], kind: int, says: str
) -> None:
    deployment.discord.add_channel(GUILD, "12", kind, tags=[("71", "Bug"), ("73", "Done")] if kind == 15 else ())
    asked = await deployment.administer("settings", options=options, channel_id="12", channel_type=kind)
    assert asked.content.startswith(says)
    assert set(deployment.table.channel("12")) <= {"pk", "sk", "guild_id", "kind"}


@pytest.mark.guild(kind=15, channel={"tags": [("71", "Bug"), ("73", "Done")], "moderated_tags": ["73"]})
async def test_a_new_post_gets_the_tag_that_is_set_unless_another_one_is_asked_for(deployment: Deployment) -> None:
    place: dict[str, Any] = {"channel_type": 15}
    shown = await deployment.administer("settings", options={"tag": " done"}, **place)
    assert "- Tag of a new post: **done** · set here" in shown.content
    assert "private" not in shown.content
    assert (await opened_thread(deployment, name="a", **place)).applied_tags == ("73",)
    assert (await opened_thread(deployment, name="b", options={"tag": "bug"}, **place)).applied_tags == ("71",)


@pytest.mark.guild(kind=15, channel={"tags": [("71", "Bug")]})
async def test_a_set_tag_that_the_channel_has_no_more_is_left_out(deployment: Deployment) -> None:
    deployment.table.put(deployment.table.channel(), default_tag="Gone")
    assert (await opened_thread(deployment, channel_type=15)).applied_tags == ()
