"""Registration with the simulated Discord."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.deployment.discord_api import DiscordApi
from infra.deployment.errors import OperatorError
from infra.deployment.program import Outside
from infra.register import main, register
from infra.simulator.exchange import Outcome, Request, json_response
from infra.simulator.transport import SimulatedTransport
from tests.infra.deployment.operated import Operated
from tests.infra.simulator.client import APPLICATION, GUILD, NOON, Bot, small_world
from tests.kit import openapi
from tests.kit.secrets import BOT_TOKEN

FAULTY = {"type": 1, "name": "Session", "description": "x"}
UNREGISTER = "Remove them: python -m infra.register --unregister\n"
ENVIRON = {
    "DISCORD_BOT_TOKEN": BOT_TOKEN,
    "DISCORD_API_URL": "https://discord.test/api/v10",
}


class Wire:
    """A simulated Discord with one guild, and the requests that it received."""

    def __init__(self) -> None:
        self.world = small_world()
        self.bot = Bot(self.world)
        self.sent: list[Request] = []

    def run(self, *arguments: str, **environ: str) -> int:
        transport = SimulatedTransport(self.world, lambda: NOON, observe=self.observe)
        return main(arguments, Outside({**ENVIRON, **environ}, transport=transport))

    def observe(self, request: Request, outcome: Outcome) -> None:
        self.sent.append(request)

    def methods(self) -> list[str]:
        return [request.method for request in self.sent]

    def registered(self, guild: str | None = None) -> list[dict[str, Any]]:
        return list(self.bot.get(f"/applications/{APPLICATION}/{f'guilds/{guild}/' if guild else ''}commands"))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(autouse=True)
def read_output(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that reads what was printed. The token must never be in it."""
    texts: list[str] = []

    def read() -> str:
        captured = capsys.readouterr()
        texts.append(captured.out + captured.err)
        return texts[-1]

    yield read
    read()
    assert BOT_TOKEN not in "".join(texts)


def test_the_first_registration_sends_every_command_and_a_second_finds_nothing_to_do(
    wire: Wire, read_output: Any
) -> None:
    assert wire.run() == 0
    assert (
        "Registered (everywhere): /session, /session-admin, Open session here, Answer with this message."
        in read_output()
    )
    assert [command["name"] for command in wire.registered()] == [
        "session",
        "session-admin",
        "Open session here",
        "Answer with this message",
    ]
    assert wire.run() == 0
    assert (
        read_output()
        == "Up to date (everywhere): /session, /session-admin, Open session here, Answer with this message.\n"
    )
    assert wire.methods().count("PUT") == 1


def test_a_guilds_commands_go_to_that_guild_only_and_are_recognised_again(wire: Wire, read_output: Any) -> None:
    assert wire.run("--guild", GUILD) == 0
    assert wire.registered() == []
    assert [command["name"] for command in wire.registered(GUILD)] == [
        "session",
        "session-admin",
        "Open session here",
        "Answer with this message",
    ]
    assert wire.run("--guild", GUILD) == 0
    assert f"Up to date (guild {GUILD})" in read_output()


def test_a_dry_run_shows_each_difference_and_changes_nothing(wire: Wire, read_output: Any) -> None:
    foreign = [{"name": "somebody-elses", "type": 1, "description": "Was here before"}]
    assert wire.bot.send("PUT", f"/applications/{APPLICATION}/commands", foreign).status == 200
    assert wire.run("--dry-run") == 0
    shown = read_output()
    assert '-    "name": "somebody-elses",' in shown
    assert '+    "name": "session",' in shown
    assert "Dry run (everywhere): nothing was changed." in shown
    assert set(wire.methods()) == {"GET"}
    assert [command["name"] for command in wire.registered()] == ["somebody-elses"]


def test_commands_that_a_guild_would_show_twice_are_told_whichever_way_they_were_registered_first(
    wire: Wire, read_output: Any
) -> None:
    assert wire.run("--guild", GUILD) == 0
    assert "Twice" not in read_output()
    assert wire.run("--dry-run") == 0
    assert (
        f"Twice: /session, /session-admin, Open session here, Answer with this message are registered in guild {GUILD} too"
        in read_output()
    )
    assert wire.run() == 0
    assert f"python -m infra.register --unregister --guild {GUILD}\n" in read_output()
    assert wire.run("--guild", GUILD) == 0
    assert read_output().endswith("are registered everywhere too, and shown twice there. " + UNREGISTER)


def test_another_command_in_the_guild_is_no_twin(wire: Wire, read_output: Any) -> None:
    foreign = [{"name": "somebody-elses", "type": 1, "description": "Was here before"}]
    assert wire.bot.send("PUT", f"/applications/{APPLICATION}/guilds/{GUILD}/commands", foreign).status == 200
    assert wire.run() == 0
    assert "Twice" not in read_output()


@pytest.mark.parametrize("scope", [[], ["--guild", GUILD]])
def test_commands_are_removed_from_one_scope(wire: Wire, scope: list[str], read_output: Any) -> None:
    wire.run()
    wire.run("--guild", GUILD)
    read_output()
    assert wire.run("--unregister", "--dry-run", *scope) == 0
    assert "nothing was changed" in read_output()
    assert [bool(wire.registered()), bool(wire.registered(GUILD))] == [True, True]
    assert wire.run("--unregister", *scope) == 0
    assert "Removed (" in read_output()
    assert [bool(wire.registered()), bool(wire.registered(GUILD))] == [bool(scope), not scope]
    assert wire.run("--unregister", *scope) == 0
    assert "Up to date" in read_output()


