"""Member items: how many sessions a member of a guild has had created lately.

A token bucket as one number (the "generic cell rate algorithm"): each creation uses up `each` of the member's time, which
comes back as time passes. `used_until`, in milliseconds since 1970, is when all of it is back.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from handler.store.items import Key
from handler.store.lease import CLOCKS_DIFFER
from handler.store.table import Lost, Table

FULL: Final = timedelta(hours=1)  # so much time a member has at once, and gets back in that time
MILLISECOND: Final = timedelta(milliseconds=1)  # the unit of the numbers in the items
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)  # where they begin
# Nothing is used up any more, or a wrong clock has written more than can be.
_IS_FULL: Final = "attribute_not_exists(#used_until) OR #used_until <= :now OR #used_until > :possible"


def member_item_key(guild_id: str, user_id: str) -> Key:
    return {"pk": f"GUILD#{guild_id}", "sk": f"MEMBER#{user_id}"}


class MemberStore:
    """The creations of members."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def count_creation(self, guild_id: str, user_id: str, *, each: timedelta, now: datetime) -> datetime | None:
        """Count one creation. Not counted, because too little is left: when there is enough again, else None.

        One write, or two if some of the member's time is used up.
        """
        key, at, step = member_item_key(guild_id, user_id), (now - _START) // MILLISECOND, each // MILLISECOND
        expires = {"expires_at": (now + FULL - _START) // timedelta(seconds=1) + 1}  # by then nothing is used up
        possible = at + (FULL + CLOCKS_DIFFER) // MILLISECOND
        try:
            sets, values = {"used_until": at + step, **expires}, {"now": at, "possible": possible}
            await self._table.update(key, condition=_IS_FULL, sets=sets, values=values)
        except Lost:
            most = at + (FULL - each) // MILLISECOND
            try:
                await self._table.update(
                    key,
                    condition="#used_until <= :most",
                    sets=expires,
                    adds={"used_until": step},
                    values={"most": most},
                )
            except Lost as used_up:
                used_until: int = (used_up.item or {}).get("used_until", most)
                return now + max(used_until - most, 1) * MILLISECOND
        return None
