"""A deployment that is set up, and the programs with which its operator looks after it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from handler import config
from handler.bootstrap import Environment
from handler.config import ApiConfig
from handler.sessions.model import Opened, OpenRequest, Requester
from infra import reimport, virtual_time
from infra.commands.definitions import COMMANDS
from infra.deployment import deployed
from infra.deployment.program import Outside
from infra.setup import __main__ as setup
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import START, LoopClock, VirtualLoop
from tests.infra.deployment.account import ENDPOINT, Account
from tests.infra.simulator.client import ALICE, BOT, GUILD, NEWS, NOON, OWNER, TEXT, Bot
from tests.kit.secrets import BOT_TOKEN
from tests.kit.table_view import NAMES

T = TypeVar("T")

APPLICATION: Final = "110000000000000000"
TOKEN_PARAMETER: Final = "/onethread/onethread/discord-bot-token"
NO_PARTS: Final[Mapping[str, Any]] = {}
Main = Callable[..., int]


async def no_sleep(_: float) -> None:
    """Time passes at once."""


class Operator:
    """A person with an empty account, and a Discord with a server of two channels. `out`, `err`: what was printed last."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, **application: Any
    ) -> None:
        self.account = Account()
        self.resources = self.account.resources
        self.discord = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN, bot_user_id=BOT, **application)
        self.discord.add_guild(GUILD, owner_id=OWNER)
        self.discord.add_channel(GUILD, TEXT, name="builds")
        self.discord.add_channel(GUILD, NEWS, 5, name="news")
        self.bot = Bot(self.discord)
        self._capsys = capsys
        monkeypatch.setattr(deployed, "ROOT", folder)
        self.saved = folder / "samconfig.toml"
        self.out = self.err = ""

    def register(self, commands: Sequence[Any], guild: str | None = None) -> None:
        scope = f"/guilds/{guild}" if guild else ""
        self.bot.send("PUT", f"/applications/{APPLICATION}{scope}/commands", list(commands))

    def registered(self, guild: str | None = None) -> list[Any]:
        scope = f"/guilds/{guild}" if guild else ""
        found: list[Any] = self.bot.get(f"/applications/{APPLICATION}{scope}/commands")
        return found

    def application(self) -> dict[str, Any]:
        found: dict[str, Any] = self.bot.get("/applications/@me")
        return found

    def put(self, pk: str, sk: str, **attributes: Any) -> None:
        """Write an item of the table."""
        self.resources.memory.apply(
            "put_item", {"TableName": self.resources.memory.name, "Item": {"pk": pk, "sk": sk, **attributes}}
        )

    def items(self) -> list[dict[str, Any]]:
        return [dict(item) for item in self.resources.memory.items()]

    def run(self, main: Main, *arguments: str, parts: Mapping[str, Any] = NO_PARTS, **outside: Any) -> int:
        """Run a program at noon; its exit status. `outside`: of `Outside`; `parts`: what else it takes. No secret is printed."""
        session, transport = self.account.session(), self.account.transport(self.discord)
        given = {"environ": {}, "session": session, "transport": transport, "sleep": no_sleep, "now": at_noon}
        status = main(arguments, Outside(**{**given, **outside}), **parts)
        captured = self._capsys.readouterr()
        self.out, self.err = captured.out, captured.err
        assert BOT_TOKEN not in self.out + self.err + str(self.account.sam)
        assert not self.saved.exists() or BOT_TOKEN not in self.saved.read_text()
        return status

    def set_up(self, *arguments: str, token: str = BOT_TOKEN, **outside: Any) -> int:
        """Run the setup; its exit status."""
        given = {"environ": {"DISCORD_BOT_TOKEN": token}, **outside}
        return self.run(setup.main, *arguments, parts={"runs": self.account.run_sam}, **given)


class Operated(Operator):
    """The same with the stack `onethread`, as the setup leaves it."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        given = {
            "DiscordApplicationId": APPLICATION,
            "DiscordPublicKey": "0" * 64,
            "DiscordBotTokenParameter": TOKEN_PARAMETER,
        }
        overrides = [f'{name}="{value}"' for name, value in given.items()]
        self.account.run_sam(["sam", "deploy", "--stack-name", "onethread", "--parameter-overrides", *overrides], {})
        self.account.parameters[TOKEN_PARAMETER] = {"Type": "SecureString", "Value": BOT_TOKEN, "Key": ""}
        self.bot.send("PATCH", "/applications/@me", {"interactions_endpoint_url": ENDPOINT})
        self.register(COMMANDS)


def at_noon() -> Any:
    return NOON


def use(operated: Operated, act: Callable[[Environment[ApiConfig]], Awaitable[T]], *, at: datetime = START) -> T:
    """What a function does then, with the variables and the table of the deployment."""

    async def run() -> T:
        settings = config.load(ApiConfig, operated.resources.variables)
        clock = LoopClock(at)
        transport = SimulatedTransport(operated.discord, clock.now)
        environment = Environment(settings, aws=operated.account.session(), transport=transport, clock=clock)
        return await act(environment)

    return virtual_time.run(run())


def open_all(operated: Operated, *names: str, channel: str = TEXT, at: datetime = START) -> dict[str, str]:
    """Sessions are opened; the ids of their threads."""

    async def act(environment: Environment[ApiConfig]) -> dict[str, str]:
        found: dict[str, Opened] = {}
        for name in names:
            request = OpenRequest(
                name=NAMES.parse(name),
                parent_channel_id=channel,
                requester=Requester(owner=f"{name} {at}", user_id=ALICE),
            )
            found[name] = await environment.sessions.open(request)
        return {name: opened.thread_id for name, opened in found.items()}

    return use(operated, act, at=at)


def import_again(operated: Operated, *arguments: str, at: datetime, **parts: Any) -> int:
    clock = LoopClock(at)
    transport = SimulatedTransport(operated.discord, clock.now)
    given = {"clock": clock, "loop_factory": VirtualLoop, **parts}
    return operated.run(reimport.main, *arguments, parts=given, transport=transport)
