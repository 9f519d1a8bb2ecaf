"""The routes, and how a request finds its route."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from infra.simulator import interactions
from infra.simulator.call import Handler
from infra.simulator.routes import application, audit_log, messages, thread_lists, thread_members, threads


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    handler: Handler
    # Whether it needs the bot's token. Otherwise a token is in the path, and the global limit does not count the request.
    for_bot: bool = True


_CHANNEL: Final = "/channels/{channel_id}"
_MESSAGE: Final = _CHANNEL + "/messages/{message_id}"
_MEMBERS: Final = _CHANNEL + "/thread-members"
_ORIGINAL: Final = "/webhooks/{application_id}/{token}/messages/@original"
_GLOBAL_COMMANDS: Final = "/applications/{application_id}/commands"
_GUILD_COMMANDS: Final = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES: Final = (
    Route("GET", _CHANNEL, threads.get_channel),
    Route("PATCH", _CHANNEL, threads.change_channel),
    Route("DELETE", _CHANNEL, threads.delete_channel),
    Route("GET", _CHANNEL + "/messages", messages.list_messages),
    Route("POST", _CHANNEL + "/messages", messages.post_message),
    Route("GET", _MESSAGE, messages.get_message),
    Route("PATCH", _MESSAGE, messages.edit_message),
    Route("DELETE", _MESSAGE, messages.delete_message),
    Route("POST", _MESSAGE + "/threads", threads.start_from_message),
    Route("POST", _CHANNEL + "/threads", threads.start_without_message),
    Route("GET", _CHANNEL + "/threads/archived/public", thread_lists.public_archived),
    Route("GET", _CHANNEL + "/threads/archived/private", thread_lists.private_archived),
    Route("GET", _CHANNEL + "/users/@me/threads/archived/private", thread_lists.joined_private_archived),
    Route("GET", _CHANNEL + "/threads/search", thread_lists.search),
    Route("GET", _MEMBERS, thread_members.list_members),
    Route("GET", _MEMBERS + "/@me", thread_members.get_member),
    Route("PUT", _MEMBERS + "/@me", thread_members.join),
    Route("DELETE", _MEMBERS + "/@me", thread_members.leave),
    Route("GET", _MEMBERS + "/{user_id}", thread_members.get_member),
    Route("PUT", _MEMBERS + "/{user_id}", thread_members.add_member),
    Route("DELETE", _MEMBERS + "/{user_id}", thread_members.remove_member),
    Route("GET", "/guilds/{guild_id}", application.guild),
    Route("GET", "/guilds/{guild_id}/members/{user_id}", application.member),
    Route("GET", "/guilds/{guild_id}/threads/active", thread_lists.active_threads),
    Route("GET", "/guilds/{guild_id}/audit-logs", audit_log.audit_log),
    Route("GET", "/users/@me", application.current_user),
    Route("GET", "/users/@me/guilds", application.current_guilds),
    Route("GET", "/applications/@me", application.current_application),
    Route("PATCH", "/applications/@me", application.change_application),
    Route("GET", _GLOBAL_COMMANDS, application.list_commands),
    Route("PUT", _GLOBAL_COMMANDS, application.replace_commands),
    Route("GET", _GUILD_COMMANDS, application.list_commands),
    Route("PUT", _GUILD_COMMANDS, application.replace_commands),
    Route("GET", _ORIGINAL, interactions.get_original, for_bot=False),
    Route("PATCH", _ORIGINAL, interactions.edit_original, for_bot=False),
    Route("DELETE", _ORIGINAL, interactions.delete_original, for_bot=False),
)


def _shape(template: str) -> str:
    """The template with a star in place of each value."""
    return "/".join("*" if part.startswith("{") else part for part in template.split("/"))


_BY_SHAPE: Final = {(route.method, _shape(route.template)): route for route in ROUTES}
_SHAPES: Final = frozenset(shape for _, shape in _BY_SHAPE)


@lru_cache(maxsize=4096)
def find_route(method: str, path: str) -> tuple[Route | None, tuple[str, ...], bool]:
    """The route, the values in the path, and whether the path exists for some method."""
    parts = path.split("/")
    args = [part for part in parts if part.isdecimal()]
    if parts[1:2] == ["webhooks"] and len(parts) > 3:
        # The token is the only value that is not a number.
        args = parts[2:4]
        parts = ["", "webhooks", "*", "*", *parts[4:]]
    shape = "/".join("*" if part.isdecimal() else part for part in parts)
    route = _BY_SHAPE.get((method, shape))
    return route, tuple(args), route is not None or shape in _SHAPES
