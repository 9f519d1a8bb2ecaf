"""The environment: every fault named at once, no value ever shown."""

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from handler.config import ApiConfig, Config, ReconcilerConfig, WebhookConfig, WorkerConfig, fingerprint, load
from handler.errors import ConfigurationError
from handler.runtime.secrets import Secret
from tests.kit.secrets import BOT_TOKEN

MAX_PREFIX_UNITS = 50
SECRET = BOT_TOKEN
KEY = SigningKey(bytes(32)).verify_key.encode().hex()
COMMON = {
    "SESSIONS_TABLE": "sessions",
    "DISCORD_APPLICATION_ID": "81384788765712384",
    "DISCORD_BOT_TOKEN": SECRET,
}
WHOLE = {
    **COMMON,
    "JOBS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/jobs",
    "RECONCILE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/reconcile",
    "DISCORD_PUBLIC_KEY": KEY,
}
NEEDED = {
    WebhookConfig: {"SESSIONS_TABLE", "DISCORD_APPLICATION_ID", "JOBS_QUEUE_URL", "DISCORD_PUBLIC_KEY"},
    WorkerConfig: {"SESSIONS_TABLE", "DISCORD_APPLICATION_ID", "JOBS_QUEUE_URL"},
    ApiConfig: {"SESSIONS_TABLE", "DISCORD_APPLICATION_ID"},
    ReconcilerConfig: {"SESSIONS_TABLE", "DISCORD_APPLICATION_ID", "RECONCILE_QUEUE_URL"},
}
# The kinds that read what the webhook does not.
OTHERS: dict[str, type[Config]] = {
    "STEP_FUNCTIONS_CALLBACKS": ApiConfig,
    **dict.fromkeys(("RECONCILE_QUEUE_URL", "IDLE_ARCHIVE_HOURS", "DELETE_MODE"), ReconcilerConfig),
}
KINDS = pytest.mark.parametrize("kind", list(NEEDED), ids=lambda kind: kind.__name__)

# Each variable, with values that it refuses and that would be recognised in a text.
MALFORMED = {
    "SESSIONS_TABLE": ["   "],
    "JOBS_QUEUE_URL": ["jobs-8264", "ftp://host-8264/jobs", "https://", "https://host-8264/a b", "https://h-8264/\n"],
    "RECONCILE_QUEUE_URL": ["reconcile-8264"],
    "DISCORD_APPLICATION_ID": ["8264x", "-8264", "8264" * 6, "٨٢٦٤", "8264\n"],
    "DISCORD_PUBLIC_KEY": ["8264", "xy" * 32, KEY + "8264", KEY + "\n", "ab" * 32],
    "DISCORD_BOT_TOKEN": ["Bot 8264", "82\u00e964", "82\n64"],
    "DISCORD_API_URL": ["discord-8264", "file:///8264"],
    "SESSION_NAME_PREFIX": [
        "   ",
        "8264" * 20,
        "82\n64 ",
        "\u3164",
        "\u2800 ",
        "\u0301",
        "↪8264 ",
        "82\u200b64 ",
        "82\ud80064 ",
    ],
    "AUTO_ARCHIVE_MINUTES": ["8264", "4320.0", "-60", "04320", "a day"],
    "UNLOCK_POLICY": ["nobody-8264", "Everyone"],
    "ALLOWED_GUILDS": ["server-8264", "8264,", ",", " ", "8264;8264", "8264 8264", "08264", "8264" * 6, "8264\n,x"],
    "OPEN_POLICY": ["moderators-8264", "Permitted"],
    "IDLE_ARCHIVE_HOURS": ["-8264", "8264.5", "826482", "a day"],
    "DELETE_AFTER_DAYS": ["-8264", "8264", "9" * 30],
    "DELETE_MODE": ["Delete", "8264"],
    "MEMBER_CREATIONS_PER_HOUR": ["-8264", "8264", "8264.5", "many"],
    "LOG_LEVEL": ["debug", "8264"],
    "STEP_FUNCTIONS_CALLBACKS": ["8264", "True", "yes"],
}


def faults_of(kind: type[Config], environ: dict[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        load(kind, environ)
    return raised.value


@KINDS
def test_each_function_needs_its_own_variables_only(kind: type[Config]) -> None:
    load(kind, {name: WHOLE[name] for name in NEEDED[kind]} | {"DISCORD_BOT_TOKEN": SECRET})


@KINDS
def test_further_variables_are_ignored(kind: type[Config]) -> None:
    assert load(kind, {**WHOLE, "PATH": "/bin", "SESSIONS": "x"}) == load(kind, WHOLE)


@KINDS
@pytest.mark.parametrize("blank", [True, False], ids=["empty", "absent"])
def test_all_missing_variables_are_named_at_once(kind: type[Config], blank: bool) -> None:
    faults = faults_of(kind, dict.fromkeys([*WHOLE, "DISCORD_BOT_TOKEN_PARAMETER"], "") if blank else {}).faults
    expected = {f"{name} is missing" for name in NEEDED[kind]}
    assert set(faults) == expected | {"DISCORD_BOT_TOKEN or DISCORD_BOT_TOKEN_PARAMETER is missing"}
    assert len(faults) == len(set(faults))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MALFORMED.items() for value in values])
def test_a_malformed_variable_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    error = faults_of(OTHERS.get(name, WebhookConfig), {**WHOLE, name: value})
    assert [fault.partition(" is malformed: ")[0] for fault in error.faults] == [name]
    shown = "".join([repr(error), str(error), error.message, *traceback.format_exception(error)])
    assert name in shown
    assert "8264" not in shown
    assert error.__context__ is None


