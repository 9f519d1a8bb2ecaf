"""Buttons: callbacks of types 6 and 7, jobs, and errors."""

from typing import Any

import pytest

from handler.commands import texts
from handler.commands.jobs import Job
from handler.discord.interactions import parse
from handler.discord.responses import message, with_button
from handler.errors import Importing, Merging, OnethreadError, RateLimited, StoreUnavailable
from infra.interactions import button
from tests.kit.aws_wire import What
from tests.kit.commands import Scripted
from tests.kit.deployment import USER, Asked, Deployment
from tests.kit.table_view import CHANNEL, GUILD
from tests.kit.virtual_time import START


class Case(Deployment):
    """A deployment with one button, scripted; a message of the bot's with it stands there already."""

    def __init__(self, *ends: Any, takes: float = 0.0) -> None:
        self.command = Scripted(list(ends) or ["done"], takes)
        super().__init__(commands={("session", "open"): self._list, ("button", "go"): self.command.run})

    async def _list(self, *_: Any) -> dict[str, Any]:
        return with_button(message("the list"), label="Go", custom_id="go:10:x")

    async def pressed(self, **more: Any) -> Asked:
        self.listed = await self.ask()
        return await self.press(self.listed, **more)


def payload(**data: Any) -> dict[str, Any]:
    shown = {"id": "77", **with_button(message("the list"), label="Go", custom_id="go:10:x")}
    made = button(shown, channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START)
    return {**made, "data": {**made["data"], **data}}


def test_a_button_is_parsed_with_name_argument_and_message() -> None:
    found = parse(payload())
    assert found is not None
    assert (found.path, found.name) == (("button", "go"), "button go")
    assert (found.button_argument, found.message_id) == ("10:x", "77")
    assert found.is_button


@pytest.mark.parametrize("custom_id", [None, "", 5, "x" * 101])
def test_a_malformed_custom_id_is_not_a_button(custom_id: Any) -> None:
    found = parse(payload(custom_id=custom_id))
    assert found is not None
    assert (found.path, found.is_button) == ((), False)


def test_a_command_with_a_custom_id_is_not_a_button() -> None:
    found = parse({**payload(), "type": 2})
    assert found is not None
    assert not found.is_button


@pytest.mark.parametrize("data", [{"custom_id": "gone:1"}, {"custom_id": None}])
def test_an_unknown_button_is_answered(data: dict[str, Any]) -> None:
    with Case() as case:
        asked = case.run(case.deliver({**payload(**data), "message": None}))
        assert asked.callback == {"type": 4, "data": texts.unknown_component()}


def test_an_answer_in_time_replaces_the_buttons_message() -> None:
    with Case() as case:

        async def scenario() -> None:
            asked = await case.pressed()
            assert (asked.kind, asked.content, asked.in_time) == (7, "done", True)
            assert "flags" not in asked.callback["data"]
            assert case.shown(asked) == "done"

        case.run(scenario())


def test_a_late_answer_replaces_the_buttons_message_by_the_worker() -> None:
    with Case(takes=3.0) as case:

        async def scenario() -> None:
            asked = await case.pressed()
            assert (asked.callback, asked.in_time) == ({"type": 6}, True)
            assert case.shown(asked) == "the list"
            assert await case.work() == 1
            assert case.shown(asked) == "done"
            edits = [n for (_, route, _), n in case.discord.calls.items() if route.endswith("@original")]
            assert edits == [2]  # first that it is being done, which takes the button away

        case.run(scenario())


@pytest.mark.parametrize("error", [OnethreadError(), RateLimited(900.0)])
def test_an_error_is_a_new_message_and_the_button_stays(error: OnethreadError) -> None:
    with Case(error) as case:
        pressed = case.run(case.pressed())
        assert (pressed.kind, pressed.callback["data"]["flags"]) == (4, 64)


@pytest.mark.parametrize("fault", ["denied", "hang"])
def test_a_failed_hand_over_is_a_new_message(fault: What) -> None:
    with Case(StoreUnavailable()) as case:
        case.queue.faults = [fault]
        assert case.run(case.pressed()).kind == 4


def test_an_internal_error_is_a_new_message() -> None:
    with Case(RuntimeError("inside")) as case:
        assert case.run(case.pressed()).callback == {"type": 4, "data": texts.internal_error()}


def test_the_next_receive_knows_what_was_done_before_a_put_back() -> None:
    with Case(Merging({"merged": 0}), Merging({"merged": 5}), Importing({}), Merging({"merged": 9}), "done") as case:
        said: list[str] = []

        async def scenario() -> None:
            asked = await case.pressed()

            async def note() -> None:
                said.append(case.shown(asked))

            assert await case.work(between=note) == 4

        case.run(scenario())
        assert [run.done_before for run in case.command.runs] == [{}, {}, {"merged": 5}, {"merged": 5}, {"merged": 9}]
        assert [text for text in said if "threads so far" in text] == [said[0], said[2]]
        assert "5 threads so far" in said[0]
        assert said[-1] == "done"


def test_a_put_back_job_keeps_the_button_and_its_progress() -> None:
    interaction = parse(payload())
    assert interaction is not None
    job = Job.of(interaction, START).put_back({"merged": 3}).put_back({})
    assert (job.interaction.button_argument, job.interaction.done_before, job.put_backs) == ("10:x", {"merged": 3}, 2)
