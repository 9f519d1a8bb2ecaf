"""Nothing differs where people and programs were at work; each inconsistency that is planted is found, with what mends it."""

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from infra.simulator.permissions import default_permissions_without
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.verify.__main__ import main
from tests.infra.deployment.operated import Operated, import_again, open_all
from tests.infra.simulator.client import GUILD
from tests.kit.deployment import Deployment
from tests.kit.guild import BOT
from tests.kit.table_view import CHANNEL

ANN, BOB = "333333333333333333", "444444444444444444"
MODERATES: Final = 1 << 34  # Manage Threads
CHOICES: Final = [{"id": "y", "label": "Yes"}]


async def _live(deployment: Deployment) -> datetime:
    """When it was over. People and programs use most of what there is, and the reconciler comes."""
    people = deployment.people
    await deployment.ask("1a06a43", user_id=ANN)
    for name in ("closed", "archived", "deleted", "renamed"):
        await deployment.open(name, user=ANN)
    await deployment.use("session close", options={"name": "closed"}, user_id=BOB, member_permissions=MODERATES)
    people.archive(deployment.table.item("archived")["discord_thread_id"])
    people.delete_thread(deployment.table.item("deleted")["discord_thread_id"])
    people.rename(deployment.table.item("renamed")["discord_thread_id"], "Session another")
    people.create_thread(CHANNEL, "Session 1a06a43")
    await deployment.open("secret", user=ANN, private=True, members=(BOB,))
    for request, act in (("answered", ANN), ("cancelled", None), ("open", None)):
        asked = await deployment.program("ask", request_id=request, question="Ship it?", choices=CHOICES)
        if act:
            await deployment.press_card(asked["question"]["message_id"], "Yes", user=act)
        if request == "cancelled":
            await deployment.invoke({"operation": "cancel", "question_id": asked["question"]["id"]})
    await deployment.work()
    for _ in range(3):
        await deployment.wait(minutes=31)
        await deployment.tick()
        while deployment.guilds.visible():
            await deployment.receive_guilds()
    merged = await deployment.administer("duplicates")
    await deployment.press(merged)
    await deployment.work()
    await deployment.open("deleted", user=BOB)
    await deployment.wait(minutes=31)
    await deployment.tick()
    await deployment.receive_guilds()
    return deployment.now


class Lived:
    """The server as it was left, at any number of moments."""

    def __init__(self, deployment: Deployment) -> None:
        self.now = deployment.run(_live(deployment)) + timedelta(hours=1)
        self.items, self.discord = deployment.table.items(), deployment.discord


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    with Deployment() as deployment:
        yield Lived(deployment)


class Place:
    """A copy to plant something in."""

    def __init__(self, operated: Operated, lived: Lived) -> None:
        self.operated, self.now = operated, lived.now
        self.discord: SimulatedDiscord = lived.discord.fork()
        operated.discord = self.discord
        for item in lived.items:
            operated.put(**item)

    def find(self, start: str, **attributes: Any) -> dict[str, Any]:
        """The first item of that kind with these attributes."""
        return next(
            item
            for item in self.operated.items()
            if item["sk"].startswith(start) and attributes.items() <= item.items()
        )

    def change(self, item: dict[str, Any], **attributes: Any) -> None:
        """Write the item with these attributes changed; None takes one away."""
        changed = {**item, **attributes}
        self.operated.put(**{name: value for name, value in changed.items() if value is not None})

    def lose(self, pk: str, sk: str) -> None:
        memory = self.operated.resources.memory
        memory.apply("delete_item", {"TableName": memory.name, "Key": {"pk": pk, "sk": sk}})

    def session(self, name: str = "1a06a43") -> dict[str, Any]:
        return self.find("SESSION#", session_name=name)

    def verify(self, *arguments: str, now: Callable[[], datetime] | None = None) -> list[dict[str, str]]:
        status = self.operated.run(main, "--json", *arguments, now=now or (lambda: self.now))
        report = json.loads(self.operated.out)
        assert status == (0 if report["ok"] else 1)
        found: list[dict[str, str]] = report["differences"]
        return found


@pytest.fixture
def place(operated: Operated, lived: Lived) -> Place:
    return Place(operated, lived)


def test_where_people_and_programs_were_at_work_nothing_differs(place: Place) -> None:
    assert place.verify() == []
    assert place.operated.run(main, "--guild", GUILD, now=lambda: place.now) == 0
    assert place.operated.out == f"channel {CHANNEL}: as it must be\nNothing differs.\n"
    kinds = {item["sk"].partition("#")[0] for item in place.operated.items()}
    assert kinds >= {"SESSION", "PRIVATE", "QUESTION", "THREAD", "CHANNEL", "GUILD"}


