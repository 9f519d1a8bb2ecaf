"""The environment's variables, which only this module knows. All faults are named at once; values are never shown."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

import msgspec

from handler.errors import ConfigurationError
from handler.runtime.characters import shows_something
from handler.runtime.secrets import Secret
from handler.runtime.utf16 import utf16_units

AUTO_ARCHIVE_CHOICES: Final = (60, 1440, 4320, 10080)  # minutes; Discord docs, "Channel", auto_archive_duration
MERGE_MARK: Final = "↪"  # begins the name of a merged thread, which is no session's: so it begins no session's
MAX_PREFIX_UNITS: Final = 50  # leaves half of a thread's 100 UTF-16 units to the session's name
UnlockPolicy = Literal["moderators", "everyone"]
OpenPolicy = Literal["permitted", "everyone"]
DeleteMode = Literal["archive", "delete"]
MAX_IDLE_ARCHIVE_HOURS: Final = 8760  # a year; to wait longer is to turn it off
MAX_DELETE_AFTER_DAYS: Final = 3650  # ten years, likewise

MAX_CREATIONS_PER_HOUR: Final = 3600  # one a second: to allow a member more is to turn it off


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What every function needs."""

    log_level: str
    stack_name: str  # of the CloudFormation stack: a dimension of the metrics


class PublisherConfig(Config, frozen=True, kw_only=True):
    """What the publisher needs: it knows neither the table nor Discord."""

    event_bus_name: str
    step_functions_callbacks: bool
    publisher_dead_letters_url: str


class SessionsConfig(Config, frozen=True, kw_only=True):
    """What every function needs that works with sessions."""

    sessions_table: str
    application_id: str
    bot_token: Secret | None
    bot_token_parameter: str | None
    api_url: str
    session_name_prefix: str
    auto_archive_minutes: int
    unlock_policy: UnlockPolicy
    open_policy: OpenPolicy
    allowed_guilds: frozenset[str]  # ids; empty: any
    member_creations_per_hour: int  # 0: no bound
    delete_after_days: int  # 0: off


class WorkerConfig(SessionsConfig, frozen=True, kw_only=True):
    """What the worker needs besides: it puts jobs back."""

    jobs_queue_url: str


class WebhookConfig(WorkerConfig, frozen=True, kw_only=True):
    """What the webhook needs besides: it verifies requests and hands jobs over."""

    public_key: bytes


class ApiConfig(SessionsConfig, frozen=True, kw_only=True):
    """What the entrance of programs needs besides."""

    step_functions_callbacks: bool


class ReconcilerConfig(SessionsConfig, frozen=True, kw_only=True):
    """What the reconciler needs."""

    reconcile_queue_url: str
    idle_archive_hours: int  # 0: off
    delete_mode: DeleteMode


C = TypeVar("C", bound=Config)


class _Variable(msgspec.Struct, frozen=True):
    name: str
    parse: Callable[[str], Any]  # raises ValueError with a text that says what is expected
    default: str | None = None


def _parse_text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _parse_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("must be an http or https URL")
    return text.rstrip("/")


def _parse_application_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ValueError("must be the application's numeric id")
    return text


def _parse_public_key(text: str) -> bytes:
    from nacl.bindings import crypto_core_ed25519_is_valid_point

    if not re.fullmatch(r"[0-9a-fA-F]{64}", text) or not crypto_core_ed25519_is_valid_point(bytes.fromhex(text)):
        # A mistyped key can be 64 digits too, and then every request would look forged.
        raise ValueError("must be the application's public key, 64 hexadecimal digits")
    return bytes.fromhex(text)


def _parse_prefix(text: str) -> str:
    _parse_text(text)
    if utf16_units(text) > MAX_PREFIX_UNITS or not text.replace(" ", "").isprintable():
        raise ValueError(f"must be printable and at most {MAX_PREFIX_UNITS} characters")
    if not shows_something(text) or text.lstrip().startswith(MERGE_MARK):
        raise ValueError(f"must show something, and not begin with {MERGE_MARK}, which marks merged threads")
    return text


def _parse_guilds(text: str) -> frozenset[str]:
    ids = [part.strip() for part in text.split(",")] if text else []
    if not all(re.fullmatch(r"[1-9][0-9]{0,19}", guild_id) for guild_id in ids):
        raise ValueError("must be ids of servers with commas between them, or empty")
    return frozenset(ids)


