"""Permission bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.discord.permissions import Permission, has, missing, parse

ALL = list(Permission)


@pytest.mark.parametrize(
    ("permission", "bit"),
    [
        (Permission.ADMINISTRATOR, 3),
        (Permission.VIEW_AUDIT_LOG, 7),
        (Permission.VIEW_CHANNEL, 10),
        (Permission.SEND_MESSAGES, 11),
        (Permission.EMBED_LINKS, 14),
        (Permission.READ_MESSAGE_HISTORY, 16),
        (Permission.MANAGE_THREADS, 34),
        (Permission.CREATE_PUBLIC_THREADS, 35),
        (Permission.CREATE_PRIVATE_THREADS, 36),
        (Permission.SEND_MESSAGES_IN_THREADS, 38),
    ],
)
def test_each_permission_has_the_bit_that_discord_documents(permission: Permission, bit: int) -> None:
    assert permission == 1 << bit


def test_missing_permissions_are_named_lowest_bit_first() -> None:
    needed = [Permission.CREATE_PUBLIC_THREADS, Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL]
    assert missing(Permission.VIEW_CHANNEL, needed) == ["SEND_MESSAGES", "CREATE_PUBLIC_THREADS"]


def test_an_administrator_lacks_nothing() -> None:
    assert missing(Permission.ADMINISTRATOR, ALL) == []
    assert has(Permission.ADMINISTRATOR, Permission.MANAGE_THREADS)


def test_bits_of_other_permissions_grant_nothing() -> None:
    others = (1 << 60) - 1
    for permission in ALL:
        others &= ~permission
    assert len(missing(others, ALL)) == len(ALL)


@given(st.sets(st.sampled_from(ALL)), st.lists(st.sampled_from(ALL)))
def test_missing_permissions_are_the_needed_ones_that_are_not_granted(
    granted: set[Permission], needed: list[Permission]
) -> None:
    bits = sum(granted)
    expected = set() if Permission.ADMINISTRATOR in granted else set(needed) - granted
    assert {Permission[name] for name in missing(bits, needed)} == expected


def test_permissions_beyond_64_bits_are_parsed() -> None:
    assert parse("147573952589676412928") == 1 << 67


@pytest.mark.parametrize("text", ["", "-1", "0x10", "1.5", "１", " 1"])
def test_permissions_that_are_not_a_decimal_number_raise_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        parse(text)
