"""To forget a server, or a user: a dry run first; then nothing names them any more, and everybody else has everything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handler.questions.model import read_answer, read_spec
from handler.store.items import session_from_item
from handler.store.question_items import Question
from infra.deployment.walk import kind_of
from infra.forget.__main__ import main
from tests.infra.deployment.operated import Operated
from tests.infra.simulator.client import GUILD, NOON
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL

ANN, BOB = "333333333333333333", "444444444444444444"
OTHER_GUILD, OTHER_CHANNEL = "222222222222222222", "202020202020202020"
MERGED, MERGED_BEFORE, FOREIGN = "900000000000000001", "900000000000000002", "900000000000000003"


async def _live(deployment: Deployment) -> None:
    """Ann and Bob use the bot in one server, and Bob in another one."""
    deployment.discord.add_guild(OTHER_GUILD)
    deployment.discord.add_channel(OTHER_GUILD, OTHER_CHANNEL)
    opened = await deployment.open("1a06a43", user=ANN, topic=f"asked by <@{ANN}>")
    await deployment.open("secret", user=ANN, private=True, members=(BOB,))
    await deployment.open("joint", user=BOB, private=True, members=(ANN, BOB))
    asked = await deployment.program(
        "ask", request_id="r", question="Ship it?", answerers={"user_ids": [ANN]}, choices=[{"id": "y", "label": "Yes"}]
    )
    await deployment.press_card(asked["question"]["message_id"], "Yes", user=ANN)
    await deployment.open("done", user=BOB)
    await deployment.use("session close", options={"name": "done"}, user_id=ANN, member_permissions=1 << 34)
    await deployment.work()
    posted = await deployment.program("post", request_id="p", message_key="build", content="green")
    assert "error" not in posted, posted
    for thread_id, into in ((MERGED, opened.thread_id), (MERGED_BEFORE, MERGED), (FOREIGN, "1")):
        deployment.table.put({"pk": f"THREAD#{thread_id}", "sk": "THREAD"}, merged_into=into, merged_at=NOON)
    place: dict[str, Any] = {"channel_id": OTHER_CHANNEL, "guild_id": OTHER_GUILD}
    await deployment.ask("elsewhere", user_id=BOB, **place)
    await deployment.work()


@pytest.fixture(scope="module")
def lived() -> Iterator[list[dict[str, Any]]]:
    with Deployment() as deployment:
        deployment.run(_live(deployment))
        yield deployment.table.items()


@pytest.fixture
def used(operated: Operated, lived: list[dict[str, Any]]) -> Operated:
    for item in lived:
        operated.put(**item)
    return operated


def forget(operated: Operated, *arguments: str) -> int:
    return operated.run(main, *arguments)


def of_guild(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that are not the other server's, and not anybody's."""
    kept = {
        item["discord_thread_id"]
        for item in items
        if item["pk"] == f"CHANNEL#{OTHER_CHANNEL}" and "discord_thread_id" in item
    }
    others = {f"GUILD#{OTHER_GUILD}", f"CHANNEL#{OTHER_CHANNEL}", f"THREAD#{FOREIGN}", *(f"THREAD#{t}" for t in kept)}
    return [item for item in items if item["pk"] not in others and item["sk"] != "JOB"]


def test_a_dry_run_counts_by_kind_and_changes_nothing(used: Operated) -> None:
    before = used.items()
    assert forget(used, "--guild", GUILD) == 0
    expected = len(of_guild(before))
    assert f"On record of the server {GUILD}: {expected} items." in used.out
    for line in ("2  private session", "2  session", "1  question", "1  server", "1  channel", "2  post"):
        assert line in used.out
    assert "Add --yes" in used.out
    assert forget(used, "--user", ANN) == 0
    assert "1  private session: the whole item" in used.out
    assert used.items() == before


def test_a_server_that_the_bot_has_left_is_forgotten_and_no_other(used: Operated) -> None:
    before = used.items()
    used.discord.people.remove_bot_from_guild(GUILD, now=NOON)
    assert forget(used, "--guild", GUILD, "--yes") == 0, used.err
    gone = of_guild(before)
    assert {kind_of(item) for item in gone} >= {"session", "private session", "thread pointer", "question", "post"}
    assert [item for item in before if item not in used.items()] == gone
    assert forget(used, "--guild", GUILD) == 0
    assert "0 items" in used.out


