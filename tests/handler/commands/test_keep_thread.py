"""Choosing which thread of a name is kept, from the list of duplicates, as signed interactions."""

from typing import Any

from handler.commands import admin_texts, texts
from handler.errors import NotAllowed
from infra.interactions import MEMBER_PERMISSIONS, parts_of
from infra.simulator.components import SELECT
from tests.kit.deployment import Asked, Deployment
from tests.kit.table_view import CHANNEL, GUILD, NAME


async def list_duplicates(deployment: Deployment, *names: str, each: int = 2) -> tuple[Asked, dict[str, list[str]]]:
    """Sessions that are open, each with more threads of its name; the list, and the threads of each name."""
    threads = {}
    for name in names or (NAME,):
        await deployment.ask(name)
        own = deployment.table.item(name)["discord_thread_id"]
        others = [deployment.people.create_thread(CHANNEL, f"Session {name}") for _ in range(each)]
        threads[name] = [own, *others]
    return await deployment.administer("duplicates"), threads


def selects(deployment: Deployment, asked: Asked) -> list[dict[str, Any]]:
    shown = deployment.discord.original_response(asked.token)
    assert shown is not None
    return [part for part in parts_of(shown) if part["type"] == SELECT]


def kept(select: dict[str, Any]) -> str:
    (chosen,) = (option["value"] for option in select["options"] if option.get("default"))
    return str(chosen)


async def choose(deployment: Deployment, asked: Asked, thread_id: str, number: int = 0, **more: Any) -> Asked:
    select = selects(deployment, asked)[number]
    return await deployment.press(asked, select["custom_id"], values=[thread_id], **more)


async def test_the_chosen_thread_is_the_sessions_and_the_merge_keeps_it(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment)
    own, other, chosen = threads[NAME]
    again = await choose(deployment, listed, chosen)
    assert (again.kind, again.in_time) == (7, True)
    assert deployment.shown(again).startswith(f"**{NAME}** continues in <#{chosen}> from now on.\nFound 2 duplicate")
    assert kept(selects(deployment, again)[0]) == chosen
    assert not [t for t in deployment.discord.threads.values() if t.archived or t.locked]
    item = deployment.table.item()
    assert (item["discord_thread_id"], item["generation"], item["status"]) == (chosen, 2, "open")
    assert "source_message_id" not in item
    assert deployment.table.pointer(chosen)["session_key"] == NAME
    assert f"<#{chosen}>" in (await deployment.ask()).content

    pressed = await deployment.press(again)
    await deployment.work()
    assert deployment.shown(pressed) == "Closed 2 duplicate threads. Each links the thread that was kept."
    for closed in (own, other):
        thread = deployment.discord.threads[closed]
        assert (thread.name, thread.locked) == (f"↪ Session {NAME}", True)
        assert deployment.table.pointer(closed)["merged_into"] == chosen
    assert not deployment.table.namesakes()


async def test_a_choice_is_repeated_and_taken_back(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment)
    own, _, chosen = threads[NAME]
    for _ in range(2):
        await choose(deployment, listed, chosen)
    assert deployment.table.item()["generation"] == 2
    await choose(deployment, listed, own)
    item = deployment.table.item()
    assert (item["discord_thread_id"], item["generation"]) == (own, 3)
    assert own in deployment.discord.messages


async def test_a_name_without_a_thread_on_record_gets_the_chosen_one(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment)
    own, _, chosen = threads[NAME]
    deployment.people.delete_thread(own)
    await choose(deployment, listed, chosen)
    item = deployment.table.item()
    assert (item["discord_thread_id"], item["status"]) == (chosen, "open")
    assert own not in deployment.discord.messages  # the old generation has ended, with its source message

    deployment.table.lose(item, deployment.table.pointer(chosen))
    again = await choose(deployment, listed, threads[NAME][1])
    assert deployment.shown(again).startswith(f"**{NAME}** continues in <#{threads[NAME][1]}>")


async def test_choices_on_the_second_page_stay_there(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment, *"abcde", each=1)
    assert [kept(select) for select in selects(deployment, listed)] == [threads[name][0] for name in "abcd"]
    turned = await deployment.press(listed, f"duplicates:{CHANNEL}:1")
    assert deployment.shown(turned).startswith("Found 5 duplicate threads for 5 sessions. Page 2 of 2.")
    (select,) = selects(deployment, turned)
    chosen = await deployment.press(turned, select["custom_id"], values=[threads["e"][1]])
    assert "Page 2 of 2." in deployment.shown(chosen)
    assert kept(selects(deployment, chosen)[0]) == threads["e"][1]
    back = await deployment.press(chosen, f"duplicates:{CHANNEL}:0")
    assert len(selects(deployment, back)) == 4


async def test_what_cannot_be_chosen_any_more_changes_nothing(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment, each=6)
    own, gone, renamed, merged, *_ = threads[NAME]
    await deployment.ask("another")
    theirs = deployment.table.item("another")["discord_thread_id"]
    deployment.people.delete_thread(gone)
    deployment.people.rename(renamed, "a talk")
    deployment.people.rename(theirs, f"Session {NAME}")
    deployment.table.put({"pk": f"THREAD#{merged}", "sk": "THREAD", "merged_into": own})
    hidden = deployment.people.create_thread(CHANNEL, f"Session {NAME}", type=12)
    deployment.discord.add_channel(GUILD, "222")
    elsewhere = deployment.people.create_thread("222", f"Session {NAME}")
    for value in (gone, renamed, merged, theirs, hidden, elsewhere, "", "x", CHANNEL, "9" * 30):
        asked = await choose(deployment, listed, value)
        await deployment.work()
        assert deployment.shown(asked).startswith(admin_texts.NOT_CHOSEN), value
    item = deployment.table.item()
    assert (item["discord_thread_id"], item["generation"]) == (own, 1)


async def test_the_select_checks_the_member_and_the_channel_again(deployment: Deployment) -> None:
    listed, threads = await list_duplicates(deployment)
    chosen = threads[NAME][1]
    member = await choose(deployment, listed, chosen, member_permissions=MEMBER_PERMISSIONS)
    assert member.callback == {"type": 4, "data": texts.failure(NotAllowed())}
    deployment.discord.add_channel(GUILD, "222")
    elsewhere = await choose(deployment, listed, chosen, channel_id="222")
    assert elsewhere.content == texts.UNKNOWN_BUTTON
    for place in ("", CHANNEL, f"{CHANNEL}:", f"{CHANNEL}:-1", f"{CHANNEL}:²", "222:0"):
        for name in ("keep-thread", "duplicates"):
            forged = await deployment.press(listed, f"{name}:{place}", values=[chosen])
            assert forged.content == texts.UNKNOWN_BUTTON
    assert deployment.table.item()["discord_thread_id"] == threads[NAME][0]
