"""Where the bot is used: when the reconciler was last there, and what the bot is allowed. Raises DiscordError.

Servers and channels are those on record, by the table's indices.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord.models import ChannelType
from handler.discord.permissions import Permission
from handler.errors import UnreadableItem, quantity
from handler.runtime.clock import parse_iso
from handler.store.guilds import GuildItem
from handler.store.table import Table
from infra.deployment.discord_api import DiscordApi, DiscordError, Forbidden
from infra.deployment.on_record import channels_in_use, known_guilds
from infra.deployment.report import Line
from infra.doctor.permissions import ALL, in_channel, in_guild, names, needed

MAX_GUILDS: Final = 20  # of each the server and the bot's member are read, and its channels
MAX_CHANNELS: Final = 50  # of a server
QUIET_NOTE: Final = timedelta(minutes=30)  # the reconciler notes a quiet run so seldom
MAX_LATE_TICKS: Final = 6  # of the schedule
_NOT_FOUND: Final = 404
_INVITE: Final = "Invite it again with the link that make setup prints; or leave it: nothing is lost."


class ServerChecks:
    """`guild`, `channel`: look at this one alone. `period`: of the reconciler's schedule."""

    def __init__(
        self, table: Table, api: DiscordApi, *, guild: str | None, channel: str | None, period: timedelta, now: datetime
    ) -> None:
        self._table, self._api, self._guild, self._channel, self._now = table, api, guild, channel, now
        self._max_silence = QUIET_NOTE + MAX_LATE_TICKS * period
        self._bot = ""

    async def look(self) -> AsyncIterator[Line]:
        guild, channels = self._guild, [self._channel] if self._channel else None
        if self._channel and guild is None:
            guild = (await self._api.call("GET", f"/channels/{self._channel}"))["guild_id"]
        items = {item["pk"].removeprefix("GUILD#"): item for item in await known_guilds(self._table)}
        chosen = [guild] if guild else list(items)
        if not chosen:
            yield Line("servers", "ok", "no session was opened yet")
            return
        self._bot = (await self._api.call("GET", "/users/@me"))["id"]
        for guild_id in chosen[:MAX_GUILDS]:
            if guild_id in items:
                for finding in self._reconciler(items[guild_id]):
                    yield finding
            found = channels if channels is not None else await channels_in_use(self._table, guild_id)
            async for finding in self._permissions(guild_id, found):
                yield finding
        if len(chosen) > MAX_GUILDS:
            yield Line("servers", "ok", f"{len(chosen) - MAX_GUILDS} more were not looked at: add --guild ID")

    def _reconciler(self, item: Mapping[str, Any]) -> list[Line]:
        try:
            guild = GuildItem.from_item(item)
        except UnreadableItem as error:
            return [Line("reconciler", "warn", str(error), "docs/troubleshooting.md, 'Unreadable'.")]
        if guild.parked:
            text = f"Server {guild.guild_id} did not answer {quantity(guild.parked, 'time')} in a row."
            return [Line("reconciler", "warn", text, _INVITE)]
        last = parse_iso(guild.reconciled_at) if guild.reconciled_at else None
        since = last or parse_iso(guild.due_at or guild.reconciled_at or "1970-01-01T00:00:00.000Z")
        if self._now - since > self._max_silence:
            when = f"since {guild.reconciled_at}" if last else "yet"
            text = f"Server {guild.guild_id} had no complete run {when}."
            cure = "Look at the schedule, the reconciler's log and its dead letters."
            return [Line("reconciler", "fail", text, cure)]
        return []

    async def _permissions(self, guild_id: str, channels: list[str]) -> AsyncIterator[Line]:
        guild = await self._api.find(f"/guilds/{guild_id}")
        member = await self._api.find(f"/guilds/{guild_id}/members/{self._bot}")
        if guild is None or member is None:
            yield Line("server", "warn", f"The bot is no member of the server {guild_id}.", _INVITE)
            return
        base, bad = in_guild(guild, self._bot, member["roles"]), 0
        if not base & Permission.VIEW_AUDIT_LOG:
            text = f"{guild['name']}: without {names(Permission.VIEW_AUDIT_LOG)[0]} sessions cannot be kept open."
            yield Line("server", "warn", text, "Grant it to the bot's role (Server Settings, Roles).")
            bad += 1
        for channel_id in channels[:MAX_CHANNELS]:
            channel, granted = await self._granted(channel_id, base, guild_id, member["roles"])
            for finding in _lacking(guild["name"], channel, granted):
                bad += 1
                yield finding
        if not bad:
            number = quantity(min(len(channels), MAX_CHANNELS), "channel")
            yield Line("server", "ok", f"{guild['name']} ({guild_id}): all permissions in {number}")
        if len(channels) > MAX_CHANNELS:
            text = f"{guild['name']}: {len(channels) - MAX_CHANNELS} more channels were not looked at: add --channel ID"
            yield Line("server", "ok", text)

    async def _granted(
        self, channel_id: str, base: int, guild_id: str, roles: list[str]
    ) -> tuple[Mapping[str, Any], int]:
        """The channel, and what the bot may do there. A deleted one needs nothing: the reconciler sees to its sessions."""
        hidden = {"name": channel_id, "type": ChannelType.TEXT}
        try:
            channel = await self._api.call("GET", f"/channels/{channel_id}")
        except Forbidden:
            return hidden, 0
        except DiscordError as error:
            if error.status != _NOT_FOUND:
                raise
            return hidden, ALL
        return channel, in_channel(base, channel, guild_id, self._bot, roles)


def _lacking(guild_name: str, channel: Mapping[str, Any], granted: int) -> list[Line]:
    essential, used = needed(channel["type"])
    lacking = used & ~granted
    if not lacking:
        return []
    place = f"{guild_name} #{channel['name']}"
    cure = "Grant it to the bot's role there: the channel's own settings override the server's."
    if not granted & Permission.VIEW_CHANNEL:
        return [Line("server", "fail", f"{place}: the bot cannot see the channel.", cure)]
    text = f"{place}: missing {', '.join(names(lacking))}."
    return [Line("server", "fail" if lacking & essential else "warn", text, cure)]
