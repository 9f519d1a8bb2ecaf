"""What is registered with Discord and what is answered are the same: commands, their options, and what is completed."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from handler.commands.registry import COMMANDS, COMPLETIONS
from handler.config import WorkerConfig
from handler.discord.interactions import BUTTON, MENU, MODAL, Interaction, parse
from handler.errors import OnethreadError
from handler.runtime import telemetry
from infra.commands import definitions
from infra.interactions import MODERATOR_PERMISSIONS, command
from infra.virtual_time import START
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL, GUILD

CHAT_INPUT, SUBCOMMAND, GROUP = 1, 1, 2
# A value for each type of option: text, whole number, yes or no, user, channel, role.
VALUES: Final[dict[int, Any]] = {3: "a", 4: 1, 5: True, 6: "77", 7: CHANNEL, 8: "88"}

Option = dict[str, Any]


class Given(dict[str, Any]):
    """The options of a command; `read`: those that were asked for, given or not."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)


def slash_commands() -> Iterator[tuple[tuple[str, ...], list[Option]]]:
    """The path of each slash command, and its options."""
    for defined in definitions.COMMANDS:
        if defined["type"] == CHAT_INPUT:
            yield from _below((defined["name"],), defined.get("options", []))


def _below(path: tuple[str, ...], options: list[Option]) -> Iterator[tuple[tuple[str, ...], list[Option]]]:
    inner = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    if not inner:
        yield path, options
    for option in inner:
        yield from _below((*path, option["name"]), option.get("options", []))


DEFINED: Final = dict(slash_commands())


def test_each_command_that_is_defined_is_answered_and_the_reverse() -> None:
    menu = {(MENU, defined["name"]) for defined in definitions.COMMANDS if defined["type"] != CHAT_INPUT}
    assert DEFINED.keys() | menu == {path for path in COMMANDS if path[0] not in (BUTTON, MODAL)}


def test_each_option_that_is_completed_has_a_completion_and_the_reverse() -> None:
    completed = {o["name"] for options in DEFINED.values() for o in options if o.get("autocomplete")}
    assert completed == COMPLETIONS.keys()


def test_an_option_of_one_name_is_completed_everywhere_or_nowhere() -> None:
    for name in COMPLETIONS:
        assert all(o.get("autocomplete") for options in DEFINED.values() for o in options if o["name"] == name)


@pytest.mark.guild(table="memory", imported=True)
@pytest.mark.parametrize("path", DEFINED, ids=" ".join)
async def test_each_option_is_read_and_none_that_is_not_defined(deployment: Deployment, path: tuple[str, ...]) -> None:
    await deployment.ask("a")
    await deployment.work()
    values = {o["name"]: o["choices"][0]["value"] if o.get("choices") else VALUES[o["type"]] for o in DEFINED[path]}
    read: set[str] = set()
    for names in (values.keys(), *([name] for name in values)):  # all at once, and each alone: some exclude others
        given = Given({name: values[name] for name in names})
        with telemetry.log_request(function="test"), contextlib.suppress(OnethreadError):
            await COMMANDS[path](deployment.environment(WorkerConfig).sessions, interaction(path, given))
        read |= given.read
    assert read == values.keys()


def interaction(path: tuple[str, ...], given: Given) -> Interaction:
    payload = command(
        "session open",
        {},
        channel_id=CHANNEL,
        guild_id=GUILD,
        user_id="77",
        member_permissions=MODERATOR_PERMISSIONS,
        now=START,
    )
    parsed = parse(payload)
    assert parsed is not None
    return msgspec.structs.replace(parsed, path=path, options=given)
