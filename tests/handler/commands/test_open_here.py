"""*Open session here*, from a message's menu through the form to the thread, as signed interactions."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from handler.commands import texts
from handler.commands.here import suggest_name
from handler.discord.interactions import Target
from handler.sessions.opening.chosen_message import GONE, USED_UP
from infra.interactions import MEMBER_PERMISSIONS, modal_submit
from infra.simulator.interactions import MODAL
from infra.virtual_time import START
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.guild import MEMBER
from tests.kit.table_view import CHANNEL, GUILD, NAMES

MENU = "Open session here"
WORDS = "The login fails"
SEND_MESSAGES, CREATE_THREADS = 1 << 11, 1 << 35


@pytest.fixture
def message(deployment: Deployment) -> str:
    return deployment.discord.people.post_message(CHANNEL, WORDS, by=MEMBER, now=START)


def shown(deployment: Deployment, message_id: str) -> dict[str, Any]:
    """The message as Discord sends it with the interaction."""
    found = deployment.discord.messages[message_id]
    shown = {"id": message_id, "content": found.content, "author": {"id": found.author_id}}
    thread = deployment.discord.threads.get(message_id)
    return shown if thread is None else {**shown, "thread": {"id": thread.id, "name": thread.name}}


async def open_here(
    deployment: Deployment, message_id: str, name: str = "1a06a43", topic: str = "", *, old: float = 0.0, **more: Any
) -> Asked:
    """A member chooses the message, fills in the form and sends it."""
    form = await deployment.use_menu(MENU, shown(deployment, message_id), **more)
    return await deployment.submit(form, {"name": name, "topic": topic}, old=old, **more)


def fields(form: Asked) -> dict[str, Mapping[str, Any]]:
    assert form.kind == MODAL
    labels = form.callback["data"]["components"]
    return {label["component"]["custom_id"]: label["component"] for label in labels}


async def test_the_chosen_message_gets_the_sessions_thread(deployment: Deployment, message: str) -> None:
    form = await deployment.use_menu(MENU, shown(deployment, message))
    assert form.in_time
    assert {name: field.get("value") for name, field in fields(form).items()} == {"name": WORDS, "topic": None}
    asked = await deployment.submit(form, {"name": "1a06a43", "topic": "login bug"})
    assert asked.content == f"Started a thread for **1a06a43**: <#{message}>"
    (thread,) = deployment.discord.threads.values()
    assert (thread.id, thread.name) == (message, "Session 1a06a43")
    assert not deployment.source_messages()
    item = deployment.table.item()
    assert (item["discord_thread_id"], item["source_message_id"], item["source_is_persons"]) == (message, message, True)
    assert (item["topic"], item["created_by"]) == ("login bug", MEMBER)


async def test_a_name_with_a_thread_links_that_one_and_leaves_the_message(deployment: Deployment, message: str) -> None:
    await deployment.ask()
    asked = await open_here(deployment, message)
    assert asked.content.endswith(
        "is already open: <#" + deployment.table.item()["discord_thread_id"] + ">\n"
        "The message that you chose stays as it is."
    )
    assert message not in deployment.discord.threads


async def test_a_name_with_a_thread_that_is_not_on_record_is_adopted_and_the_message_stays(
    deployment: Deployment, message: str
) -> None:
    theirs = deployment.people.create_thread(CHANNEL, "Session 1a06a43")
    asked = await open_here(deployment, message)
    assert f"<#{theirs}>" in asked.content
    assert asked.content.endswith("stays as it is.")


@pytest.mark.parametrize("name", ["a talk of people", "Session 1a06a43"])
@pytest.mark.parametrize("permissions", [MEMBER_PERMISSIONS, MEMBER_PERMISSIONS & ~CREATE_THREADS])
async def test_a_messages_thread_is_adopted_by_any_name(
    deployment: Deployment, message: str, name: str, permissions: int
) -> None:
    deployment.people.create_thread(CHANNEL, name, message_id=message)
    deployment.people.create_thread(CHANNEL, "Session 1a06a43" if name.startswith("Session") else "another")
    form = await deployment.use_menu(MENU, shown(deployment, message))
    assert fields(form)["name"]["value"] == name.removeprefix("Session ")
    asked = await open_here(deployment, message, member_permissions=permissions)
    await deployment.work()
    assert deployment.shown(asked) == f"**1a06a43** has that message's thread now: <#{message}>"
    assert deployment.discord.threads[message].name == name
    assert "source_message_id" not in deployment.table.item()
    assert (await deployment.ask()).content.endswith(f"is already open: <#{message}>")


@pytest.mark.parametrize("permissions", [MEMBER_PERMISSIONS, MEMBER_PERMISSIONS & ~CREATE_THREADS])
async def test_another_sessions_message_is_linked_and_says_whose_it_is(
    deployment: Deployment, message: str, permissions: int
) -> None:
    await open_here(deployment, message, "another")
    asked = await open_here(deployment, message, member_permissions=permissions)
    assert asked.content == f"That message is already the session **another**: <#{message}>"
    assert [item["sk"] for item in deployment.table.items() if item.get("discord_thread_id")] == ["SESSION#another"]


async def test_the_source_message_of_a_session_leads_to_it_too(deployment: Deployment) -> None:
    await deployment.ask("another")
    (anchor,) = deployment.source_messages()
    form = await deployment.use_menu(MENU, shown(deployment, anchor.id))
    assert fields(form)["name"]["value"] == "another"
    asked = await open_here(deployment, anchor.id)
    assert "already the session **another**" in asked.content


async def test_a_merged_threads_message_leads_to_the_kept_thread(deployment: Deployment, message: str) -> None:
    deployment.people.create_thread(CHANNEL, "old talk", message_id=message)
    deployment.table.put({"pk": f"THREAD#{message}", "sk": "THREAD", "merged_into": "77"})
    asked = await open_here(deployment, message)
    assert asked.content == "That message's thread is closed. It continues in <#77>."
    assert deployment.table.item().get("status") != "open"


async def test_a_deleted_message_and_one_of_another_channel_are_refused(deployment: Deployment, message: str) -> None:
    form = await deployment.use_menu(MENU, shown(deployment, message))
    deployment.people.delete_message(CHANNEL, message)
    assert (await deployment.submit(form, {"name": "1a06a43"})).content == GONE
    deployment.discord.add_channel(GUILD, "222", 0)
    elsewhere = deployment.people.post_message("222", WORDS)
    form.callback["data"]["custom_id"] = f"open-here:{elsewhere}"
    assert (await deployment.submit(form, {"name": "1a06a43"})).content == GONE
    assert deployment.table.item()["status"] == "vacant"
    assert not deployment.discord.threads


@pytest.mark.parametrize("argument", ["", ":", ":x", ":-1", f":{'9' * 40}"])
async def test_a_forged_form_is_refused(deployment: Deployment, argument: str) -> None:
    place: dict[str, Any] = {
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "user_id": MEMBER,
        "token": "made-up-token",
        "now": START,
    }
    asked = await deployment.deliver(modal_submit(f"open-here{argument}", {"name": "x"}, **place))
    assert asked.content == texts.unreadable_command()["content"]


async def test_messages_in_threads_and_outside_of_servers_are_refused_by_both_steps(
    deployment: Deployment, message: str
) -> None:
    inside = in_thread("78")
    refused = await deployment.use_menu(MENU, shown(deployment, message), **inside)
    assert refused.content == texts.no_thread_in_thread()["content"]
    form = await deployment.use_menu(MENU, shown(deployment, message))
    assert (await deployment.submit(form, {"name": "x"}, **inside)).content == refused.content
    assert "channel" in refused.content


async def test_who_may_not_start_a_thread_may_not_have_one_here(deployment: Deployment, message: str) -> None:
    asked = await open_here(deployment, message, member_permissions=MEMBER_PERMISSIONS & ~CREATE_THREADS)
    await deployment.work()
    assert "You need **Create Public Threads** here" in deployment.shown(asked)
    lacking = await open_here(deployment, message, app_permissions=SEND_MESSAGES)
    assert "I'm missing permissions here" in lacking.content
    assert not deployment.discord.threads


async def test_a_late_form_is_handed_over_and_a_repeat_answers_the_same(deployment: Deployment, message: str) -> None:
    asked = await open_here(deployment, message, old=2.9)
    assert asked.kind == 5
    await deployment.work()
    assert deployment.shown(asked) == f"Started a thread for **1a06a43**: <#{message}>"
    again = await open_here(deployment, message)
    assert again.content == f"**1a06a43** is already open: <#{message}>"


async def test_a_message_that_is_deleted_before_its_thread_begins_is_explained(
    deployment: Deployment, message: str
) -> None:
    async def delete_once_recorded() -> None:
        items = deployment.table.items()
        if message in deployment.discord.messages and any(item.get("source_message_id") == message for item in items):
            deployment.people.delete_message(CHANNEL, message)

    deployment.after_every_call, deployment.after_call = True, delete_once_recorded
    asked = await open_here(deployment, message)
    assert asked.content == GONE
    assert deployment.table.item()["status"] == "vacant"
    assert not deployment.discord.threads


async def test_a_message_whose_thread_was_deleted_is_explained(deployment: Deployment, message: str) -> None:
    await open_here(deployment, message)
    deployment.people.delete_thread(message)
    for name, generation in (("another", 2), ("1a06a43", 3)):
        asked = await open_here(deployment, message, name)
        assert asked.content == USED_UP
        assert message in deployment.discord.messages
        assert deployment.table.item(name)["status"] == "vacant"
        assert deployment.table.item(name)["generation"] == generation
    assert "Started a thread" in (await deployment.ask()).content


async def test_two_names_for_one_message_end_with_one_session(deployment: Deployment, message: str) -> None:
    answers = await asyncio.gather(*(open_here(deployment, message, name) for name in ("one", "two")))
    await deployment.work()
    said = sorted(deployment.shown(asked) for asked in answers)
    assert len(deployment.discord.threads) == 1
    assert [text.split(" **")[0] for text in said] == ["Started a thread for", "That message is already the session"]


async def test_one_name_for_two_messages_ends_with_one_thread(deployment: Deployment, message: str) -> None:
    other = deployment.people.post_message(CHANNEL, "the same here", by=MEMBER)
    answers = await asyncio.gather(*(open_here(deployment, chosen) for chosen in (message, other)))
    await deployment.work()
    assert len(deployment.discord.threads) == 1
    assert {message, other} <= deployment.discord.messages.keys()
    assert sum("stays as it is" in deployment.shown(asked) for asked in answers) == 1


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (WORDS, WORDS),
        ("\n\n## **Crash** in `main`\nmore", "Crash in main"),
        ("<@5> <:party:77> https://x.org/y\nsecond", "second"),
        ("Session 1a06a43", "1a06a43"),
        ("🧵 **Session 1a06a43** · opened by <@3>\n> login", "1a06a43"),
        ("word " * 30, "word word word word word word word word word word"),
        ("x" * 80, "x" * 50),
        ("", ""),
        ("***\n\u200b", ""),
        ("\ud800 broken", ""),
    ],
)
def test_a_name_is_suggested_by_the_first_line_with_words(content: str, name: str) -> None:
    assert suggest_name(NAMES, Target(id="1", content=content)) == name
    assert suggest_name(NAMES, msgspec.structs.replace(Target(id="1"), thread_name="Session x")) == "x"
