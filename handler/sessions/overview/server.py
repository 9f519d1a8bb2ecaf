"""How it goes in a server: what the reconciler did and holds back, and what is out of reach."""

import msgspec

from handler.errors import Forbidden, NotFound
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.store.guilds import GuildItem
from handler.store.items import ChannelItem, Session


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a server. The index from which most of it is read lags a little."""

    guild: GuildItem  # an empty one before the first session
    held: tuple[Session, ...] = ()  # whose threads seem deleted, together with too many others
    unreachable: tuple[Session, ...] = ()  # whose threads cannot be read
    lost: tuple[ChannelItem, ...] = ()  # channels that are gone or out of reach
    active_threads: int | None = None  # that the bot sees; None: it is no member of the server

    @property
    def is_known(self) -> bool:
        """Whether the reconciler looks at the server: it begins with the first session."""
        return self.guild.due_at is not None


async def read_status(context: Context, guild_id: str) -> ServerStatus:
    """One query and one request. Raises what they raise, unless the bot is no member of the server."""
    watched, active_threads = await gather(
        context.store.guilds.watched(guild_id), _count_active_threads(context, guild_id)
    )
    return ServerStatus(
        guild=watched.guild,
        held=tuple(s for s in watched.sessions if s.problem.missing_since is not None),
        unreachable=tuple(s for s in watched.sessions if s.problem.unreachable_since is not None),
        lost=watched.parked,
        active_threads=active_threads,
    )


async def _count_active_threads(context: Context, guild_id: str) -> int | None:
    try:
        return len((await context.discord.active_threads(guild_id, needs_ids=False)).threads)
    except (Forbidden, NotFound):
        return None
