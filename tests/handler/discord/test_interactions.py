"""Parsing interactions, complete and malformed ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.discord.interactions import parse
from handler.runtime.secrets import Secret
from infra.interactions import interaction
from infra.virtual_time import START
from tests.kit.secrets import INTERACTION_TOKEN


def payload(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"channel_id": "10", "guild_id": "1", "user_id": "100", "token": INTERACTION_TOKEN, **more}
    return interaction("1a06a43", topic="why", now=START, **given)


def parse_changed(path: str, value: Any) -> Any:
    """A complete payload with one field changed, parsed."""
    made = payload()
    *way, last = path.split(".")
    level: Any = made
    for step in way:
        level = level[int(step) if step.isdigit() else step]
    level[last] = value
    return parse(made)


def test_all_fields_of_an_interaction_are_parsed() -> None:
    found = parse(
        payload(channel_id="11", channel_type=11, parent_id="10", app_permissions=1 << 38, member_permissions=8)
    )
    assert found is not None
    assert (found.path, found.options) == (("session", "open"), {"name": "1a06a43", "topic": "why"})
    assert (found.guild_id, found.channel_id, found.channel_type, found.parent_id) == ("1", "11", 11, "10")
    assert (found.user_id, found.user_permissions, found.app_permissions) == ("100", 8, 1 << 38)
    assert found.token == Secret(INTERACTION_TOKEN)
    assert found.name == "/session open"


def test_the_repr_of_an_interaction_hides_its_token() -> None:
    assert INTERACTION_TOKEN not in repr(parse(payload()))


@pytest.mark.parametrize(
    ("field", "value"), [("id", None), ("id", 5), ("id", "x"), ("token", None), ("token", ""), ("type", "2")]
)
def test_an_interaction_without_id_token_or_type_is_none(field: str, value: Any) -> None:
    assert parse_changed(field, value) is None


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("guild_id", 1, "guild_id"),
        ("guild_id", "1/../2", "guild_id"),
        ("channel.type", "0", "channel_type"),
        ("channel.type", True, "channel_type"),
        ("channel.parent_id", 5, "parent_id"),
        ("member", None, "user_id"),
        ("member.user", [], "user_id"),
        ("member.permissions", 8, "user_permissions"),
        ("member.permissions", "-8", "user_permissions"),
        ("app_permissions", "9" * 5000, "app_permissions"),
        ("app_permissions", "99999999999999999999", "app_permissions"),
        ("app_permissions", "٣", "app_permissions"),
    ],
)
def test_a_mistyped_field_counts_as_absent(path: str, value: Any, field: str) -> None:
    assert getattr(parse_changed(path, value), field) is None


def test_without_a_channel_object_the_channel_id_is_still_read() -> None:
    found = parse_changed("channel", None)
    assert (found.channel_id, found.channel_type) == ("10", None)


@pytest.mark.parametrize("value", [None, [], {}, {"a": 1}, 2**63, -(2**63) - 1])
def test_an_option_with_a_mistyped_value_counts_as_absent(value: Any) -> None:
    assert "name" not in parse_changed("data.options.0.options.0.value", value).options


def test_a_path_has_at_most_a_command_a_group_and_a_subcommand() -> None:
    leaf = {"name": "leaf", "type": 1, "options": [{"name": "x", "type": 3, "value": "1"}]}
    group = {"name": "group", "type": 2, "options": [leaf]}
    found = parse_changed("data", {"name": "command", "type": 1, "options": [group]})
    assert (found.path, found.options) == (("command", "group", "leaf"), {"x": "1"})
    too_deep = {"name": "command", "type": 1, "options": [{"name": "more", "type": 2, "options": [group]}]}
    assert parse_changed("data", too_deep).path == ("command", "more", "group")


@pytest.mark.parametrize("kind", [2, 4, "1", None])
def test_commands_of_other_types_have_no_path(kind: Any) -> None:
    assert parse_changed("data.type", kind).path == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(payload())), JSON))
def test_any_object_can_be_parsed(damage: dict[str, Any]) -> None:
    parse({**payload(), **damage})