def test_while_the_bot_is_in_the_server_it_is_not_forgotten(used: Operated) -> None:
    before = used.items()
    assert forget(used, "--guild", GUILD, "--yes") == 1
    assert "still in the server" in used.err
    assert used.items() == before
    used.account.stacks["onethread"]["AllowedGuilds"] = OTHER_GUILD  # it does not work there any more
    assert forget(used, "--guild", GUILD, "--yes") == 0
    assert used.items() != before


def test_without_an_answer_of_discords_nothing_is_removed(used: Operated) -> None:
    before = used.items()
    used.discord.limit_once("GET", f"/guilds/{GUILD}", 5.0)
    assert forget(used, "--guild", GUILD, "--yes") == 1
    assert "Nothing was removed" in used.err
    assert used.items() == before


def test_nothing_names_a_forgotten_user_and_everything_can_still_be_read(used: Operated) -> None:
    before = {(item["pk"], item["sk"]): item for item in used.items()}
    assert ANN in json.dumps([*before.values()])
    assert forget(used, "--user", ANN, "--yes") == 0
    after = used.items()
    assert ANN not in json.dumps(after)
    gone = {kind_of(before[key]) for key in before.keys() - {(item["pk"], item["sk"]) for item in after}}
    assert gone == {"private session", "thread pointer", "member"}
    sessions = {item["session_name"]: session_from_item(item) for item in after if "session_name" in item}
    assert sessions["1a06a43"].thread.created_by == "0"
    assert sessions["1a06a43"].topic == "asked by <@0>"
    assert sessions["done"].closing.closed_by == "somebody"
    assert sessions["joint"].member_ids == (BOB,)
    (question,) = [Question.from_item(item) for item in after if item["sk"].startswith("QUESTION#")]
    answer = read_answer(question)
    assert answer is not None
    assert (answer.by, read_spec(question).user_ids) == ("0", ("0",))
    assert forget(used, "--user", ANN) == 0
    assert "0 items" in used.out


def test_an_id_within_a_longer_number_is_another_one(used: Operated) -> None:
    used.put("CHANNEL#10", "SESSION#x", topic=f"1{ANN} and {ANN}1")
    before = used.items()
    forget(used, "--user", ANN[1:], "--yes")
    assert used.items() == before


def test_a_run_that_was_stopped_goes_on_where_it_was(
    used: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.table.pages.MAX_PAGE_BYTES", 600)
    file, pauses = tmp_path / "progress", []

    async def die_at_the_tenth(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 10:
            raise KeyboardInterrupt

    used.discord.people.remove_bot_from_guild(GUILD, now=NOON)
    gone = of_guild(used.items())
    assert used.run(main, "--guild", GUILD, "--yes", "--progress", str(file), sleep=die_at_the_tenth) == 130
    assert used.err.endswith(f"\nStopped. Run it again: it goes on at {file}.\n")
    assert forget(used, "--guild", OTHER_GUILD, "--progress", str(file)) == 1
    assert "not the progress of such a run" in used.err
    pages = json.loads(file.read_text())["pages"]
    assert pages == 10
    assert pauses == [0.2] * 10
    assert forget(used, "--guild", GUILD, "--yes", "--progress", str(file)) == 0
    assert not [item for item in used.items() if item in gone]
    assert not file.exists()


def test_a_server_whose_removal_was_stopped_is_found_again(used: Operated) -> None:
    """What leads to other items is removed last."""
    used.discord.people.remove_bot_from_guild(GUILD, now=NOON)
    gone = of_guild(used.items())
    memory, deleted = used.resources.memory, []

    def stop_half_way(changes: Any) -> None:
        deleted.append(changes)
        if len(deleted) > len(gone) // 2:
            raise KeyboardInterrupt

    memory.on_commit = stop_half_way
    assert forget(used, "--guild", GUILD, "--yes") == 130
    memory.on_commit = None
    assert forget(used, "--guild", GUILD, "--yes") == 0
    assert not [item for item in used.items() if item in gone]
    assert any(item["pk"] == f"CHANNEL#{OTHER_CHANNEL}" for item in used.items())
    assert not any(item["pk"] == f"CHANNEL#{CHANNEL}" for item in used.items())


@pytest.mark.parametrize("arguments", [[], ["--guild", GUILD, "--user", ANN], ["--user", "ann"]])
def test_exactly_one_id_has_to_be_given(operated: Operated, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        forget(operated, *arguments)
    assert left.value.code == 2
