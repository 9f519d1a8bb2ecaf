"""``/session``, for everyone."""

import re
from typing import Final

from handler.commands import texts
from handler.commands.command import IMPORT_STRETCH_SECONDS, parent_channel
from handler.commands.outcomes import open_and_log
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.names import MAX_TOPIC_LENGTH
from handler.sessions.protocol import Sessions

MAX_NAMED: Final = 20  # members, and roles, of one open: each is a request or a mention
# How people's clients write mentions (Discord docs, "Message Formatting").
_USER: Final = re.compile(r"<@!?(\d{1,20})>")
_ROLE: Final = re.compile(r"<@&(\d{1,20})>")


async def open_session(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session open name: [topic:] [private:] [members:] [tag:]``: link the session's one thread.

    In a thread it means the parent channel.
    """
    request = read_open_request(sessions, interaction)
    if not isinstance(request, OpenRequest):
        return request
    return texts.session_link(await open_and_log(sessions, request))


def read_open_request(
    sessions: Sessions, interaction: Interaction, *, message_id: str | None = None
) -> OpenRequest | Message:
    """What the command or form asks for; `message_id`: the chosen message. Or the refusal. Raises InvalidName."""
    if interaction.guild_id is None:
        return texts.guild_required()
    texts_given = ("topic", "members", "tag")
    name, topic, members, tag = (interaction.text(option) for option in ("name", *texts_given))
    is_mistyped = any(not isinstance(interaction.options.get(option, ""), str) for option in texts_given)
    if name is None or is_mistyped or interaction.user_id is None:
        return texts.unreadable_command()
    if topic is not None and len(topic) > MAX_TOPIC_LENGTH:
        return texts.topic_too_long()
    channel_id, kind = parent_channel(interaction)
    return OpenRequest(
        name=sessions.context.names.parse(name),
        parent_channel_id=channel_id,
        requester=requester_of(interaction),
        topic=(topic or "").strip() or None,
        private=interaction.flag("private") is True,
        by_default=interaction.flag("private") is None and message_id is None,
        members=_mentioned(_USER, members),
        roles=_mentioned(_ROLE, members),
        tags=(tag,) if tag and tag.strip() else (),
        guild_id=interaction.guild_id,
        kind=kind,
        import_stretch=IMPORT_STRETCH_SECONDS,
        message_id=message_id,
    )


def _mentioned(kind: re.Pattern[str], text: str | None) -> tuple[str, ...]:
    """The ids of the users, or roles, that a text mentions; not too many, each once."""
    found = (mention for mention in kind.findall(text or "") if is_snowflake(mention))
    return tuple(dict.fromkeys(found))[:MAX_NAMED]


def requester_of(interaction: Interaction) -> Requester:
    """The interaction owns the lease, so that the worker can go on at once with what the webhook claimed."""
    return Requester(
        owner=interaction.id,
        user_id=interaction.user_id,
        user_name=interaction.user_name,
        user_permissions=interaction.user_permissions,
        user_roles=interaction.user_roles,
        in_thread=interaction.in_thread,
        moderates=interaction.by_moderator,
        may_unlock=interaction.by_moderator,
        app_permissions=interaction.app_permissions,
    )
