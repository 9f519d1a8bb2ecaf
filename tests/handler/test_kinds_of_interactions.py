"""Autocompletions, selects, modals and message commands, from the signed request to the command and back."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from handler.commands.texts import modal_too_late
from handler.discord import components
from handler.discord.components import Modal
from handler.discord.interactions import Interaction, parse
from handler.discord.responses import layout, message, with_rows
from handler.errors import StoreUnavailable
from handler.sessions.protocol import Sessions
from infra.interactions import message_command, modal_submit
from infra.virtual_time import START
from tests.kit.commands import Case
from tests.kit.table_view import CHANNEL, GUILD

FORM = Modal("Which one?", "form:x", [components.text_field("name", "Name", most=100)])
CHOOSER = components.select("choose:x", [components.option("One", "1"), components.option("Two", "2")])
LIST = layout(components.container(components.section("a session", components.link_button("Open", "https://x.org"))))
SHOWN = {"id": "77", "content": "Look at this", "author": {"id": "5"}, "flags": 0, "components": []}
PLACE: dict[str, Any] = {"channel_id": CHANNEL, "guild_id": GUILD, "user_id": "9", "now": START}


class Kinds(Case):
    """Commands that answer with whatever a test sets, and a completion."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Any = message("the list")
        self.commands = {("session", "open"): self._answer, ("menu", "Open session here"): self._answer}
        self.commands |= {(kind, name): self.command.run for kind in ("button", "modal") for name in ("choose", "form")}
        self.completions = {"name": self._complete}
        self.typed: list[Interaction] = []
        self.fault: Exception | None = None

    async def _answer(self, *_: Any) -> Any:
        return self.answer

    async def _complete(self, _: Sessions, interaction: Interaction) -> Sequence[tuple[str, str]]:
        self.typed.append(interaction)
        if self.fault is not None:
            raise self.fault
        return [(f"name {n} {'x' * 200}", f"value {n}") for n in range(30)]


@pytest.fixture
def case() -> Iterator[Kinds]:
    with Kinds() as case:
        yield case


async def test_an_autocompletion_offers_25_choices_that_fit(case: Kinds) -> None:
    choices = await case.complete("session open", options={"name": "na"})
    assert [choice["value"] for choice in choices] == [f"value {n}" for n in range(25)]
    assert {len(choice["name"]) for choice in choices} == {100}
    assert (case.typed[0].path, case.typed[0].focused, case.typed[0].text("name")) == (
        ("session", "open"),
        "name",
        "na",
    )


@pytest.mark.parametrize("fault", [StoreUnavailable(), RuntimeError("inside")])
async def test_an_autocompletion_that_fails_has_no_choices(case: Kinds, fault: Exception) -> None:
    case.fault = fault
    assert await case.complete("session open") == []


async def test_an_option_that_nothing_completes_has_no_choices(case: Kinds) -> None:
    assert await case.complete("session open", focused="topic") == []


async def test_a_select_hands_on_what_was_chosen(case: Kinds) -> None:
    case.answer = with_rows(message("Choose."), components.row(CHOOSER))
    asked = await case.press(await case.ask(), "choose:x", values=["2"])
    assert (asked.kind, case.shown(asked)) == (7, "done")
    assert (case.command.runs[0].values, case.command.runs[0].argument) == (("2",), "x")


async def test_a_modal_is_shown_and_its_fields_come_back(case: Kinds) -> None:
    case.answer = FORM
    asked = await case.ask()
    assert (asked.kind, asked.in_time, asked.callback["data"]["title"]) == (9, True, "Which one?")
    sent = await case.submit(asked, {"name": "1a06a43", "tags": ["a", "b"]})
    assert (sent.kind, case.shown(sent)) == (4, "done")
    assert case.command.runs[0].fields == {"name": ("1a06a43",), "tags": ("a", "b")}
    assert case.command.runs[0].text("name") == "1a06a43"


async def test_a_modal_that_comes_too_late_is_explained(case: Kinds) -> None:
    case.answer = FORM
    asked = await case.ask(old=2.9)
    await case.work()
    assert case.shown(asked) == modal_too_late()["content"]


async def test_a_message_command_hands_on_the_message(case: Kinds) -> None:
    asked = await case.use_menu("Open session here", SHOWN)
    assert asked.content == "the list"
    parsed = parse(message_command("Open session here", {**SHOWN, "thread": {"id": "88"}}, **PLACE))
    assert parsed is not None
    assert parsed.target is not None
    assert (parsed.target.id, parsed.target.author_id, parsed.target.content) == ("77", "5", "Look at this")
    assert parsed.target.thread_id == "88"


async def test_a_button_beneath_a_public_message_gets_an_ephemeral_answer_of_its_own(case: Kinds) -> None:
    case.answer = with_rows(message("Choose."), components.row(CHOOSER))
    case.answer["flags"] = 0
    asked = await case.press(await case.ask(), "choose:x", values=["2"])
    assert (asked.kind, asked.callback["data"]["flags"]) == (4, 64)


async def test_a_layout_is_shown_at_once_and_after_a_deferral(case: Kinds) -> None:
    case.answer = LIST
    assert case.shown(await case.ask()) == "a session"
    late = await case.ask(old=2.9)
    await case.work()
    assert case.shown(late) == "a session"


@pytest.mark.parametrize("takes", [0.0, 3.0])
async def test_a_text_that_replaces_a_layout_becomes_one(case: Kinds, takes: float) -> None:
    case.answer = layout(components.row(CHOOSER))
    case.script(takes=takes)
    asked = await case.press(await case.ask(), "choose:x", values=["2"])
    await case.work()
    assert case.shown(asked) == "done"


def test_roles_and_their_absence_are_read() -> None:
    payload = modal_submit("form:x", {"name": "x"}, roles=["3", "4"], **PLACE)
    found = parse(payload)
    assert found is not None
    assert found.user_roles == {"3", "4"}
    payload["member"]["roles"] = "3"
    found = parse(payload)
    assert found is not None
    assert not found.user_roles


@pytest.mark.parametrize("components", [None, 3, [3], [{"component": 3}], [{"components": [3]}], [{"component": {}}]])
def test_malformed_fields_of_a_modal_count_as_absent(components: Any) -> None:
    payload = modal_submit("form:x", {}, **PLACE)
    payload["data"]["components"] = components
    found = parse(payload)
    assert found is not None
    assert (found.path, found.fields) == (("modal", "form"), {})
