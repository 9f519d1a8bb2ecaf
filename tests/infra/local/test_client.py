"""Commands from another terminal: what they send in whose name, and to which of the running stacks."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.interactions import DEVELOPMENT_APPLICATION_ID, DEVELOPMENT_CHANNEL_ID, DEVELOPMENT_GUILD_ID
from infra.local import client
from infra.local.address_file import publish_addresses, running_stacks
from infra.local.http_client import send
from infra.local.people import GUEST, MONA, VERA
from infra.local.stack import BOT_TOKEN, Stack
from infra.local.typed_command import read_command
from infra.loopback import Loopback, Request, Response, json_response
from infra.simulator.permissions import permission_bits
from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord

ANSWER = '{"type": 4, "data": {"content": "said the bot", "flags": 64}}'


class StandIn:
    """A simulated Discord, and an endpoint that notes what it gets and always answers the same."""

    def __init__(self, closing: ExitStack) -> None:
        world = SimulatedDiscord(application_id=DEVELOPMENT_APPLICATION_ID, bot_token=BOT_TOKEN)
        world.add_guild(DEVELOPMENT_GUILD_ID)
        world.add_channel(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID)
        self.discord = closing.enter_context(DiscordServer(world))
        self.gateway = Loopback(self._answer)
        closing.callback(self.gateway.close)
        self.received: list[dict[str, Any]] = []
        self.answer = ANSWER
        self.answers: list[str] = []  # before that one
        addresses = SimpleNamespace(
            gateway=self.gateway, discord=self.discord, invocations=self.gateway, aws_url="http://127.0.0.1:9"
        )
        closing.enter_context(publish_addresses(cast("Stack", addresses)))

    @property
    def port(self) -> str:
        return self.gateway.url.rpartition(":")[2]

    def make_thread(self, name: str) -> str:
        people = self.discord.discord.people
        return people.create_thread(DEVELOPMENT_CHANNEL_ID, name, now=self.discord.now())

    def _answer(self, request: Request) -> Response:
        if request.target != "/interactions":
            return json_response(404, "")
        self.received.append(json.loads(request.body))
        return json_response(200, self.answers.pop(0) if self.answers else self.answer)


@pytest.fixture
def closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def stand_in(closing: ExitStack) -> StandIn:
    return StandIn(closing)


def test_a_command_in_a_thread_names_the_threads_type_and_parent(stand_in: StandIn) -> None:
    thread = stand_in.make_thread("Session 7")
    assert client.main(["open", "7", "--channel", thread]) == 0
    assert client.main(["use", "session-admin", "duplicates", "--channel", thread]) == 0
    channels = [sent["channel"] for sent in stand_in.received]
    assert [(sent["id"], sent["type"], sent["parent_id"]) for sent in channels] == [
        (thread, 11, DEVELOPMENT_CHANNEL_ID)
    ] * 2


@pytest.mark.shows_made_up_secrets
def test_the_curl_command_names_the_threads_type_and_parent_too(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = stand_in.make_thread("Session 7")
    assert client.main(["curl", "7", "--channel", thread, "--user", "guest"]) == 0
    command = capsys.readouterr().out
    assert f'"parent_id":"{DEVELOPMENT_CHANNEL_ID}"' in command
    assert f'"permissions":"{GUEST.permissions}"' in command


def test_a_channel_that_discord_does_not_know_is_refused_before_anything_is_sent(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main(["open", "7", "--channel", "77"]) == 1
    assert capsys.readouterr().err == "The simulated Discord has no channel or thread 77.\n"
    assert stand_in.received == []


def test_a_command_is_used_by_whoever_is_named_with_this_persons_rights(stand_in: StandIn) -> None:
    for arguments in (["--user", "guest"], ["--moderator"], ["--user", "77", "--without", "CREATE_PUBLIC_THREADS"]):
        assert client.main(["open", "7", *arguments]) == 0
    members = [(sent["member"]["user"]["id"], int(sent["member"]["permissions"])) for sent in stand_in.received]
    assert members[:2] == [(GUEST.id, GUEST.permissions), (VERA.id, VERA.permissions)]
    assert members[2][0] == "77"
    assert not members[2][1] & permission_bits(["CREATE_PUBLIC_THREADS"])


def test_ids_in_the_table_of_threads_are_whole_on_a_narrow_terminal(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    thread = stand_in.make_thread("Session of a long name that does not fit beside the rest of its row")
    assert client.main(["threads"]) == 0
    shown = capsys.readouterr().out
    assert thread in shown
    assert "…" not in shown


def test_a_second_stack_leaves_the_first_one_reachable(closing: ExitStack, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = StandIn(closing), StandIn(closing)
    with pytest.raises(SystemExit, match="2"):
        client.main(["open", "7"])
    said = capsys.readouterr().err
    assert f"--stack {first.port}" in said
    assert f"--stack {second.port}" in said
    assert client.main(["--stack", first.port, "open", "7"]) == 0
    assert (len(first.received), len(second.received)) == (1, 0)


def test_when_one_of_two_stacks_has_ended_the_other_is_used(closing: ExitStack) -> None:
    remaining = StandIn(closing)
    with ExitStack() as ended:
        StandIn(ended)
    assert client.main(["open", "7"]) == 0
    assert len(remaining.received) == 1


def test_a_stack_that_was_killed_is_forgotten(closing: ExitStack, tmp_path: Path) -> None:
    killed = StandIn(closing)
    killed.gateway.close()
    assert running_stacks() == {}
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["lock", "123"], 1, "no thread 123"),
        (["delete", "abc"], 1, "no thread abc"),
        (["make", ""], 1, "name"),
        (["make", "x" * 101], 1, "name"),
        (["make", "Session 7", "--channel", "123"], 1, "123"),
        (["open", "7", "--user", "nobody"], 2, "nobody is called nobody: you, mona, omar, vera, guest, or an id"),
        (["open", "7", "--without", "FLY"], 2, "invalid choice: 'FLY'"),
        (["--stack", "1", "threads"], 1, "No such local stack is running"),
        (["--stack", "here", "threads"], 2, "argument --stack"),
        (["fly"], 2, "invalid choice: 'fly'"),
        ([], 2, "WHAT"),
        (["ensure", "7"], 1, "HTTP 404"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    stand_in: StandIn, arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        ended: object = client.main(arguments)
    except SystemExit as refused:
        ended = refused.code
    shown = capsys.readouterr()
    assert (ended, shown.out) == (status, "")
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_another_program_at_the_stacks_address_is_told_in_one_line(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.answer = "<html>it works</html>"
    assert client.main(["open", "7"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("The local stack does not answer: ")
    assert shown.count("\n") == 1


FORM = json.dumps(
    {
        "type": 9,
        "data": {
            "title": "Open session here",
            "custom_id": "open-here:1",
            "components": [
                {"type": 18, "label": "Session name", "component": {"type": 4, "custom_id": "name", "value": "words"}},
                {"type": 18, "label": "Topic", "component": {"type": 4, "custom_id": "topic"}},
            ],
        },
    }
)
LIST = json.dumps(
    {
        "type": 4,
        "data": {
            "flags": 64 | 1 << 15,
            "components": [
                {"type": 10, "content": "the list"},
                {
                    "type": 1,
                    "components": [
                        {
                            "type": 3,
                            "custom_id": "keep:1",
                            "options": [{"label": "Keep 1: x", "value": "a"}, {"label": "Keep 2: y", "value": "b"}],
                        }
                    ],
                },
                {"type": 1, "components": [{"type": 2, "style": 2, "label": "Close", "custom_id": "close:1"}]},
            ],
        },
    }
)
CHANGED = json.dumps({"type": 7, "data": {"flags": 1 << 15, "components": [{"type": 10, "content": "changed"}]}})


def test_a_command_in_a_menu_opens_a_form_which_is_filled_in_and_sent(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main(["say", "The login fails"]) == 0
    message = capsys.readouterr().out.strip()
    stand_in.answers = [FORM, FORM, ANSWER]
    menu = ["use", "Open session here", "--message", message]
    assert client.main(menu) == 0
    assert "Session name: words" in capsys.readouterr().out
    assert client.main([*menu, "--fill", "name=1a06a43"]) == 0
    assert "said the bot" in capsys.readouterr().out
    assert stand_in.received[0]["data"]["resolved"]["messages"][message]["content"] == "The login fails"
    rows = stand_in.received[2]["data"]["components"]
    assert [(row["component"]["custom_id"], row["component"]["value"]) for row in rows] == [
        ("name", "1a06a43"),
        ("topic", ""),
    ]


def test_options_are_chosen_and_buttons_pressed_in_the_order_in_which_they_are_named(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.answers = [LIST, LIST.replace("the list", "again"), CHANGED]
    stand_in.answers[1] = stand_in.answers[1].replace('"type": 4', '"type": 7', 1)
    arguments = ["use", "session-admin", "duplicates", "--choose", "Keep 2", "--press", "Close"]
    assert client.main(arguments) == 0
    shown = capsys.readouterr().out
    assert "[ Close ]" in shown
    assert "▾ Keep 2: y" in shown
    assert "changed" in shown
    command, chosen, pressed = stand_in.received
    assert command["member"]["user"]["id"] == VERA.id
    assert (chosen["data"]["values"], pressed["data"]["custom_id"]) == (["b"], "close:1")
    stand_in.answers = [LIST]
    assert client.main([*arguments[:3], "--press", "Open"]) == 1
    assert capsys.readouterr().err == "In that answer there is no button 'Open'.\n"


def test_what_is_offered_for_an_option_is_listed(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.answers = ['{"type": 8, "data": {"choices": [{"name": "1a06a43", "value": "1a06a43"}]}}']
    assert client.main(["use", "session", "open", "name=1a", "--complete"]) == 0
    assert capsys.readouterr().out == "1a06a43\n"
    (typed,) = stand_in.received[0]["data"]["options"][0]["options"]
    assert (typed["value"], typed["focused"]) == ("1a", True)


def test_commands_are_read_by_their_definitions() -> None:
    assert read_command(["session", "keep", "on=yes", "name=a=b"]) == ("session keep", {"on": True, "name": "a=b"})
    assert read_command(["session", "add", "user=mona"])[1] == {"user": MONA.id}
    for words, fault in (
        (["session", "fly"], "no command is called 'session fly'"),
        (["session", "keep", "off=yes"], "'session keep' has no option 'off'"),
        (["session", "keep", "on=perhaps"], "on is true or false, not 'perhaps'"),
    ):
        with pytest.raises(ValueError, match=fault):
            read_command(words)


def test_a_mistyped_command_and_a_message_that_is_not_there_are_refused_before_anything_is_sent(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main(["use", "session", "fly"]) == 1
    assert "no command is called 'session fly'" in capsys.readouterr().err
    assert client.main(["use", "Open session here", "--message", "77"]) == 1
    assert "Say which message" in capsys.readouterr().err
    assert stand_in.received == []


CARD = {
    "content": "Ship it?",
    "components": [
        {"type": 1, "components": [{"type": 2, "style": 2, "label": "Yes", "custom_id": "answer:1-a:0"}]},
        {"type": 1, "components": [{"type": 2, "style": 2, "label": "Other…", "custom_id": "answer:1-a:write"}]},
    ],
}


def post_card(stand_in: StandIn) -> tuple[str, str]:
    """A question in a thread, as the bot posts it: the ids of thread and message."""
    thread = stand_in.make_thread("Session 7")
    headers = {
        "authorization": f"Bot {BOT_TOKEN}",
        "content-type": "application/json",
        "user-agent": "DiscordBot (x, 1)",
    }
    body = json.dumps(CARD).encode()
    status, answered = send("POST", f"{stand_in.discord.api_url}/channels/{thread}/messages", body, headers)
    assert status == 200, answered
    return thread, json.loads(answered)["id"]


def test_a_question_is_answered_by_the_newest_button_of_that_label(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    post_card(stand_in)
    thread, message = post_card(stand_in)
    stand_in.answers = [CHANGED.replace("changed", f"by <@{MONA.id}>")]
    assert client.main(["press", "Yes", "--user", "mona"]) == 0
    assert "by @mona" in capsys.readouterr().out
    (pressed,) = stand_in.received
    assert (pressed["data"]["custom_id"], pressed["message"]["id"], pressed["channel_id"]) == (
        "answer:1-a:0",
        message,
        thread,
    )
    assert pressed["member"]["user"]["id"] == MONA.id


def test_a_buttons_form_is_filled_in_and_sent_with_its_message(stand_in: StandIn) -> None:
    _, message = post_card(stand_in)
    stand_in.answers = [FORM, CHANGED]
    assert client.main(["press", "Other…", "--fill", "name=later"]) == 0
    form = stand_in.received[1]
    assert form["message"]["id"] == message
    assert form["data"]["components"][0]["component"]["value"] == "later"


def test_a_person_replies_to_the_newest_question(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    thread, message = post_card(stand_in)
    assert client.main(["reply", "a flaky test", "--user", "mona"]) == 0
    reply = stand_in.discord.discord.messages[capsys.readouterr().out.strip()]
    assert (reply.channel_id, reply.replies_to, reply.author_id) == (thread, message, MONA.id)


def test_a_button_that_nobody_shows_cannot_be_pressed(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    _, message = post_card(stand_in)
    for arguments in (["press", "No"], ["press", "No", "--message", message], ["reply", "…", "--message", "77"]):
        assert client.main(arguments) == 1
        assert "There is no such message" in capsys.readouterr().err
    assert stand_in.received == []


def test_a_programs_variables_lead_it_to_the_stack(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.main(["env"]) == 0
    variables = dict(line.removeprefix("export ").split("=") for line in capsys.readouterr().out.splitlines())
    assert variables["AWS_ENDPOINT_URL_LAMBDA"] == stand_in.gateway.url
    assert variables["AWS_ENDPOINT_URL_SFN"] == "http://127.0.0.1:9"
    assert variables["ONETHREAD_CHANNEL"] == DEVELOPMENT_CHANNEL_ID
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "ONETHREAD_FUNCTION"} <= set(variables)
    assert variables["ONETHREAD_FUNCTION"].startswith("arn:aws:lambda:")  # as the stack's output has it
