"""The application, its commands, the bot's user, the guild (Discord docs, "Application", "Application Commands", "Guild")."""

from typing import Any, Final

import msgspec

from infra.commands.limits import (
    CHAT_INPUT,
    MAX_COMMAND_LENGTH,
    MAX_COMMANDS,
    MAX_DESCRIPTION_LENGTH,
    MAX_OPTIONS,
    command_length,
    is_name,
    kind_of,
)
from infra.simulator import render
from infra.simulator.call import Call, read_text
from infra.simulator.exchange import Response, encode, json_response
from infra.simulator.models import Guild
from infra.simulator.refusals import Error, Refusal, invalid

# The flag of the privileged Message Content intent for an application in fewer than 100 guilds.
MESSAGE_CONTENT_LIMITED: Final = 1 << 19
MAX_GUILDS: Final = 200  # of a page (Discord docs, "User: Get Current User Guilds")
# The fields of a guild at their defaults (Discord docs, "Guild").
_PLAIN_GUILD: Final[dict[str, Any]] = {
    **dict.fromkeys(
        [
            "icon",
            "description",
            "home_header",
            "splash",
            "discovery_splash",
            "banner",
            "application_id",
            "afk_channel_id",
            "system_channel_id",
            "widget_channel_id",
            "max_presences",
            "vanity_url_code",
            "rules_channel_id",
            "safety_alerts_channel_id",
            "public_updates_channel_id",
            "premium_progress_bar_enabled_user_updated_at",
            "incidents_data",
        ]
    ),
    **dict.fromkeys(
        [
            "system_channel_flags",
            "verification_level",
            "default_message_notifications",
            "mfa_level",
            "explicit_content_filter",
            "premium_tier",
            "premium_subscription_count",
            "nsfw_level",
        ],
        0,
    ),
    **{name: [] for name in ("features", "emojis", "stickers")},
    **dict.fromkeys(("widget_enabled", "nsfw", "premium_progress_bar_enabled"), False),
    "region": "deprecated",
    "preferred_locale": "en-US",
    "afk_timeout": 300,
    "max_members": 500000,
    "max_stage_video_channel_users": 50,
    "max_video_channel_users": 25,
}


def current_user(call: Call) -> Response:
    user = render.user(call.state, call.bot)
    return json_response(200, {**user, "mfa_enabled": False, "locale": "en-US", "verified": True, "email": None})


def current_guilds(call: Call) -> Response:
    """The guilds that the bot is a member of, by id."""
    guilds = [guild for guild in call.state.guilds.values() if guild.bot_is_member]
    limit = call.query_integer("limit", MAX_GUILDS, 1, MAX_GUILDS)
    return json_response(200, [_partial_guild(guild) for guild in sorted(guilds, key=lambda g: int(g.id))[:limit]])


def current_application(call: Call) -> Response:
    return json_response(200, _application(call))


def change_application(call: Call) -> Response:
    if "interactions_endpoint_url" in call.body:
        url = call.body["interactions_endpoint_url"]
        if url is not None and not call.state.switches.endpoint_accepted:
            raise invalid(
                "interactions_endpoint_url",
                "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID",
                "The specified interactions endpoint url could not be verified.",
            )
        call.state.endpoint_url = url
    if "integration_types_config" in call.body:
        call.state.install = encode(call.body["integration_types_config"] or {})
    return json_response(200, _application(call))


def guild(call: Call) -> Response:
    found = call.find_guild(call.args[0], Error.UNKNOWN_GUILD)
    own = {"id": found.id, "name": found.name, "owner_id": found.owner_id, "roles": [render.everyone(found)]}
    return json_response(200, {**_PLAIN_GUILD, **own})


def member(call: Call) -> Response:
    """A member of the guild (Discord docs, "Guild", Get Guild Member)."""
    guild_id, user_id = call.args
    found = call.find_guild(guild_id, Error.UNKNOWN_GUILD)
    if user_id in found.absent:
        raise Refusal(Error.UNKNOWN_MEMBER)
    return json_response(200, render.member(call.state, user_id, dict(found.roles).get(user_id, ())))


def _partial_guild(guild: Guild) -> dict[str, Any]:
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": False,
        "permissions": str(guild.permissions),
        "features": [],
    }