def test_a_look_for_twins_that_fails_does_not_hide_that_the_commands_were_registered(
    wire: Wire, read_output: Any
) -> None:
    wire.world.faults.inject("GET", "/users/@me/guilds", json_response(503, {}))
    assert wire.run() == 0
    shown = read_output()
    assert "Registered (everywhere)" in shown
    assert "It could not be seen whether they are registered in a guild too: Discord has a problem" in shown


def test_a_changed_description_is_the_only_line_that_differs() -> None:
    changed = json.loads(json.dumps(COMMANDS))
    changed[0]["options"][0]["description"] = "Something else"
    lines = difference(COMMANDS, changed).splitlines()[2:]
    assert [line.strip() for line in lines if line[0] in "+-"] == [
        '-        "description": "Find, reopen or create the one thread of a session in this channel",',
        '+        "description": "Something else",',
    ]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>Please log in to this network</html>", "the answer is not Discord's"),
        (200, b'{"commands": []}', "the answer is not Discord's"),
        (401, b'{"message": "401: Unauthorized", "code": 0}', "does not accept this bot token"),
        (403, b'{"message": "Missing Access", "code": 50001}', "does not allow it (Missing Access)"),
        (404, b'{"message": "Unknown Application", "code": 10002}', "does not know this application or guild"),
        (429, b'{"message": "You are being rate limited.", "retry_after": 12.5, "global": false}', "in 12.5 seconds"),
        (
            400,
            b'{"message": "Invalid Form Body", "code": 50035, "errors": {"0": {}}}',
            "Discord refused it (status 400)",
        ),
        (502, b"<html>Bad gateway</html>", "has a problem (status 502)"),
        (403, b"<html>Blocked</html>", "no reason given"),
        (429, b'"slow down"', "try again in a while"),
    ],
)
def test_a_refusal_is_explained_and_the_command_fails(status: int, body: bytes, message: str, read_output: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked_who = request.url.path.endswith("/applications/@me")
        return httpx.Response(200, json={"id": APPLICATION}) if asked_who else httpx.Response(status, content=body)

    assert main([], Outside(ENVIRON, transport=httpx.MockTransport(answer))) == 1
    text = read_output()
    assert text.startswith("Stopped: ")
    assert message in text


def test_an_unreachable_discord_is_reported_without_its_address(read_output: Any) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    assert main([], Outside(ENVIRON, transport=httpx.MockTransport(refuse))) == 1
    assert read_output() == "Stopped: Discord could not be reached (ConnectError). Check the network and try again.\n"


def test_a_wrong_token_is_refused_by_discord_and_not_shown(wire: Wire, read_output: Any) -> None:
    assert wire.run(DISCORD_BOT_TOKEN=f"{BOT_TOKEN}-of-yesterday") == 1
    assert "does not accept this bot token" in read_output()


def test_an_invalid_token_is_named_before_anything_is_sent(wire: Wire, read_output: Any) -> None:
    assert wire.run(DISCORD_BOT_TOKEN=f"Bot {BOT_TOKEN}") == 1
    assert "the bot's token is not valid" in read_output()
    assert wire.sent == []


def test_the_token_is_the_deployments(operated: Operated) -> None:
    assert operated.run(main, "--unregister") == 0
    assert not operated.registered()
    assert operated.run(main) == 0
    assert "Registered (everywhere)" in operated.out
    assert operated.registered()
    operated.account.parameters.clear()
    assert operated.run(main) == 1
    assert "make setup" in operated.err


def test_the_definitions_fit_discords_openapi_description() -> None:
    for guild in (None, GUILD):
        for command in for_scope(COMMANDS, guild):
            openapi.validate({"$ref": "#/components/schemas/ApplicationCommandUpdateRequest"}, command)


def test_definitions_with_faults_never_reach_discord() -> None:
    api = DiscordApi(BOT_TOKEN, transport=httpx.MockTransport(lambda request: pytest.fail("was sent")))
    with pytest.raises(OperatorError, match="a name is 1 to 32 lower-case letters"):
        asyncio.run(register(api, APPLICATION, None, [FAULTY], dry_run=False))


@pytest.mark.parametrize("guild", ["my server", "abc", "0", "-5", "1" * 21])
def test_a_guild_that_is_no_id_is_refused_in_one_line(
    wire: Wire, guild: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        wire.run(f"--guild={guild}")
    said = capsys.readouterr().err
    assert said.startswith(f"python -m infra.register: argument --guild: '{guild}' is no id of Discord's")
    assert said.count("\n") == 1
    assert wire.sent == []


@pytest.mark.parametrize("url", ["discord.test", "http://[", "http://a b/"])
def test_an_address_that_is_none_is_reported(url: str, read_output: Any) -> None:
    assert main([], Outside({**ENVIRON, "DISCORD_API_URL": url})) == 1
    assert read_output().count("\n") == 1
