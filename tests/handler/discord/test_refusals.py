"""The error that is reported for each of Discord's codes."""

import pytest

from handler.discord import refusals
from handler.discord.permissions import Permission
from handler.errors import (
    DiscordRefused,
    Forbidden,
    MissingAccess,
    MissingPermissions,
    NotFound,
    OnethreadError,
    RefusedByAutoMod,
    TooManyThreads,
    UnsupportedChannel,
)

ALL_REFUSALS = (DiscordRefused, NotFound, Forbidden)


@pytest.mark.parametrize("refused", ALL_REFUSALS)
@pytest.mark.parametrize("needs", [(), refusals.NEEDED_TO_START], ids=["no needs", "needs"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (50001, MissingAccess),
        (10004, MissingAccess),
        (200000, RefusedByAutoMod),
        (200001, RefusedByAutoMod),
        (160006, TooManyThreads),
        (160007, TooManyThreads),
        (50024, UnsupportedChannel),
        (40058, UnsupportedChannel),
        (240000, RefusedByAutoMod),
        (20031, RefusedByAutoMod),
    ],
)
def test_an_unambiguous_code_decides_whatever_the_status(
    refused: type[DiscordRefused], needs: tuple[Permission, ...], code: int, expected: type[OnethreadError]
) -> None:
    error = refusals.translate(refused(403, code, "no", route="POST /threads"), needs)
    assert type(error) is expected
    assert str(error) == f"POST /threads answered 403, code {code}: no"


def test_missing_permissions_are_those_that_the_step_needs() -> None:
    error = refusals.translate(Forbidden(403, 50013, "no", route="POST /threads"), refusals.NEEDED_TO_START)
    assert isinstance(error, MissingPermissions)
    assert error.permissions == ("CREATE_PUBLIC_THREADS",)
    assert "code 50013" in str(error)


@pytest.mark.parametrize("code", [0, 12345, 20012, 40001, 40002, 50005, 50009, 50095, 50178])
def test_any_other_403_is_reported_with_its_number(code: int) -> None:
    refusal = Forbidden(403, code, "no", route="POST /threads")
    assert refusals.translate(refusal, refusals.NEEDED_TO_START) is refusal
    assert (f"code {code}" if code else "status 403") in refusal.message


def test_two_factor_is_told_as_what_it_is() -> None:
    error = refusals.translate(Forbidden(403, 60003), refusals.NEEDED_TO_UNLOCK)
    assert (error.kind, error.public()["code"]) == ("discord_refused", 60003)
    assert "two-factor" in error.message


def test_a_locked_thread_is_told_as_locked() -> None:
    assert refusals.translate(Forbidden(403, 160005), refusals.NEEDED_TO_UNARCHIVE).kind == "locked"


def test_the_history_that_may_not_be_read_is_named() -> None:
    error = refusals.translate(DiscordRefused(400, 160002), refusals.NEEDED_TO_START)
    assert isinstance(error, MissingPermissions)
    assert error.permissions == ("READ_MESSAGE_HISTORY",)


def test_of_several_permissions_only_those_that_are_not_granted_are_named() -> None:
    error = MissingPermissions(["SEND_MESSAGES", "CREATE_PUBLIC_THREADS"])
    left = refusals.without_granted(error, int(Permission.SEND_MESSAGES))
    assert isinstance(left, MissingPermissions)
    assert left.permissions == ("CREATE_PUBLIC_THREADS",)
    assert refusals.without_granted(error, 0).public() == error.public()


@pytest.mark.parametrize(
    ("refusal", "lost"),
    [
        (Forbidden(403, 50001), True),
        (Forbidden(403, 50013), True),
        (NotFound(404, 10004), True),
        (Forbidden(403, 12345), False),
        (Forbidden(403, 60003), False),
        (Forbidden(403, 0), False),
        (NotFound(404, 0), False),
    ],
)
def test_only_what_says_so_is_a_lost_access(refusal: DiscordRefused, lost: bool) -> None:
    assert refusals.is_out_of_reach(refusal) is lost


def test_any_other_403_without_needed_permissions_means_missing_access() -> None:
    assert type(refusals.translate(Forbidden(403, 50013), ())) is MissingAccess


@pytest.mark.parametrize("refused", [DiscordRefused, NotFound])
@pytest.mark.parametrize("code", [0, 10003, 10008, 50035, 50083, 160004])
def test_any_other_refusal_is_not_translated(refused: type[DiscordRefused], code: int) -> None:
    refusal = refused(400, code)
    assert refusals.translate(refusal, refusals.NEEDED_TO_CREATE) is refusal


def test_a_403_never_looks_like_a_deletion() -> None:
    for code in (50001, 50013, 0):
        assert not isinstance(refusals.translate(Forbidden(403, code), ()), NotFound)


def test_a_creation_needs_what_its_steps_need() -> None:
    steps = {*refusals.NEEDED_TO_LOOK_UP, *refusals.NEEDED_TO_ANCHOR, *refusals.NEEDED_TO_START}
    assert steps | {Permission.VIEW_CHANNEL} == set(refusals.NEEDED_TO_CREATE)


def test_a_translated_refusal_is_the_cause_of_the_error() -> None:
    refusal = Forbidden(403, 50001)
    with pytest.raises(MissingAccess) as raised:
        refusals.raise_translation(refusal, ())
    assert raised.value.__cause__ is refusal


def test_an_untranslated_refusal_is_raised_without_a_cause() -> None:
    refusal = DiscordRefused(400, 50035)
    with pytest.raises(DiscordRefused) as raised:
        refusals.raise_translation(refusal, ())
    assert raised.value is refusal
    assert raised.value.__cause__ is None
