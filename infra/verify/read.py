"""What there is of a channel, in the table and on Discord. Raises DiscordError, StoreUnavailable or InvalidCall.

The table's reads are strongly consistent, Discord's requests go one after another, so slowly that people's commands do
not notice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from handler.discord.models import POST_PARENTS
from handler.sessions.names import Names
from handler.store.items import Namesake, Pointer, Session, pointer_item_key, session_from_item
from handler.store.private import PRIVATE
from handler.store.question_items import Question
from handler.store.reading import Item, read_items
from handler.store.table import Table
from infra.deployment.discord_api import DiscordApi, DiscordError, Forbidden
from infra.deployment.program import Sleep
from infra.verify.check import Facts
from infra.verify.mend import Commands

PAUSE_SECONDS: Final = 0.1  # ten requests a second, of the bot's fifty
MAX_PAGES: Final = 10  # of archived threads of a channel, a hundred each; what is older is read one by one
MAX_SINGLE: Final = 300  # threads and cards of a channel that are read one by one
_NOT_FOUND: Final = 404


class Reader:
    """Reads one server. `names`: how the deployment's threads are named."""

    def __init__(
        self, table: Table, commands: Commands, api: DiscordApi, names: Names, guild_id: str, bot: str, sleep: Sleep
    ) -> None:
        self._commands = commands
        self._table, self._api, self._names, self._guild_id = table, api, names, guild_id
        self._bot, self._sleep = bot, sleep
        self.left_out = 0  # threads and cards that were too many to be read

    async def read(self, channel_id: str, now: datetime) -> Facts | None:
        """The channel's facts; None if the bot cannot see it or its past, or it is gone."""
        try:
            return await self._read(channel_id, now)
        except Forbidden:
            return None

    async def _read(self, channel_id: str, now: datetime) -> Facts | None:
        channel = await self._get(f"/channels/{channel_id}")
        if channel is None:
            return None
        pk = f"CHANNEL#{channel_id}"
        items = [i for start in ("SESSION#", PRIVATE) for i in await self._table.query_prefix(pk, start)]
        sessions, bad = read_items(items, session_from_item)
        namesakes, worse = read_items(await self._table.query_prefix(pk, "NAMESAKE#"), Namesake.from_item)
        questions, worst = read_items(await self._table.query_prefix(pk, "QUESTION#"), Question.from_item)
        threads, gone = await self._threads(channel_id, sessions)
        pointers, lost = await self._pointers([*threads, *(s.thread_id for s in sessions if s.thread_id)])
        return Facts(
            commands=self._commands,
            channel_id=channel_id,
            guild_id=self._guild_id,
            bot_user_id=self._bot,
            names=self._names,
            now=now,
            sessions=sessions,
            items={session_from_item(item).pair: item for item in items if item not in bad},
            unreadable=(*bad, *worse, *worst, *lost),
            namesakes=frozenset(namesake.thread_id for namesake in namesakes),
            pointers=pointers,
            questions=questions,
            threads=threads,
            gone=gone,
            messages=()
            if channel["type"] in POST_PARENTS
            else await self._list(f"/channels/{channel_id}/messages?limit=100"),
            cards=await self._cards(questions),
        )

    async def _threads(
        self, channel_id: str, sessions: Sequence[Session]
    ) -> tuple[dict[str, Mapping[str, Any]], frozenset[str]]:
        """The channel's threads, and the ids of those on record that are gone."""
        active = await self._call(f"/guilds/{self._guild_id}/threads/active")
        threads = {thread["id"]: thread for thread in active["threads"] if thread["parent_id"] == channel_id}
        before, more = "", True
        for _ in range(MAX_PAGES):
            page = await self._call(f"/channels/{channel_id}/threads/archived/public?limit=100{before}")
            threads |= {thread["id"]: thread for thread in page["threads"]}
            more = bool(page["has_more"] and page["threads"])
            if not more:
                break
            before = f"&before={page['threads'][-1]['thread_metadata']['archive_timestamp'].replace('+', '%2B')}"
        wanted = {s.discord_thread_id for s in sessions if s.discord_thread_id} - threads.keys()
        gone = set[str]()
        for thread_id in self._at_most(sorted(wanted)):
            try:
                threads[thread_id] = await self._call(f"/channels/{thread_id}")
            except Forbidden:
                continue
            except DiscordError as error:
                if error.status != _NOT_FOUND:
                    raise
                gone.add(thread_id)
        return threads, frozenset(gone)

    async def _pointers(self, thread_ids: Iterable[str]) -> tuple[dict[str, Pointer], tuple[Item, ...]]:
        items = await self._table.get_many(pointer_item_key(thread_id) for thread_id in set(thread_ids))
        pointers, rest = read_items(items, Pointer.from_item)
        return {pointer.thread_id: pointer for pointer in pointers}, rest

    async def _cards(self, questions: Sequence[Question]) -> dict[str, Mapping[str, Any] | None]:
        return {
            question.id: await self._get(f"/channels/{question.discord_thread_id}/messages/{question.message_id}")
            for question in self._at_most(list(questions))
            if question.message_id is not None
        }

    def _at_most(self, wanted: list[Any]) -> list[Any]:
        self.left_out += max(0, len(wanted) - MAX_SINGLE)
        return wanted[:MAX_SINGLE]

    async def _get(self, path: str) -> dict[str, Any] | None:
        """None: it is gone, or the bot cannot see it."""
        await self._sleep(PAUSE_SECONDS)
        return await self._api.find(path)

    async def _call(self, path: str) -> dict[str, Any]:
        await self._sleep(PAUSE_SECONDS)
        return await self._api.call("GET", path)

    async def _list(self, path: str) -> list[dict[str, Any]]:
        await self._sleep(PAUSE_SECONDS)
        return await self._api.list("GET", path)
