"""The error tree: each class has its public kind and a text that says what to do, and the drawing is the tree."""

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
    "unsupported_channel": False,
    "channel_gone": False,
    "missing_access": False,
    "missing_permissions": False,
    "not_allowed": False,
    "locked": False,
    "refused_by_automod": False,
    "bot_token_refused": False,
    "discord_refused": False,
    "too_many_threads": True,
    "rate_limited": True,
    "importing": True,
    "discord_unavailable": True,
    "store_unavailable": True,
    "timed_out": True,
}


def test_the_drawing_in_the_module_is_the_tree() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    assert [name for _, name in drawn] == [kind.__name__ for kind in classes()]
    assert [len(lines) // 4 for lines, _ in drawn] == [
        len(kind.__mro__) - len(OnethreadError.__mro__) for kind in classes()
    ]


def test_the_kinds_that_programs_are_told_are_the_contract_s() -> None:
    assert {error.kind: error.retryable for error in TOLD} == KINDS


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_the_public_form_is_json_with_kind_message_and_whether_to_try_again(error: OnethreadError) -> None:
    public = error.public()
    assert json.loads(json.dumps(public)) == public
    assert (public["kind"], public["message"], public["retryable"]) == (error.kind, error.message, error.retryable)


@pytest.mark.parametrize("error", TOLD, ids=lambda error: type(error).__name__)
def test_each_class_has_a_text_of_its_own_for_people(error: OnethreadError) -> None:
    assert error.message.endswith(".")
    assert error.message != OnethreadError.default_message
    assert "detail" not in error.message


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_the_technical_text_is_never_empty(error: OnethreadError) -> None:
    assert str(error).strip()


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
def test_what_a_class_adds_to_its_public_form(error: OnethreadError, extra: dict[str, Any]) -> None:
    assert error.public() == {"kind": error.kind, "message": error.message, "retryable": error.retryable, **extra}


def test_a_configuration_error_keeps_its_faults_from_users() -> None:
    error = MADE[ConfigurationError]
    assert isinstance(error, ConfigurationError)
    assert error.faults == ("SESSIONS_TABLE is missing",)
    assert str(error) == "SESSIONS_TABLE is missing"
    assert "SESSIONS_TABLE" not in error.message


def test_permissions_are_told_to_people_by_the_names_in_discord_s_settings() -> None:
    error = MissingPermissions(["CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"])
    assert "Create Public Threads, Send Messages in Threads" in error.message
    assert "CREATE_PUBLIC_THREADS" in str(error)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, "1 second"), (0.4, "1 second"), (1.2, "2 seconds"), (240.4, "241 seconds")]
)
def test_a_wait_is_told_in_whole_seconds_and_never_too_short(seconds: float, told: str) -> None:
    assert f" {told}." in RateLimited(seconds).message


def test_an_import_tells_how_far_it_is() -> None:
    assert "250" in MADE[Importing].message
    assert "0 so far" in Importing({}).message


def test_a_text_of_its_own_replaces_the_class_s() -> None:
    error = InvalidName("empty", message="A session needs a name.")
    assert (str(error), error.message) == ("empty", "A session needs a name.")


def test_a_refusal_tells_logs_where_and_what() -> None:
    assert str(MADE[Forbidden]) == "PATCH /channels answered 403, code 50013: no"


def test_an_unknown_outcome_is_one_of_discord_s_failures() -> None:
    assert OutcomeUnknown.kind == "discord_unavailable"
    assert issubclass(OutcomeUnknown, TryAgain)