def test_it_changes_nothing(place: Place) -> None:
    place.lose(f"THREAD#{place.session()['discord_thread_id']}", "THREAD")
    before = place.operated.items(), place.discord.fingerprint()
    place.verify()
    assert (place.operated.items(), place.discord.fingerprint()) == before


def _stuck_claim(place: Place) -> None:
    item = {"parent_channel_id": CHANNEL, "guild_id": GUILD, "status": "creating", "generation": 1}
    lease = {"lease_owner": "somebody", "lease_expires_at": "2026-11-23T12:00:00.000Z"}
    place.operated.put(f"CHANNEL#{CHANNEL}", "SESSION#x", session_key="x", session_name="x", **item, **lease)


def _thread_is_gone(place: Place) -> None:
    place.discord.people.delete_thread(place.session("archived")["discord_thread_id"], now=place.now)


def _recorded_otherwise(place: Place) -> None:
    place.change(place.session(), locked=True)


def _no_pointer(place: Place) -> None:
    place.lose(f"THREAD#{place.session()['discord_thread_id']}", "THREAD")


def _pointer_to_another(place: Place) -> None:
    thread_id = place.session()["discord_thread_id"]
    place.operated.put(f"THREAD#{thread_id}", "THREAD", parent_channel_id=CHANNEL, session_key="closed")


def _pointer_of_nobodys(place: Place) -> None:
    thread_id = place.discord.people.create_thread(CHANNEL, "talk", now=place.now - timedelta(hours=1))
    place.operated.put(f"THREAD#{thread_id}", "THREAD", parent_channel_id=CHANNEL, session_key="nobody")


def _one_thread_for_two(place: Place) -> None:
    place.change(place.session("closed"), discord_thread_id=place.session()["discord_thread_id"])


def _second_thread(place: Place) -> None:
    """By this bot, for a session that has one: what the protocol makes impossible."""
    old = place.now - timedelta(hours=1)
    thread_id = place.discord.people.create_thread(CHANNEL, "Session 1a06a43", now=old)
    place.discord.state.put_thread(replace(place.discord.threads[thread_id], owner_id=BOT))
    place.operated.put(f"CHANNEL#{CHANNEL}", f"NAMESAKE#1a06a43#{thread_id}")


def _not_on_record(place: Place) -> None:
    place.discord.people.create_thread(CHANNEL, "Session by hand", now=place.now - timedelta(hours=1))


def _orphaned_source_message(place: Place) -> None:
    text = "🧵 **Session lost** · opened by <@3>"
    place.discord.people.post_message(CHANNEL, text, now=place.now - timedelta(hours=1), by=BOT)


def _buttons_of_the_past(place: Place) -> None:
    """The edit of the card was lost, and the question counts as settled."""
    over, still = place.find("QUESTION#", state="cancelled"), place.find("QUESTION#", state="open")
    messages = place.discord.state.messages
    shown = messages[still["message_id"]].components
    messages.put(over["message_id"], replace(messages[over["message_id"]], components=shown))


def _card_is_gone(place: Place) -> None:
    question = place.find("QUESTION#", state="open")
    place.discord.people.delete_message(question["discord_thread_id"], question["message_id"], now=place.now)


def _waits_for_nothing(place: Place) -> None:
    place.change(place.session("closed"), waiting_since="2026-11-23T12:00:00.000Z", waiting_for=f"{CHANNEL}-none")


def _unseen(place: Place) -> None:
    place.change(place.session(), watch_guild_id=None, due_in=None)


def _unlisted(place: Place) -> None:
    place.change(place.session(), listed_in=None)


def _unreadable(place: Place) -> None:
    place.change(place.session("closed"), status="snoozed")


