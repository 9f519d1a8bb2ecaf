"""What Onethread is compared with, over the same simulated Discord: the floor, and what bots do.

floor             the bare calls that one thread takes, as if everything always went well
list-and-create   read the thread lists until the name is found, else create a thread
defer-always      answer "thinking…" at once, do the same from a queue, and edit the answer
"""

import asyncio
from typing import Any, Final

import httpx

from infra.bench.world import CHANNEL, ENVIRON, GUILD, TABLE, TOKEN, USER, World

QUEUE_SECONDS: Final = 0.025  # from one function to the next through SQS: an assumption, and a friendly one
PAGE: Final = 100  # threads in a page of the list, at most (Discord docs, "List Public Archived Threads")
PUBLIC_THREAD: Final = 11


class Rivals:
    """A bot's plain HTTP client, and the table."""

    def __init__(self, world: World) -> None:
        self._table = world.table
        self._client = httpx.AsyncClient(
            base_url="https://discord.com/api/v10",
            transport=world.transport(),
            headers={"authorization": f"Bot {TOKEN}", "user-agent": "DiscordBot (https://example.com, 1)"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def floor_of_reuse(self, name: str) -> None:
        """One read and one GET."""
        asked = {"pk": f"CHANNEL#{CHANNEL}", "sk": f"SESSION#{name}"}
        item = (await self._table("get_item", TableName=TABLE, Key=asked, ConsistentRead=True))["Item"]
        await self._request("GET", f"/channels/{item['discord_thread_id']}")

    async def floor_of_creation(self, name: str) -> None:
        """Look, post, record, start, add: none can begin before the one in front of it has ended."""
        await asyncio.gather(
            self._request("GET", f"/guilds/{GUILD}/threads/active"),
            self._request("GET", f"/channels/{CHANNEL}/threads/archived/public", params={"limit": PAGE}),
            self._request("GET", f"/channels/{CHANNEL}/threads/search", params={"name": name, "limit": 25}),
        )
        message = await self._request("POST", f"/channels/{CHANNEL}/messages", json={"content": name})
        item = {"pk": f"FLOOR#{name}", "sk": "FLOOR", "source_message_id": message["id"]}
        await self._table("put_item", TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
        start = f"/channels/{CHANNEL}/messages/{message['id']}/threads"
        await self._add_member(await self._request("POST", start, json={"name": f"Session {name}"}))

    async def list_and_create(self, name: str) -> None:
        active = await self._request("GET", f"/guilds/{GUILD}/threads/active")
        if self._find(active["threads"], name) is not None:
            return
        before: dict[str, Any] = {}
        while True:
            query = {"limit": PAGE, **before}
            page = await self._request("GET", f"/channels/{CHANNEL}/threads/archived/public", params=query)
            if self._find(page["threads"], name) is not None:
                return
            if not page["has_more"]:
                break
            before = {"before": page["threads"][-1]["thread_metadata"]["archive_timestamp"]}
        body = {"name": f"Session {name}", "type": PUBLIC_THREAD}
        await self._add_member(await self._request("POST", f"/channels/{CHANNEL}/threads", json=body))

    async def defer_always(self, name: str) -> None:
        await asyncio.sleep(QUEUE_SECONDS)
        await self.list_and_create(name)
        await self._client.patch(f"/webhooks/{ENVIRON['DISCORD_APPLICATION_ID']}/token/messages/@original", json={})

    async def _add_member(self, thread: dict[str, Any]) -> None:
        await self._request("PUT", f"/channels/{thread['id']}/thread-members/{USER}")

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        """One request; a rate limit is waited out, as every library for Discord does."""
        while True:
            response = await self._client.request(method, path, **options)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(response.json()["retry_after"])
        response.raise_for_status()
        return response.json() if response.content else None

    def _find(self, threads: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
        return next((thread for thread in threads if thread["name"] == f"Session {name}"), None)
