"""A guild as it was at one moment, to go on from there more than once: building it up again and again takes long."""

from tests.kit.guild import Guild


class Moment:
    """What there is on Discord and in the table of a guild, now."""

    def __init__(self, guild: Guild) -> None:
        self._at, self._items, self._discord = guild.now, guild.table.items(), guild.discord.fork()

    async def go_on(self, guild: Guild) -> None:
        """Make a new guild, which is empty (`imported=False`), what this one was then."""
        await guild.wait(seconds=(self._at - guild.now).total_seconds())
        for item in self._items:
            guild.table.put(item)
        guild.discord.state = self._discord.fork().state