def test_malformed_and_missing_variables_are_named_together() -> None:
    environ = {name: values[0] for name, values in MALFORMED.items()}
    del environ["DISCORD_APPLICATION_ID"]
    faults = faults_of(WebhookConfig, environ).faults
    assert {fault.split()[0] for fault in faults} == MALFORMED.keys() - OTHERS.keys()
    assert "DISCORD_APPLICATION_ID is missing" in faults
    assert all(fault in str(faults_of(WebhookConfig, environ)) for fault in faults)


def test_an_absent_variable_has_the_template_s_default() -> None:
    config = load(ApiConfig, {**COMMON, "SESSION_NAME_PREFIX": "", "LOG_LEVEL": ""})
    assert config == ApiConfig(
        sessions_table="sessions",
        application_id="81384788765712384",
        bot_token=Secret(SECRET),
        bot_token_parameter=None,
        api_url="https://discord.com/api/v10",
        session_name_prefix="Session ",
        auto_archive_minutes=4320,
        unlock_policy="moderators",
        open_policy="permitted",
        allowed_guilds=frozenset(),
        member_creations_per_hour=120,
        delete_after_days=0,
        step_functions_callbacks=True,
        log_level="INFO",
        stack_name="onethread",
    )


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("SESSION_NAME_PREFIX", "🧵 Run ", "session_name_prefix", "🧵 Run "),
        ("SESSION_NAME_PREFIX", "#", "session_name_prefix", "#"),
        ("SESSION_NAME_PREFIX", "x" * MAX_PREFIX_UNITS, "session_name_prefix", "x" * MAX_PREFIX_UNITS),
        ("AUTO_ARCHIVE_MINUTES", "60", "auto_archive_minutes", 60),
        ("AUTO_ARCHIVE_MINUTES", "10080", "auto_archive_minutes", 10080),
        ("UNLOCK_POLICY", "everyone", "unlock_policy", "everyone"),
        ("OPEN_POLICY", "everyone", "open_policy", "everyone"),
        ("ALLOWED_GUILDS", "81384788765712384", "allowed_guilds", {"81384788765712384"}),
        ("ALLOWED_GUILDS", " 1, 2 ,3,1", "allowed_guilds", {"1", "2", "3"}),
        ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
        ("DISCORD_API_URL", "http://127.0.0.1:8080/api/v10/", "api_url", "http://127.0.0.1:8080/api/v10"),
        ("DISCORD_PUBLIC_KEY", KEY.upper(), "public_key", bytes.fromhex(KEY)),
    ],
)
def test_a_given_value_is_parsed(name: str, text: str, field: str, value: Any) -> None:
    assert getattr(load(WebhookConfig, {**WHOLE, name: text}), field) == value


def test_housekeeping_is_off_by_default() -> None:
    config = load(ReconcilerConfig, WHOLE)
    assert (config.idle_archive_hours, config.delete_after_days, config.delete_mode) == (0, 0, "archive")
    asked = {"IDLE_ARCHIVE_HOURS": "72", "DELETE_AFTER_DAYS": "90", "DELETE_MODE": "delete"}
    config = load(ReconcilerConfig, {**WHOLE, **asked})
    assert (config.idle_archive_hours, config.delete_after_days, config.delete_mode) == (72, 90, "delete")


def test_the_prefix_is_measured_in_utf16_units() -> None:
    faults_of(ApiConfig, {**COMMON, "SESSION_NAME_PREFIX": "🧵" * (MAX_PREFIX_UNITS // 2) + "x"})
    load(ApiConfig, {**COMMON, "SESSION_NAME_PREFIX": "🧵" * (MAX_PREFIX_UNITS // 2)})


def test_the_name_of_a_parameter_can_replace_the_token() -> None:
    environ = {**COMMON, "DISCORD_BOT_TOKEN": "", "DISCORD_BOT_TOKEN_PARAMETER": "/onethread/token"}
    config = load(ApiConfig, environ)
    assert (config.bot_token, config.bot_token_parameter) == (None, "/onethread/token")


def test_white_space_around_a_token_is_no_part_of_it() -> None:
    config = load(ApiConfig, {**COMMON, "DISCORD_BOT_TOKEN": f" {SECRET}\n"})
    assert config.bot_token == Secret(SECRET)


def test_a_configuration_does_not_show_its_token() -> None:
    config = load(WebhookConfig, WHOLE)
    assert SECRET not in f"{config!r} {config}"
    assert config.bot_token is not None
    assert config.bot_token.reveal() == SECRET


@given(st.text(min_size=4))
def test_a_secret_is_shown_only_by_reveal(value: str) -> None:
    secret = Secret(value)
    assert f"{secret} {secret!r} {[secret]}" == "Secret(…) Secret(…) [Secret(…)]"
    assert (secret.reveal(), secret == Secret(value), hash(secret)) == (value, True, hash(Secret(value)))
    assert secret != Secret(value + "x")
    assert secret != value


@pytest.mark.parametrize("name", [*MALFORMED, "DISCORD_BOT_TOKEN_PARAMETER", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_the_fingerprint_changes_with_each_variable_that_clients_depend_on(name: str) -> None:
    assert fingerprint(WHOLE) == fingerprint(dict(reversed(WHOLE.items())))
    assert fingerprint(WHOLE) != fingerprint({**WHOLE, name: "another"})


def test_the_fingerprint_ignores_variables_that_no_client_depends_on() -> None:
    assert fingerprint(WHOLE) == fingerprint({**WHOLE, "_X_AMZN_TRACE_ID": "Root=1"})
