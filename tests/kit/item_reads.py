"""How many items each query of a guild's processes reads, while its table is in memory."""

from typing import Any

from tests.kit.guild import Guild


class ItemReads(list[int]):
    """The number of items of each query, in order, from the guild's next process on."""

    def __init__(self, guild: Guild) -> None:
        super().__init__()
        assert guild.seam is not None
        self._call = guild.seam
        guild.seam = self._count

    async def _count(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = await self._call(operation, **parameters)
        if operation == "query":
            self.append(len(answer["Items"]))
        return answer
