"""The message that a member chose for a session: *Open session here*.

It takes the place of an anchor if neither it nor the session has a thread. Its id is recorded in the same write as an
anchor's, so the protocol's guarantee is the same: the first source message of a generation wins, and the pointer of its
thread-to-be tells everybody whose it is. A thread that was started from it already is adopted, as one that bears the
session's name; the thread of another session is linked as it is.

The message is never deleted, unless this bot wrote it.
"""

from typing import Final

import msgspec

from handler.discord import refusals
from handler.discord.markdown import channel_mention
from handler.discord.models import Channel, Message
from handler.errors import InvalidRequest, NotFound, UnreadableItem
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.model import LookUp, Match, StartOver
from handler.sessions.names import SessionName
from handler.sessions.opening.claim import renew_lease
from handler.sessions.opening.opener import Opener
from handler.sessions.threads.look_up import look_up
from handler.sessions.threads.match import is_adoptable, is_public_thread
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import ChannelItem, Pointer, Session

GONE: Final = "That message isn't in this channel any more. `/session open` opens the session without it."
USED_UP: Final = (
    "Discord doesn't let me start a thread from that message, perhaps because it had one that was deleted. "
    "`/session open` opens the session without it."
)


class ChosenMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen message as it was read; it can be the source message, or its thread is the session of an `owner`."""

    id: str
    is_persons: bool  # somebody else than this bot wrote it
    pointer: Pointer | None  # of its thread, or thread-to-be
    owner: Session | None = None  # another session, which has its thread


async def look_up_with_message(opener: Opener, channel: ChannelItem) -> tuple[LookUp, ChosenMessage | None]:
    """The look-up of the session's name, and the chosen message, if one was chosen and is of use.

    A thread of the message is the first match, if it bears the name or nothing does. Raises InvalidRequest if the message
    is needed and cannot be used, and what a look-up raises.
    """
    context, request = opener.context, opener.request
    if request.message_id is None:
        return await look_up(context, channel, request.name), None
    message_id = request.message_id
    found, thread, message, pointers = await gather(
        look_up(context, channel, request.name),
        translate_refusals(context, channel.channel_id, context.discord.channel_or_none(message_id)),
        _read_message(context, channel.channel_id, message_id),
        context.store.pointers.get_many([message_id]),
    )
    if found.adoptable or found.renamed is not None:  # the name has a thread: the message stays as it is
        matches = sorted(found.adoptable, key=lambda match: match.thread.id != message_id)
        return msgspec.structs.replace(found, adoptable=tuple(matches)), None
    if message_id in pointers.unreadable:
        raise UnreadableItem(f"the pointer of the thread {message_id} cannot be read")
    pointer = pointers.get(message_id)
    owner = await _read_owner(context, channel, request.name.key, pointer)
    if thread is not None and _can_be_adopted(thread, channel, request.name.key, pointer, owner):
        return msgspec.structs.replace(found, adoptable=(Match(thread, pointer),)), None
    if owner is None and pointer is not None and pointer.merged_into is not None:
        kept = channel_mention(pointer.merged_into)
        raise InvalidRequest(
            "its thread was merged", message=f"That message's thread is closed. It continues in {kept}."
        )
    if owner is None and (message is None or thread is not None):
        raise InvalidRequest(f"message {message_id} is gone, or of another channel", message=GONE)
    is_persons = message is None or message.author.id != await context.discord.current_user_id()
    return found, ChosenMessage(id=message_id, is_persons=is_persons, pointer=pointer, owner=owner)


async def record_chosen(opener: Opener, session: Session, chosen: ChosenMessage) -> Session | StartOver:
    """Record the chosen message as the source message of this generation. Only the first one wins.

    Raises InvalidRequest if a generation of this open has ended with it: then Discord starts no thread from it.
    """
    if opener.recorded_chosen:
        raise InvalidRequest(f"no thread can be started from message {chosen.id}", message=USED_UP)
    held = await renew_lease(opener, session)
    if isinstance(held, StartOver):
        return held
    context = opener.context
    context.discord.check_start_limit(session.parent_channel_id)
    write = await context.store.sessions.record(held, chosen.id, is_persons=chosen.is_persons, pointer=chosen.pointer)
    if not write.won:
        return StartOver.WRITE_LOST
    opener.recorded_chosen = True
    return write.mine


def lead_to(opener: Opener, owner: Session) -> StartOver:
    """From now on open the session that has the chosen message, as long as it has it."""
    opener.asked = opener.request
    opener.request = msgspec.structs.replace(
        opener.request,
        name=SessionName(owner.session_key, owner.session_name),
        parent_channel_id=owner.parent_channel_id,
        topic=None,
    )
    opener.messages_lost = 0
    return StartOver.LED_ELSEWHERE


async def _read_message(context: Context, channel_id: str, message_id: str) -> Message | None:
    request = context.discord.message(channel_id, message_id)
    try:
        return await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)
    except NotFound:
        return None


async def _read_owner(context: Context, channel: ChannelItem, key: str, pointer: Pointer | None) -> Session | None:
    """The other session that has the thread to which the pointer belongs; None if none has it."""
    if pointer is None or pointer.session_key is None or pointer.names(channel.channel_id, key):
        return None
    owner = await context.store.sessions.get(pointer.parent_channel_id or "", pointer.session_key)
    return owner if owner is not None and owner.has(pointer.thread_id) else None


def _can_be_adopted(
    thread: Channel, channel: ChannelItem, key: str, pointer: Pointer | None, owner: Session | None
) -> bool:
    is_ours = thread.parent_id == channel.channel_id and is_public_thread(thread)
    return is_ours and is_adoptable(pointer, owner, channel.channel_id, key)