def list_commands(call: Call) -> Response:
    return json_response(200, _registered_in(call, _scope(call)))


def replace_commands(call: Call) -> Response:
    scope = _scope(call)
    definitions = call.json()
    if not isinstance(definitions, list):
        raise Refusal(Error.INVALID_FORM, {"_errors": [{"code": "LIST_TYPE_CONVERT", "message": "Not a list."}]})
    for kind, most in MAX_COMMANDS.items():
        if sum(kind_of(definition) == kind for definition in definitions) > most:
            raise invalid(
                "_", "APPLICATION_COMMANDS_TOO_MANY", f"Maximum number of application commands reached ({most})."
            )
    for index, definition in enumerate(definitions):
        _check_command(definition, str(index))
    ids = {(command["type"], command["name"]): command["id"] for command in _registered_in(call, scope)}
    commands = [_registered(call, definition, ids) for definition in definitions]
    call.state.commands.put(scope, encode(commands))
    return json_response(200, commands)


def _application(call: Call) -> dict[str, Any]:
    state = call.state
    return {
        "id": state.identity.application_id,
        "name": "Onethread",
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": state.identity.public_key,
        "flags": MESSAGE_CONTENT_LIMITED if state.switches.message_content else 0,
        "flags_new": str(MESSAGE_CONTENT_LIMITED if state.switches.message_content else 0),
        "bot": render.user(state, call.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "redirect_uris": [],
        "interactions_endpoint_url": state.endpoint_url,
        "integration_types_config": msgspec.json.decode(state.install),
        "role_connections_verification_url": None,
        "owner": render.user(state, "2"),
        "approximate_guild_count": len(state.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


def _scope(call: Call) -> str:
    """The key of the commands in the state: the guild's id, or empty for the global scope."""
    if call.args[0] != call.state.identity.application_id:
        raise Refusal(Error.NOT_YOUR_APPLICATION)
    if len(call.args) == 1:
        return ""
    return call.find_guild(call.args[1]).id


def _registered_in(call: Call, scope: str) -> list[dict[str, Any]]:
    commands: list[dict[str, Any]] = msgspec.json.decode(call.state.commands.get(scope) or b"[]")
    return commands


def _check_command(definition: dict[str, Any], path: str) -> None:
    name = read_text(definition, "name", 1, 32, f"{path}.name")
    if kind_of(definition) != CHAT_INPUT:
        if definition.get("description"):
            raise invalid(
                f"{path}.description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED", "Not allowed"
            )
        return
    if not is_name(name):
        raise invalid(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    read_text(definition, "description", 1, MAX_DESCRIPTION_LENGTH, f"{path}.description")
    if command_length(definition) > MAX_COMMAND_LENGTH:
        raise invalid(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
    _check_options(definition.get("options") or [], f"{path}.options")


def _check_options(options: list[dict[str, Any]], path: str) -> None:
    if len(options) > MAX_OPTIONS:
        raise invalid(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {MAX_OPTIONS} in length.")
    has_optional = False
    for index, option in enumerate(options):
        _check_command({**option, "type": CHAT_INPUT}, f"{path}.{index}")
        if option.get("required") and has_optional:
            raise invalid(
                f"{path}.{index}",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        has_optional = has_optional or not option.get("required")


def _registered(call: Call, definition: dict[str, Any], ids: dict[tuple[int, str], str]) -> dict[str, Any]:
    """A definition as Discord returns it: with ids and defaults."""
    kind = kind_of(definition)
    known_id = ids.get((kind, definition["name"]))
    permissions = definition.get("default_member_permissions")
    registered = {
        "id": known_id or call.state.allot(call.now),
        "application_id": call.state.identity.application_id,
        "version": call.state.allot(call.now),
        "default_member_permissions": None if permissions is None else str(permissions),
        "type": kind,
        "name": definition["name"],
        "name_localizations": definition.get("name_localizations"),
        "description": definition.get("description", ""),
        "description_localizations": definition.get("description_localizations"),
        "contexts": definition.get("contexts"),
        "integration_types": definition.get("integration_types", [0]),
        "nsfw": definition.get("nsfw", False),
    }
    if len(call.args) > 1:
        registered["guild_id"] = call.args[1]
    if definition.get("options"):
        registered["options"] = definition["options"]
    return registered
