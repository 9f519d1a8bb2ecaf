"""The definitions fit Discord's limits, and each limit is checked."""

from typing import Any

import pytest

from infra.commands.definitions import COMMANDS
from infra.commands.limits import command_length, find_faults

STRING = 3
BOOLEAN = 5
USER = 6
SUBCOMMAND = 1


def command(**changes: Any) -> dict[str, Any]:
    return {"type": 1, "name": "session", "description": "One thread", **changes}


def option(name: str = "name", **changes: Any) -> dict[str, Any]:
    return {"type": STRING, "name": name, "description": "A name", **changes}


def choice(name: str, value: str | None = None) -> dict[str, Any]:
    return {"name": name, "value": name if value is None else value}


def test_the_definitions_have_no_fault() -> None:
    assert find_faults(COMMANDS) == []


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        (command(name="Session"), "/Session: a name is 1 to 32 lower-case letters"),
        (command(name="s" * 33), "a name is 1 to 32"),
        (command(name="open it"), "a name is 1 to 32"),
        (command(description=""), "/session: a description has 1 to 100 characters, not 0"),
        (command(description="x" * 101), "not 101"),
        (command(options=[option(f"o{n}") for n in range(26)]), "/session: 26 options are more than 25"),
        (command(options=[option("a"), option("a")]), "two options have one name"),
        (command(options=[option("a"), option("b", required=True)]), "required options come first"),
        (command(options=[option("a"), option("b", type=SUBCOMMAND)]), "subcommands cannot stand beside"),
        (command(options=[option("a", min_length=5, max_length=4)]), "/session a: a text's length"),
        (command(options=[option("a", max_length=6001)]), "/session a: a text's length"),
        (command(options=[option("a", choices=[choice("x")], autocomplete=True)]), "/session a: an option has choices"),
        (command(options=[option("a", type=USER, autocomplete=True)]), "values of type 6 are not chosen from a list"),
        (command(options=[option("a", type=BOOLEAN, choices=[choice("x")])]), "values of type 5 are not chosen"),
        (command(options=[option("a", type=USER, max_length=5)]), "/session a: only texts have a length"),
        (command(options=[option("a", choices=[choice(str(n)) for n in range(26)])]), "26 choices are more than 25"),
        (command(options=[option("a", choices=[choice("x"), choice("y", "x")])]), "two choices have one value"),
        (command(options=[option("a", choices=[choice("x", "y"), choice("x")])]), "two choices have one name"),
        (command(options=[option("a", choices=[choice("")])]), "a choice's name has 1 to 100 characters"),
        (command(options=[option("a", choices=[choice("x", "y" * 101)])]), "a choice's value has 1 to 100 characters"),
        (command(options=[option("a", type=12)]), "/session a: options of type 12 are not known"),
    ],
)
def test_each_fault_is_named_with_its_path(definition: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(find_faults([definition]))


def test_a_command_of_more_than_8000_characters_is_a_fault_even_if_each_part_is_short() -> None:
    groups = [
        option(f"g{n}", type=2, options=[option(f"s{m}", description="x" * 100) for m in range(25)]) for n in range(4)
    ]
    assert command_length(command(options=groups)) > 8000
    assert find_faults([command(options=groups)]) == [
        f"/session has {command_length(command(options=groups))} characters, more than 8000"
    ]


def test_a_repeated_name_and_too_many_commands_are_faults() -> None:
    assert find_faults([command(), command()]) == ["/session is defined twice"]
    assert find_faults([command(name=f"c{n}") for n in range(101)]) == ["101 commands of type 1 are more than 100"]


def test_a_command_in_a_menu_has_a_name_with_spaces_and_nothing_else() -> None:
    menu = {"type": 3, "name": "Open session here"}
    assert find_faults([menu, command(name="open")]) == []
    assert find_faults([menu, menu]) == ["Open session here is defined twice"]
    described = "Open session here: a command in a menu has neither a description nor options"
    assert find_faults([{**menu, "description": "x"}]) == [described]
    assert find_faults([{**menu, "options": [option()]}]) == [described]
    assert find_faults([{**menu, "name": "x" * 33}])[0].endswith("a name in a menu has 1 to 32 characters")
    assert find_faults([{**menu, "name": f"c{n}"} for n in range(16)]) == ["16 commands of type 3 are more than 15"]
    assert find_faults([{**menu, "type": 2}]) == ["Open session here: commands of type 2 are not known"]
