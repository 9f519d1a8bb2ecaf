"""The texts of ``/session-admin settings``. Pure; see `handler.commands.texts`."""

from typing import Final

from handler.discord import markdown
from handler.discord.models import POST_PARENTS, ChannelType
from handler.discord.responses import Message, message
from handler.sessions.settings import Settings
from handler.store.items import ChannelItem
from handler.store.settings import EVERYONE, PERMITTED

DURATIONS: Final = {60: "1 hour", 1440: "1 day", 4320: "3 days", 10080: "1 week"}  # by minutes, as Discord names them
BY_HAND: Final = "permitted: who may start and reopen threads by hand"
EVERYBODY: Final = "everyone: whoever can use the command here"
OF_A_ROLE: Final = "members with that role, and moderators"

UNKNOWN_POLICY: Final = "`open` is `permitted`, `everyone` or a role. For a role type @ and pick it."
UNKNOWN_ROLE: Final = "That role can't be added to private sessions. Choose another one."
NO_TAGS: Final = "Only posts of forum and media channels have tags."
UNKNOWN_SETTING: Final = "I don't know that setting. Reload Discord (Ctrl+R) and pick it again."


def settings_shown(channel: ChannelItem, settings: Settings, *, changed: bool) -> Message:
    """What holds in the channel, and which of it was set there."""
    own = channel.settings
    rows: list[tuple[str, str, object]] = [
        ("Who can start and reopen sessions", _policy(settings.open), own.open),
        ("Who can have a locked session unlocked", settings.unlock, own.unlock),
        ("A quiet thread leaves the channel list after", DURATIONS[settings.archive_after], own.archive_after),
    ]
    if channel.kind in POST_PARENTS:
        rows.append(("Tag of a new post", markdown.escape(settings.tag or "none"), own.tag))
    if channel.kind == ChannelType.TEXT:
        role = "nobody" if settings.access_role is None else markdown.role_mention(settings.access_role)
        rows.append(("New sessions", "private" if settings.private else "public", own.private))
        rows.append(("Added to private sessions", role, own.access_role))
    lines = [
        f"- {what}: **{value}** · {'default' if set_here is None else 'set here'}" for what, value, set_here in rows
    ]
    head = f"{'Saved. ' if changed else ''}Settings of {markdown.channel_mention(channel.channel_id)}:"
    foot = "Change one with `/session-admin settings`, or take it back to the default with `reset:`."
    return message("\n".join([head, *lines, foot]))


def _policy(policy: str) -> str:
    if policy == PERMITTED:
        return "members who may do it by hand"
    return "everyone" if policy == EVERYONE else f"{markdown.role_mention(policy)} and moderators"