@pytest.mark.parametrize(
    ("plant", "rules", "cure"),
    [
        (_stuck_claim, {"claim without an end"}, "/session open name: x"),
        (_thread_is_gone, {"thread is gone"}, "/session open name: archived"),
        (_recorded_otherwise, {"thread is not as recorded"}, "python -m infra.plan --stack-name "),
        (_no_pointer, {"no pointer"}, "put-item"),
        (_pointer_to_another, {"pointer names another"}, "put-item"),
        (_pointer_of_nobodys, {"pointer of nobody's"}, "delete-item"),
        (
            _one_thread_for_two,
            {"one thread for two sessions", "thread is not as recorded", "thread is not on record"},
            "SESSION#closed",
        ),
        (_second_thread, {"second thread of ours"}, "/session-admin duplicates"),
        (_not_on_record, {"thread is not on record"}, "infra.reimport"),
        (_orphaned_source_message, {"source message without a session"}, "delete that message"),
        (_buttons_of_the_past, {"buttons of a question that is over"}, "delete the message"),
        (_card_is_gone, {"question without its card"}, "infra.plan"),
        (_waits_for_nothing, {"waits for no question"}, "REMOVE #waiting_for"),
        (_unseen, {"the reconciler does not see it"}, "SET #watch_guild_id"),
        (_unlisted, {"no list shows it"}, "SET #listed_in"),
        (_unreadable, {"unreadable item"}, "troubleshooting"),
    ],
)
def test_each_planted_inconsistency_is_found_with_what_mends_it(
    place: Place, plant: Callable[[Place], None], rules: set[str], cure: str
) -> None:
    plant(place)
    found = place.verify()
    assert {one["rule"] for one in found} == rules
    assert any(cure in one["cure"] for one in found)


def _open(*names: str) -> Callable[[Place], Any]:
    return lambda place: open_all(place.operated, *names, at=place.now)


def _reimport(place: Place) -> None:
    assert import_again(place.operated, "--channel", CHANNEL, at=place.now) == 0, place.operated.out


def _paste(place: Place) -> None:
    """Paste the commands of the AWS CLI into a shell."""
    for one in place.verify():
        words = shlex.split(one["cure"])
        assert words[:2] == ["aws", "dynamodb"]
        operation = "".join(part.capitalize() for part in words[2].split("-"))
        assert words[3:5] == ["--region", "eu-central-1"]
        options = zip(words[5::2], words[6::2], strict=True)
        given = {"".join(p.capitalize() for p in name[2:].split("-")): value for name, value in options}
        request = {name: json.loads(value) if value.startswith("{") else value for name, value in given.items()}
        place.operated.resources.answers()[f"dynamodb.{operation}"](**request)


@pytest.mark.parametrize(
    ("plant", "mend"),
    [
        (_stuck_claim, _open("x")),
        (_thread_is_gone, _open("archived")),
        (_not_on_record, _reimport),
        (_no_pointer, _paste),
        (_pointer_to_another, _paste),
        (_pointer_of_nobodys, _paste),
        (_unseen, _paste),
        (_unlisted, _paste),
        (_waits_for_nothing, _paste),
    ],
)
def test_the_command_that_it_names_mends_it(
    place: Place, plant: Callable[[Place], None], mend: Callable[[Place], Any]
) -> None:
    plant(place)
    assert place.verify()
    mend(place)
    assert place.verify(now=lambda: place.now + timedelta(hours=1)) == []


def test_of_a_thread_that_two_sessions_have_the_one_that_it_points_at_keeps_it(place: Place) -> None:
    _one_thread_for_two(place)
    cure = next(one["cure"] for one in place.verify() if one["rule"] == "one thread for two sessions")
    assert "SESSION#1a06a43" not in cure
    place.lose(f"CHANNEL#{CHANNEL}", "SESSION#closed")
    _reimport(place)
    assert place.verify(now=lambda: place.now + timedelta(hours=1)) == []


def test_what_is_at_work_at_the_moment_is_no_difference(place: Place) -> None:
    """It is read again before it is said."""
    _recorded_otherwise(place)

    async def the_reconciler_comes(seconds: float) -> None:
        if seconds == 10.0:
            place.change(place.session(), locked=None)

    assert place.operated.run(main, sleep=the_reconciler_comes, now=lambda: place.now) == 0
    young = place.now + timedelta(minutes=14)
    place.discord.people.create_thread(CHANNEL, "Session new", now=place.now)
    assert place.verify(now=lambda: young) == []


def test_a_channel_that_the_bot_cannot_read_is_passed_over(place: Place) -> None:
    place.discord.people.set_permissions(CHANNEL, default_permissions_without("READ_MESSAGE_HISTORY"), now=place.now)
    assert place.verify() == []
    assert f"channel {CHANNEL}: the bot cannot read it" in place.operated.err


def test_a_server_without_the_bot_is_passed_over(place: Place) -> None:
    place.discord.people.remove_bot_from_guild(GUILD, now=place.now)
    assert place.operated.run(main) == 0
    assert "no member" in place.operated.err
