"""The error tree: its public kinds, its messages, and its drawing."""

import json
import re
from typing import Any

import pytest

from handler import errors
from handler.errors import (
    ConfigurationError,
    DiscordRefused,
    Forbidden,
    Importing,
    InvalidName,
    Merging,
    MissingPermissions,
    NotFound,
    OnethreadError,
    OutcomeUnknown,
    RateLimited,
    ThreadLocked,
    TooManyThreads,
    TryAgain,
)


def classes(base: type[OnethreadError] = OnethreadError) -> list[type[OnethreadError]]:
    """The whole tree, in the order in which it is written down."""
    return [
        base,
        *(found for kind in base.__subclasses__() if kind.__module__ == errors.__name__ for found in classes(kind)),
    ]


MADE: dict[type[OnethreadError], OnethreadError] = {
    ConfigurationError: ConfigurationError(["SESSIONS_TABLE is missing"]),
    MissingPermissions: MissingPermissions(["SEND_MESSAGES", "CREATE_PUBLIC_THREADS"]),
    ThreadLocked: ThreadLocked(),
    RateLimited: RateLimited(240.2, scope="shared", route="POST /messages"),
    Importing: Importing({"pages": 3, "threads": 250, "sessions": 40}),
    Merging: Merging({"merged": 12}),
    **{kind: kind(403, 50013, "no", route="PATCH /channels") for kind in (DiscordRefused, NotFound, Forbidden)},
}
ALL = [MADE.get(kind) or kind("detail") for kind in classes()]
TOLD = [error for error in ALL if type(error) not in (OnethreadError, TryAgain, ConfigurationError)]

# The contract with programs. A class without a line here has its parent's kind.
KINDS = {
    "invalid_request": False,
    "invalid_name": False,
    "conflict": False,
    "not_found": False,
    "unsupported_channel": False,
    "channel_gone": False,
    "missing_access": False,
    "missing_permissions": False,
    "not_allowed": False,
    "locked": False,
    "thread_archived_by_moderator": False,
    "refused_by_automod": False,
    "bot_token_refused": False,
    "store_unreadable": False,
    "discord_refused": False,
    "too_many_threads": True,
    "rate_limited": True,
    "importing": True,
    "discord_unavailable": True,
    "store_unavailable": True,
    "timed_out": True,
}


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    assert [name for _, name in drawn] == [kind.__name__ for kind in classes()]
    assert [len(lines) // 4 for lines, _ in drawn] == [
        len(kind.__mro__) - len(OnethreadError.__mro__) for kind in classes()
    ]


def test_the_kinds_are_those_of_the_public_contract() -> None:
    assert {error.kind: error.retryable for error in TOLD} == KINDS


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_each_error_has_a_technical_text_and_a_public_form_in_json(error: OnethreadError) -> None:
    assert str(error).strip()
    public = error.public()
    assert json.loads(json.dumps(public)) == public
    assert (public["kind"], public["message"], public["retryable"]) == (error.kind, error.message, error.retryable)


@pytest.mark.parametrize("error", TOLD, ids=lambda error: type(error).__name__)
def test_each_class_has_its_own_message(error: OnethreadError) -> None:
    assert error.message.endswith(".")
    assert error.message != OnethreadError.default_message
    assert "detail" not in error.message


@pytest.mark.parametrize(
    ("error", "extra"),
    [
        (MADE[MissingPermissions], {"permissions": ["SEND_MESSAGES", "CREATE_PUBLIC_THREADS"]}),
        (MADE[RateLimited], {"retry_after": 240.2}),
        (MADE[Importing], {"progress": {"pages": 3, "threads": 250, "sessions": 40}}),
        (MADE[Forbidden], {"status": 403, "code": 50013}),
        (TooManyThreads("detail"), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_some_classes_add_fields_to_the_public_form(error: OnethreadError, extra: dict[str, Any]) -> None:
    assert error.public() == {"kind": error.kind, "message": error.message, "retryable": error.retryable, **extra}


def test_the_message_of_a_configuration_error_names_no_variable() -> None:
    error = MADE[ConfigurationError]
    assert isinstance(error, ConfigurationError)
    assert error.faults == ("SESSIONS_TABLE is missing",)
    assert str(error) == "SESSIONS_TABLE is missing"
    assert "SESSIONS_TABLE" not in error.message


def test_the_message_names_permissions_as_discords_settings_do() -> None:
    error = MissingPermissions(["CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"])
    assert "Create Public Threads, Send Messages in Threads" in error.message
    assert "CREATE_PUBLIC_THREADS" in str(error)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, "1 second"), (0.4, "1 second"), (1.2, "2 seconds"), (240.4, "241 seconds")]
)
def test_a_wait_is_rounded_up_to_whole_seconds(seconds: float, expected: str) -> None:
    assert f" {expected}." in RateLimited(seconds).message


def test_the_message_of_an_import_shows_its_progress() -> None:
    assert "250" in MADE[Importing].message
    assert "(0 checked, 0 sessions)" in Importing({}).message


def test_an_error_can_have_a_message_of_its_own() -> None:
    error = InvalidName("empty", message="A session needs a name.")
    assert (str(error), error.message) == ("empty", "A session needs a name.")


def test_the_technical_text_of_a_refusal_names_route_status_and_code() -> None:
    assert str(MADE[Forbidden]) == "PATCH /channels answered 403, code 50013: no"


def test_an_unknown_outcome_counts_as_discord_unavailable() -> None:
    assert OutcomeUnknown.kind == "discord_unavailable"
    assert issubclass(OutcomeUnknown, TryAgain)
