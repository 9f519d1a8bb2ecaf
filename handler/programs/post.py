"""`post`: a message in the session's thread, once for a `request_id`; with a `message_key`, one message that is edited.

    open     the session's thread, as `ensure` does; one that a person archived stays archived
    begin    the request is on record: `handler.store.posts`
    post     with a nonce; an attempt that may be older than Discord remembers nonces is looked for first
    finish   the message is on record

A process may die after each step: a repeat goes on. The messages of one key have one item, which says what the message is
to show. Whoever has edited the message reads that once more, so that an edit that was overtaken does not stay.
"""

from functools import partial
from typing import Any, Final

import msgspec

from handler.discord import refusals
from handler.discord.messages import message_body, message_nonce
from handler.discord.models import Message
from handler.discord.permissions import Permission
from handler.errors import (
    Conflict,
    DiscordRefused,
    NotFound,
    StoreUnavailable,
)
from handler.programs.answers import PostAnswer, PostedMessage, PostOutcome, describe
from handler.programs.in_thread import NEEDED, START_OVER, explained, in_thread
from handler.programs.requests import Post as PostRequest
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.model import message_url
from handler.sessions.protocol import Sessions
from handler.sessions.threads.once import post_once, take_back
from handler.store.hashes import hash_of
from handler.store.items import Session
from handler.store.posts import Post

MAX_EDITS: Final = 5  # of one message in a row, each overtaken by another request
NEEDED_FOR_EMBEDS: Final = (*NEEDED, Permission.EMBED_LINKS)
WORDS_REFUSED: Final = "Discord or this server's AutoMod doesn't accept that message. Change its content or its embeds, and its request_id."
DELETED: Final = "That message was posted, and somebody has deleted it."


async def post(sessions: Sessions, request: PostRequest, request_id: str) -> PostAnswer:
    """Post the message, or edit the one of its key. Raises Conflict, and what an open raises."""
    with explained(NEEDED_FOR_EMBEDS if request.embeds else NEEDED, deleted=DELETED, refused=WORDS_REFUSED):
        return await in_thread(sessions, request, request.request_id, partial(_post, sessions.context, request))


async def _post(context: Context, request: PostRequest, session: Session) -> PostAnswer:
    posts, channel_id, thread_id = context.store.posts, session.parent_channel_id, session.discord_thread_id or ""
    name = hash_of(session.pair[1], request.request_id)
    key = None if request.message_key is None else hash_of("key", session.pair[1], request.message_key)
    begun = await _begin(context, request, session, name=name, key=key)
    if begun.message_id is not None:
        return _answer(session, PostOutcome.REPEATED, begun.message_id, begun.thread_id)
    if key is not None:
        message_id, outcome = await _show_key(context, session, key)
        await posts.finish(channel_id, name, message_id, thread_id)
        return _answer(session, outcome, message_id, thread_id)
    nonce = message_nonce("post", channel_id, name, thread_id)
    message = await _post_once(context, thread_id, _body_text(request), nonce, begun)
    message_id = await posts.finish(channel_id, name, message.id, thread_id)
    if message_id != message.id:
        await take_back(context, thread_id, message.id)
    return _answer(session, PostOutcome.POSTED, message_id, thread_id)


async def _begin(context: Context, request: PostRequest, session: Session, *, name: str, key: str | None) -> Post:
    """The request as it is on record now. Raises Conflict."""
    now, body = context.clock.now(), _body_text(request)
    content_hash = hash_of(body, request.message_key or "")
    post = Post(begun_at=iso(now), thread_id=session.discord_thread_id or "", content_hash=content_hash)
    channel_id = session.parent_channel_id
    known = await context.store.posts.begin(channel_id, name, post, key=key, body=body, now=now)
    if known is not None and known.content_hash != content_hash:
        raise Conflict
    return known or post


async def _show_key(context: Context, session: Session, key: str) -> tuple[str, PostOutcome]:
    """Let the message of the key show what it is to show; post it if there is none. Its id, and which it was."""
    posts, channel_id, thread_id = context.store.posts, session.parent_channel_id, session.discord_thread_id or ""
    outcome, shown = PostOutcome.EDITED, None
    wanted = await posts.get(channel_id, key)
    for _ in range(MAX_EDITS):
        if wanted is None or wanted.body is None:
            break
        if wanted.message_id is not None and wanted.body == shown:
            return wanted.message_id, outcome
        if wanted.message_id is None:
            nonce, first = message_nonce("key", channel_id, key, thread_id, str(wanted.number)), _first_of(wanted)
            try:
                message = await _post_once(context, thread_id, first, nonce, wanted)
            except DiscordRefused as refusal:
                if first == wanted.body or refusal.code in START_OVER:
                    raise
                await posts.refuse(channel_id, key, first, wanted.body)
            else:
                if await posts.finish(channel_id, key, message.id, thread_id) != message.id:
                    await take_back(context, thread_id, message.id)
                outcome = PostOutcome.POSTED
                shown = first if _shows(message, first) else None  # None: another request has edited it
        elif wanted.thread_id == thread_id and await _edit(context, thread_id, wanted.message_id, wanted.body):
            shown = wanted.body
        else:
            await posts.forget(channel_id, key, wanted.message_id, body=wanted.body, now=context.clock.now())
        wanted = await posts.get(channel_id, key)
    raise StoreUnavailable("the message kept changing")


def _first_of(wanted: Post) -> str:
    return wanted.first_body or wanted.body or ""


async def _post_once(context: Context, thread_id: str, body: str, nonce: str, begun: Post) -> Message:
    since = parse_iso(begun.begun_at) if begun.thread_id == thread_id else None
    return await post_once(
        context, thread_id, _message(body), nonce=nonce, since=since, is_it=lambda message: _shows(message, body)
    )


async def _edit(context: Context, thread_id: str, message_id: str, body: str) -> bool:
    """Whether the message shows it now; False if somebody has deleted the message."""
    try:
        await context.discord.edit_message(thread_id, message_id, _message(body))
    except NotFound as missing:
        if missing.code != refusals.UNKNOWN_MESSAGE:
            raise
        return False
    return True


def _body_text(request: PostRequest) -> str:
    return msgspec.json.encode({"content": request.content, "embeds": request.embeds}).decode()


def _message(body: str) -> dict[str, Any]:
    """The body of Create Message or Edit Message."""
    given = msgspec.json.decode(body)
    made = message_body(given["content"])
    if not given["embeds"]:
        return {**made, "embeds": []}
    return {**made, "embeds": given["embeds"], "flags": 0}  # the flag for link previews hides all embeds


def _shows(message: Message, body: str) -> bool:
    """Whether this may be the message with that body. Discord trims what it is given."""
    content: str = _message(body)["content"]
    return message.content.strip() == content.strip()


def _answer(session: Session, outcome: PostOutcome, message_id: str, thread_id: str) -> PostAnswer:
    url = message_url(session.guild_id, thread_id, message_id)
    return PostAnswer(**describe(session), outcome=outcome, message=PostedMessage(id=message_id, url=url))
