"""Which path goes where."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from infra.simulator import (
    application_routes,
    audit_routes,
    interactions,
    list_routes,
    member_routes,
    message_routes,
    thread_routes,
)
from infra.simulator.calls import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """`for_bot`: the bot's token is asked for; else the path itself bears one, and the global limit does not count it."""

    method: str
    template: str
    handler: Handler
    for_bot: bool = True


_CHANNEL: Final = "/channels/{channel_id}"
_MESSAGE: Final = _CHANNEL + "/messages/{message_id}"
_MEMBERS: Final = _CHANNEL + "/thread-members"
_ORIGINAL: Final = "/webhooks/{application_id}/{token}/messages/@original"
_GLOBAL_COMMANDS: Final = "/applications/{application_id}/commands"
_GUILD_COMMANDS: Final = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES: Final = (
    Route("GET", _CHANNEL, thread_routes.get_channel),
    Route("PATCH", _CHANNEL, thread_routes.change_channel),
    Route("DELETE", _CHANNEL, thread_routes.delete_channel),
    Route("GET", _CHANNEL + "/messages", message_routes.list_messages),
    Route("POST", _CHANNEL + "/messages", message_routes.post_message),
    Route("GET", _MESSAGE, message_routes.get_message),
    Route("PATCH", _MESSAGE, message_routes.edit_message),
    Route("DELETE", _MESSAGE, message_routes.delete_message),
    Route("POST", _MESSAGE + "/threads", thread_routes.start_from_message),
    Route("POST", _CHANNEL + "/threads", thread_routes.start_without_message),
    Route("GET", _CHANNEL + "/threads/archived/public", list_routes.public_archived),
    Route("GET", _CHANNEL + "/threads/archived/private", list_routes.private_archived),
    Route("GET", _CHANNEL + "/users/@me/threads/archived/private", list_routes.joined_private_archived),
    Route("GET", _CHANNEL + "/threads/search", list_routes.search),
    Route("GET", _MEMBERS, member_routes.list_members),
    Route("GET", _MEMBERS + "/@me", member_routes.get_member),
    Route("PUT", _MEMBERS + "/@me", member_routes.join),
    Route("DELETE", _MEMBERS + "/@me", member_routes.leave),
    Route("GET", _MEMBERS + "/{user_id}", member_routes.get_member),
    Route("PUT", _MEMBERS + "/{user_id}", member_routes.add_member),
    Route("DELETE", _MEMBERS + "/{user_id}", member_routes.remove_member),
    Route("GET", "/guilds/{guild_id}", application_routes.guild),
    Route("GET", "/guilds/{guild_id}/threads/active", list_routes.active_threads),
    Route("GET", "/guilds/{guild_id}/audit-logs", audit_routes.audit_log),
    Route("GET", "/users/@me", application_routes.current_user),
    Route("GET", "/applications/@me", application_routes.current_application),
    Route("PATCH", "/applications/@me", application_routes.change_application),
    Route("GET", _GLOBAL_COMMANDS, application_routes.list_commands),
    Route("PUT", _GLOBAL_COMMANDS, application_routes.replace_commands),
    Route("GET", _GUILD_COMMANDS, application_routes.list_commands),
    Route("PUT", _GUILD_COMMANDS, application_routes.replace_commands),
    Route("GET", _ORIGINAL, interactions.get_original, for_bot=False),
    Route("PATCH", _ORIGINAL, interactions.edit_original, for_bot=False),
    Route("DELETE", _ORIGINAL, interactions.delete_original, for_bot=False),
)


def _shape(template: str) -> str:
    """The template with a star for each value."""
    return "/".join("*" if part.startswith("{") else part for part in template.split("/"))


_BY_SHAPE: Final = {(route.method, _shape(route.template)): route for route in ROUTES}
_SHAPES: Final = frozenset(shape for _, shape in _BY_SHAPE)


@lru_cache(maxsize=4096)
def find(method: str, path: str) -> tuple[Route | None, tuple[str, ...], bool]:
    """The route, the values in the path, and whether the path exists for some method."""
    parts = path.split("/")
    args = [part for part in parts if part.isdecimal()]
    if parts[1:2] == ["webhooks"] and len(parts) > 3:
        # The token is the one value that is no number.
        args = parts[2:4]
        parts = ["", "webhooks", "*", "*", *parts[4:]]
    shape = "/".join("*" if part.isdecimal() else part for part in parts)
    route = _BY_SHAPE.get((method, shape))
    return route, tuple(args), route is not None or shape in _SHAPES
