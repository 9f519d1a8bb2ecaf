"""Threads whose names are not the ones that were asked for: Discord may take characters out of a name.

What it does to names is not documented. Such a thread has the same letters and digits as the name, and its source
message still tells the name. A thread on record needs none of this; a lost table does.
"""

from collections.abc import Iterable
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import NotFound
from handler.runtime.concurrency import gather, gather_limited
from handler.sessions.context import Context
from handler.sessions.threads.namesakes import fetch_namesake
from handler.sessions.threads.requests import translate_refusals
from handler.sessions.threads.source_message import read_thread_name
from handler.store.items import ChannelItem, Namesake

MAX_ALIKE: Final = 5  # threads that one look-up asks about: more than people make with the same letters


async def find_alike(
    context: Context, parent_channel_id: str, session_key: str, threads: Iterable[Channel], *, are_posts: bool = False
) -> list[Channel]:
    """Those of the threads that have the letters of the session's name, and a description by us that names it.

    It is the source message; of a post, its first message.
    """
    letters = context.names.letters(context.names.prefix + session_key)
    alike = [thread for thread in threads if context.names.letters(thread.name or "") == letters]
    return [
        thread
        for thread in alike[:MAX_ALIKE]
        if await _is_described(context, thread.id if are_posts else parent_channel_id, session_key, thread.id)
    ]


async def read_reduced(context: Context, channel: ChannelItem, session_key: str) -> list[Channel]:
    """The threads on record and noted for the key that is left if Discord takes characters out of the name."""
    key = context.names.reduced(session_key)
    if key in ("", session_key):
        return []
    session, namesakes = await gather(
        context.store.sessions.get(channel.channel_id, key),
        context.store.namesakes.of_session(channel.channel_id, key),
    )
    if session is not None and session.discord_thread_id is not None:
        thread_id = session.discord_thread_id
        namesakes.append(Namesake(parent_channel_id=channel.channel_id, session_key=key, thread_id=thread_id))
    read = await gather_limited(MAX_ALIKE, [fetch_namesake(context, n) for n in namesakes[-MAX_ALIKE:]])
    return [thread for thread in read if thread is not None]


async def _is_described(context: Context, channel_id: str, session_key: str, message_id: str) -> bool:
    """Whether the message is ours and names the session: then Discord changed the name of its thread."""
    request = context.discord.message(channel_id, message_id)
    try:
        message = await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)
    except NotFound:
        return False
    named = read_thread_name(message.content)
    if named is None or context.names.session_key_of(named) != session_key:
        return False
    return message.author.id == await context.discord.current_user_id()
