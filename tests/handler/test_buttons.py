"""Buttons: callbacks of types 6 and 7, jobs, and errors."""

from collections.abc import Iterator
from typing import Any

import pytest

from handler.commands import texts
from handler.commands.jobs import Job
from handler.discord.interactions import Interaction, parse
from handler.discord.responses import message, with_button
from handler.errors import Importing, Merging, OnethreadError, RateLimited, StoreUnavailable
from infra.interactions import button
from infra.virtual_time import START
from tests.kit.aws_faults import What
from tests.kit.commands import Case
from tests.kit.deployment import USER, WEBHOOK_REQUEST, Asked
from tests.kit.table_view import CHANNEL, GUILD


class ButtonCase(Case):
    """A deployment with one button, scripted; a message of the bot's with it stands there already."""

    def __init__(self) -> None:
        super().__init__()
        self.commands = {("session", "open"): self._list, ("button", "go"): self.command.run}

    async def _list(self, *_: Any) -> dict[str, Any]:
        return with_button(message("the list"), label="Go", custom_id="go:10:x")

    async def pressed(self) -> Asked:
        self.asked = await self.press(await self.ask())
        return self.asked


@pytest.fixture
def case() -> Iterator[ButtonCase]:
    with ButtonCase() as case:
        yield case


def payload(**data: Any) -> dict[str, Any]:
    shown = {"id": "77", **with_button(message("the list"), label="Go", custom_id="go:10:x")}
    made = button(shown, channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START)
    return {**made, "data": {**made["data"], **data}}


def parsed(payload: dict[str, Any]) -> Interaction:
    interaction = parse(payload)
    assert interaction is not None
    return interaction


def test_a_button_is_parsed_with_name_argument_and_message() -> None:
    found = parsed(payload())
    assert (found.path, found.name) == (("button", "go"), "button go")
    assert (found.argument, found.message_id) == ("10:x", "77")
    assert found.replaces_message


@pytest.mark.parametrize("custom_id", [None, "", 5, "x" * 101])
def test_a_malformed_custom_id_is_not_a_button(custom_id: Any) -> None:
    found = parsed(payload(custom_id=custom_id))
    assert (found.path, found.replaces_message) == ((), False)


def test_a_command_with_a_custom_id_is_not_a_button() -> None:
    assert not parsed({**payload(), "type": 2}).replaces_message


@pytest.mark.parametrize("data", [{"custom_id": "gone:1"}, {"custom_id": None}])
async def test_an_unknown_button_is_answered(case: ButtonCase, data: dict[str, Any]) -> None:
    asked = await case.deliver({**payload(**data), "message": None})
    assert asked.callback == {"type": 4, "data": texts.unknown_component()}


async def test_an_answer_in_time_replaces_the_buttons_message(case: ButtonCase) -> None:
    asked = await case.pressed()
    assert (asked.kind, asked.content, asked.in_time) == (7, "done", True)
    assert "flags" not in asked.callback["data"]
    assert case.shown(asked) == "done"


async def test_a_late_answer_replaces_the_buttons_message_by_the_worker(case: ButtonCase) -> None:
    case.script(takes=3.0)
    asked = await case.pressed()
    assert (asked.callback, asked.in_time) == ({"type": 6}, True)
    assert case.shown(asked) == "the list"
    assert await case.work() == 1
    assert case.shown(asked) == "done"
    edits = [n for (_, route, _), n in case.discord.calls.items() if route.endswith("@original")]
    assert edits == [2]  # first that it is being done, which takes the button away


@pytest.mark.parametrize("error", [OnethreadError(), RateLimited(900.0)])
async def test_an_error_is_a_new_message_and_the_button_stays(case: ButtonCase, error: OnethreadError) -> None:
    case.script(error)
    pressed = await case.pressed()
    assert (pressed.kind, pressed.callback["data"]["flags"]) == (4, 64)


@pytest.mark.parametrize("fault", ["access_denied", "hang"])
async def test_a_failed_hand_over_is_a_new_message(case: ButtonCase, fault: What) -> None:
    case.script(StoreUnavailable())
    case.queue.faults = [fault]
    assert (await case.pressed()).kind == 4


async def test_an_internal_error_is_a_new_message(case: ButtonCase) -> None:
    case.script(RuntimeError("inside"))
    asked = await case.pressed()
    assert (asked.kind, asked.content) == (4, texts.internal_error(WEBHOOK_REQUEST)["content"])


async def test_the_next_receive_knows_what_was_done_before_a_put_back(case: ButtonCase) -> None:
    case.script(Merging({"merged": 0}), Merging({"merged": 5}), Importing({}), Merging({"merged": 9}), "done")
    await case.pressed()
    assert await case.work(between=case.note) == 4
    assert [run.done_before for run in case.command.runs] == [{}, {}, {"merged": 5}, {"merged": 5}, {"merged": 9}]
    assert [text for text in case.said if "closed so far" in text] == [case.said[0], case.said[2]]
    assert "5 closed so far" in case.said[0]
    assert case.said[-1] == "done"


def test_a_put_back_job_keeps_the_button_and_its_progress() -> None:
    job = Job.of(parsed(payload()), START).put_back({"merged": 3}).put_back({})
    assert (job.interaction.argument, job.interaction.done_before, job.put_backs) == ("10:x", {"merged": 3}, 2)
