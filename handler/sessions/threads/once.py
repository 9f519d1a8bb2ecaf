"""Post a message once, although processes die and answers are lost.

Discord returns the first message for a repeat with the same nonce, "for a few minutes". An attempt that may have been made
longer ago is looked for among the thread's messages, before the message is posted.
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord import snowflakes
from handler.discord.models import Message
from handler.discord.rest import PAGE_SIZE
from handler.errors import OnethreadError
from handler.sessions.context import Context

NONCE_TRUSTED: Final = timedelta(minutes=1)  # half of the shortest "few minutes"
CLOCKS_DIFFER: Final = timedelta(seconds=30)  # ours and Discord's: far more than is usual
MAX_PAGES: Final = 10  # a thousand messages: an attempt is found in the minutes after it began


async def post_once(
    context: Context,
    thread_id: str,
    body: Mapping[str, Any],
    *,
    nonce: str,
    since: datetime | None,
    is_it: Callable[[Message], bool],
) -> Message:
    """The message, posted now or by an earlier attempt.

    `since`: when the first attempt in this thread began; None if this is the first. `is_it`: tells the message from the
    bot's others. Raises DiscordRefused; with UNKNOWN_MESSAGE, somebody has deleted it.
    """
    if since is not None and context.clock.now() - since >= NONCE_TRUSTED:
        found = await _find(context, thread_id, since - CLOCKS_DIFFER, is_it)
        if found is not None:
            return found
    return await context.discord.post_message(thread_id, body, nonce=nonce)


async def take_back(context: Context, thread_id: str, message_id: str) -> None:
    """Delete a message of ours, because another one was first. Best effort."""
    with contextlib.suppress(OnethreadError):
        await context.discord.delete_message(thread_id, message_id, reason="Another one was first")


async def _find(context: Context, thread_id: str, since: datetime, is_it: Callable[[Message], bool]) -> Message | None:
    bot, after = await context.discord.current_user_id(), snowflakes.lowest_at(since)
    for _ in range(MAX_PAGES):
        page = await context.discord.messages_after(thread_id, after)
        found = next((message for message in page if message.author.id == bot and is_it(message)), None)
        if found is not None or len(page) < PAGE_SIZE:
            return found
        after = page[-1].id
    return None
