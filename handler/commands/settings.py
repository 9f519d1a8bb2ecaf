"""``/session-admin settings``: what holds in a channel, and where it comes from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from handler.commands import settings_texts
from handler.commands.moderation import check_permissions, registered_channel
from handler.config import AUTO_ARCHIVE_CHOICES
from handler.discord.interactions import Interaction
from handler.discord.markdown import role_mention
from handler.discord.models import POST_PARENTS
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.sessions.opening.private import ONLY_IN_TEXT_CHANNELS, may_be_private
from handler.sessions.protocol import Sessions
from handler.sessions.threads.requests import fetch_parent
from handler.sessions.threads.tags import find_tag
from handler.store.items import ChannelItem
from handler.store.settings import EVERYONE, PERMITTED, ChannelSettings

RESET_ALL: Final = "all"
_ROLE: Final = re.compile(r"<@&(\d+)>")


async def settings(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin settings``: show the channel's settings; with options, change them first."""
    if (refusal := check_permissions(interaction)) is not None:
        return refusal
    choices = read_choices(interaction)
    channel = await registered_channel(sessions, interaction)
    await _check_channel(sessions, channel, choices)
    if choices:
        channel = await sessions.context.store.channels.choose(channel, choices)
    telemetry.set_fields(outcome="settings_changed" if choices else "settings_shown")
    return settings_texts.settings_shown(channel, sessions.context.settings_of(channel), changed=bool(choices))


async def _check_channel(sessions: Sessions, channel: ChannelItem, choices: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for what makes no sense in a channel of that kind, or for a tag that it does not have."""
    attributes = ChannelSettings.ATTRIBUTES
    if any(choices.get(attributes[name]) for name in ("private", "access_role")) and not may_be_private(channel):
        raise InvalidRequest("no private threads there", message=ONLY_IN_TEXT_CHANNELS)
    if (tag := choices.get(attributes["tag"])) is None:
        return
    if channel.kind not in POST_PARENTS:
        raise InvalidRequest("no tags there", message=settings_texts.NO_TAGS)
    find_tag(await fetch_parent(sessions.context, channel.channel_id), tag)


async def complete_open(sessions: Sessions, interaction: Interaction) -> Sequence[tuple[str, str]]:
    """The choices for `open`. A role that was picked is among them."""
    typed = interaction.text("open") or ""
    policy = _read_policy(typed, interaction.guild_id)
    if policy is not None and is_snowflake(policy):
        return [(settings_texts.OF_A_ROLE, role_mention(policy))]
    offered = ((settings_texts.BY_HAND, PERMITTED), (settings_texts.EVERYBODY, EVERYONE))
    return [choice for choice in offered if typed.strip().lower() in choice[1]] or offered


def read_choices(interaction: Interaction) -> dict[str, Any]:
    """What to write, by attribute; None: as in the deployment again. A setting that is given is not reset.

    Raises InvalidRequest: values come unchecked, like those of an older registration.
    """
    attributes, reset = ChannelSettings.ATTRIBUTES, interaction.text("reset")
    if reset is not None and reset not in (RESET_ALL, *attributes):
        raise InvalidRequest("an unknown setting", message=settings_texts.UNKNOWN_SETTING)
    cleared = {name for name in attributes if reset in (RESET_ALL, name)}
    given = {name: value for name, value in _read_given(interaction).items() if value is not None}
    return {attributes[name]: given.get(name) for name in attributes if name in cleared or name in given}


def _read_given(interaction: Interaction) -> dict[str, Any]:
    policy = None
    if (typed := interaction.text("open")) is not None:
        policy = _read_policy(typed, interaction.guild_id)
        if policy is None:
            raise InvalidRequest("an unknown policy", message=settings_texts.UNKNOWN_POLICY)
    unlock, archive_after = interaction.text("unlock"), interaction.options.get("archive_after")
    if unlock not in (None, "moderators", "everyone") or archive_after not in (None, *AUTO_ARCHIVE_CHOICES):
        raise InvalidRequest("a value that is not offered", message=settings_texts.UNKNOWN_SETTING)
    role_id = interaction.text("access_role")
    if role_id is not None and (not is_snowflake(role_id) or role_id == interaction.guild_id):
        raise InvalidRequest("not a role", message=settings_texts.UNKNOWN_ROLE)
    return {
        "open": policy,
        "unlock": unlock,
        "archive_after": archive_after,
        "private": interaction.flag("private"),
        "tag": (interaction.text("tag") or "").strip() or None,
        "access_role": role_id,
    }


def _read_policy(typed: str, guild_id: str | None) -> str | None:
    """`permitted`, `everyone`, or the id of the role that was mentioned; None: something else."""
    text = typed.strip().lower()
    role_id = found[1] if (found := _ROLE.fullmatch(text)) else text
    if role_id in ("@everyone", guild_id):  # the role that all members have bears the server's id
        return EVERYONE
    return role_id if role_id in (PERMITTED, EVERYONE) or is_snowflake(role_id) else None
