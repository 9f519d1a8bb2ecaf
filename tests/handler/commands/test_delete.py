"""``/session-admin delete``, from the signed interaction to what is left of the session."""

from typing import Any

import pytest

from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.recorded_calls import Call, Died
from tests.kit.table_view import CHANNEL, GUILD, NAME

pytestmark = pytest.mark.guild(table="memory", imported=True)

MANAGE_THREADS = 1 << 34
NOT_ALLOWED = "Only members with **Manage Threads** can do that. Ask a moderator."
GONE = "That session is gone already."
DELETED = f"Deleted **{NAME}**. The next open of that name starts a new thread."


async def ask_to_delete(deployment: Deployment, **more: Any) -> Asked:
    return await deployment.administer("delete", options={"name": NAME}, **more)


def is_over(deployment: Deployment) -> bool:
    """Whether nothing is left of the session but the number of its generation."""
    item = deployment.table.item()
    return item["status"] == "vacant" and item["generation"] == 2 and not deployment.source_messages()


async def test_after_a_question_the_thread_and_its_message_go_and_the_name_is_free(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    asked = await ask_to_delete(deployment)
    assert asked.content.startswith(
        f"Delete **{NAME}** for good? Its thread <#{thread_id}> goes with all messages in it"
    )
    assert deployment.living_threads()

    pressed = await deployment.press(asked)
    assert deployment.shown(pressed) == DELETED
    assert not deployment.living_threads()
    assert is_over(deployment)
    assert not deployment.table.pointer(thread_id)
    assert "Started a thread" in (await deployment.ask()).content


async def test_a_press_that_is_repeated_or_comes_late_ends_nothing_else(deployment: Deployment) -> None:
    await deployment.open()
    asked = await ask_to_delete(deployment)
    await deployment.press(asked)
    before = deployment.table.items()
    assert deployment.shown(await deployment.press(asked)) == GONE
    assert deployment.table.items() == before
    await deployment.ask()
    assert deployment.shown(await deployment.press(asked)) == GONE
    assert deployment.living_threads()


async def test_in_the_sessions_own_thread_the_answer_comes_before_the_thread_goes(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    asked = await deployment.administer("delete", **in_thread(thread_id))
    pressed = await deployment.press(asked, **in_thread(thread_id))
    assert pressed.kind == 6  # the question stays until the worker has it
    assert deployment.living_threads()
    await deployment.work()
    assert deployment.shown(pressed) == f"Deleting **{NAME}** and this thread now."
    assert is_over(deployment)


async def test_past_the_deadline_the_worker_deletes(deployment: Deployment) -> None:
    await deployment.open()
    asked = await ask_to_delete(deployment, old=2.9)
    await deployment.work()
    pressed = await deployment.press(asked, old=2.9)
    await deployment.work()
    assert deployment.shown(pressed) == DELETED
    assert is_over(deployment)


@pytest.mark.parametrize("archived", [False, True])
async def test_a_thread_that_somebody_else_started_stays_and_no_session_takes_it_again(
    deployment: Deployment, archived: bool
) -> None:
    theirs = deployment.people.create_thread(CHANNEL, f"Session {NAME}")
    assert (await deployment.open()).thread_id == theirs
    if archived:
        deployment.people.archive(theirs)
    asked = await ask_to_delete(deployment)
    assert f"Somebody else started its thread <#{theirs}>, so it stays as it is." in asked.content
    pressed = await deployment.press(asked)
    assert deployment.shown(pressed) == f"Ended **{NAME}**. <#{theirs}> stays, and is no session's thread any more."
    before = deployment.discord.threads[theirs]
    await deployment.reconcile()
    await deployment.wait(minutes=10)
    await deployment.reconcile()
    assert deployment.table.item()["status"] == "vacant"
    assert "Started a thread" in (await deployment.ask()).content
    assert {t.id for t in deployment.living_threads()} > {theirs}
    assert deployment.discord.threads[theirs] == before


async def test_a_thread_that_is_deleted_already_ends_with_the_evidence(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.people.delete_thread(thread_id)
    asked = await ask_to_delete(deployment)
    assert "Its thread has been deleted already." in asked.content
    await deployment.press(asked)
    assert is_over(deployment)


async def test_a_locked_and_archived_thread_is_deleted_too_because_a_moderator_asks(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.people.lock(thread_id)
    deployment.people.archive(thread_id)
    await deployment.press(await ask_to_delete(deployment))
    assert is_over(deployment)


async def test_who_may_is_checked_when_asking_and_when_pressing(deployment: Deployment) -> None:
    await deployment.open()
    refused = await deployment.administer("delete", options={"name": NAME}, member_permissions=MEMBER_PERMISSIONS)
    assert refused.content == NOT_ALLOWED
    asked = await ask_to_delete(deployment)
    pressed = await deployment.press(asked, member_permissions=MEMBER_PERMISSIONS)
    assert pressed.content == NOT_ALLOWED
    assert deployment.living_threads()


async def test_a_button_of_another_channel_or_a_malformed_one_is_refused(deployment: Deployment) -> None:
    await deployment.open()
    asked = await ask_to_delete(deployment)
    deployment.discord.add_channel(GUILD, "12")
    for how in ({"channel_id": "12"}, {"custom_id": "delete-session:me"}, {"custom_id": "delete-session"}):
        pressed = await deployment.press(asked, **how)  # type: ignore[arg-type]
        assert pressed.content == "That button no longer works. Use the command again."
    assert deployment.living_threads()


@pytest.mark.parametrize("what", ["delete", "press"])
async def test_the_bots_missing_permission_is_named(deployment: Deployment, what: str) -> None:
    await deployment.open()
    how = {"app_permissions": BOT_PERMISSIONS & ~MANAGE_THREADS}
    asked = await ask_to_delete(deployment, **(how if what == "delete" else {}))
    if what == "press":
        asked = await deployment.press(asked, **how)  # type: ignore[arg-type]
    assert "**Manage Threads**" in asked.content
    assert deployment.living_threads()


async def test_a_session_that_does_not_exist_or_has_no_thread_is_not_found(deployment: Deployment) -> None:
    assert "There's no session of that name" in (await ask_to_delete(deployment)).content
    assert "Which session?" in (await deployment.administer("delete")).content


@pytest.mark.parametrize("theirs", [False, True], ids=["the bot's thread", "somebody's thread"])
async def test_after_a_death_anywhere_a_repeat_of_the_press_finishes(deployment: Deployment, theirs: bool) -> None:
    deaths = 0
    while True:
        name = f"s{deaths}"  # its own, because Discord remembers nonces
        if theirs:
            deployment.people.create_thread(CHANNEL, f"Session {name}")
        await deployment.open(name)
        asked = await deployment.administer("delete", options={"name": name})
        deployment.calls.forget()
        deployment.calls.dies_after = deaths + 1
        try:
            await deployment.press(asked)
        except Died:
            deployment.restart()
            deaths += 1
            again = deployment.shown(await deployment.press(asked))
            assert again in (DELETED.replace(NAME, name), GONE) or "stays, and is no session's" in again
            assert deployment.table.item(name)["status"] == "vacant"
            assert len(deployment.living_threads(name)) == theirs
            assert "Started a thread" in (await deployment.ask(name)).content
            continue
        break
    assert deaths >= (4 if theirs else 10)


async def test_after_a_death_an_open_makes_a_new_thread_without_a_repeat(deployment: Deployment) -> None:
    await deployment.open()
    asked = await ask_to_delete(deployment)
    deployment.calls.forget()
    deployment.calls.dies_after = Call("discord", "DELETE /channels/{channel_id}")
    with pytest.raises(Died):
        await deployment.press(asked)
    deployment.restart()
    assert "old thread was deleted, so I started a new one" in (await deployment.ask()).content
    assert len(deployment.source_messages()) == 1