def _parse_one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def _parse_number_up_to(maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > maximum:
            raise ValueError(f"must be a whole number from 0 (off) to {maximum}")
        return int(text)

    return parse


def _parse_flag(text: str) -> bool:
    return _parse_one_of("true", "false")(text) == "true"


def _parse_auto_archive(text: str) -> int:
    return int(_parse_one_of(*map(str, AUTO_ARCHIVE_CHOICES))(text))


_VARIABLES: Final[Mapping[str, _Variable]] = {
    "stack_name": _Variable("STACK_NAME", _parse_text, "onethread"),
    "sessions_table": _Variable("SESSIONS_TABLE", _parse_text),
    "jobs_queue_url": _Variable("JOBS_QUEUE_URL", _parse_url),
    "reconcile_queue_url": _Variable("RECONCILE_QUEUE_URL", _parse_url),
    "event_bus_name": _Variable("EVENT_BUS_NAME", _parse_text),
    "publisher_dead_letters_url": _Variable("PUBLISHER_DEAD_LETTERS_URL", _parse_url),
    # The template always says; elsewhere nothing withholds the permission to answer a task.
    "step_functions_callbacks": _Variable("STEP_FUNCTIONS_CALLBACKS", _parse_flag, "true"),
    "application_id": _Variable("DISCORD_APPLICATION_ID", _parse_application_id),
    "public_key": _Variable("DISCORD_PUBLIC_KEY", _parse_public_key),
    "api_url": _Variable("DISCORD_API_URL", _parse_url, "https://discord.com/api/v10"),
    "session_name_prefix": _Variable("SESSION_NAME_PREFIX", _parse_prefix, "Session "),
    "auto_archive_minutes": _Variable("AUTO_ARCHIVE_MINUTES", _parse_auto_archive, "4320"),
    "idle_archive_hours": _Variable("IDLE_ARCHIVE_HOURS", _parse_number_up_to(MAX_IDLE_ARCHIVE_HOURS), "0"),
    "delete_after_days": _Variable("DELETE_AFTER_DAYS", _parse_number_up_to(MAX_DELETE_AFTER_DAYS), "0"),
    "delete_mode": _Variable("DELETE_MODE", _parse_one_of("archive", "delete"), "archive"),
    "unlock_policy": _Variable("UNLOCK_POLICY", _parse_one_of("moderators", "everyone"), "moderators"),
    "open_policy": _Variable("OPEN_POLICY", _parse_one_of("permitted", "everyone"), "permitted"),
    "allowed_guilds": _Variable("ALLOWED_GUILDS", _parse_guilds, ""),
    "member_creations_per_hour": _Variable(
        "MEMBER_CREATIONS_PER_HOUR", _parse_number_up_to(MAX_CREATIONS_PER_HOUR), "120"
    ),
    "log_level": _Variable("LOG_LEVEL", _parse_one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
}
_TOKEN: Final = "DISCORD_BOT_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_PARAMETER: Final = "DISCORD_BOT_TOKEN_PARAMETER"  # noqa: S105 - the name of a variable


def load(kind: type[C], environ: Mapping[str, str]) -> C:
    """The configuration of one function, from its environment. An empty variable counts as a missing one.

    Raises ConfigurationError, naming every variable that is missing or malformed.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    for field in kind.__struct_fields__:
        if (variable := _VARIABLES.get(field)) is not None:
            values[field] = _read(variable, environ, faults)
    if "bot_token" in kind.__struct_fields__:
        values |= _read_token(environ, faults)
    if faults:
        raise ConfigurationError(faults)
    return kind(**values)


def _read_token(environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    token, parameter = environ.get(_TOKEN, "").strip(), environ.get(_TOKEN_PARAMETER, "").strip()
    if not token and not parameter:
        faults.append(f"{_TOKEN} or {_TOKEN_PARAMETER} is missing")
    elif token and not (token.isascii() and token.isprintable() and " " not in token):
        faults.append(f"{_TOKEN} is malformed: must be the bot's token alone")
    return {"bot_token": Secret(token) if token else None, "bot_token_parameter": parameter or None}


def _read(variable: _Variable, environ: Mapping[str, str], faults: list[str]) -> Any:
    text = environ.get(variable.name) or variable.default
    if text is None:
        faults.append(f"{variable.name} is missing")
        return None
    try:
        return variable.parse(text)
    except ValueError as fault:
        faults.append(f"{variable.name} is malformed: {fault}")
        return None


def fingerprint(environ: Mapping[str, str]) -> int:
    """A number that changes with any variable that clients depend on: ours and botocore's."""
    names = {variable.name for variable in _VARIABLES.values()} | {_TOKEN, _TOKEN_PARAMETER}
    return hash(frozenset((k, v) for k, v in environ.items() if k in names or k.startswith("AWS_")))
