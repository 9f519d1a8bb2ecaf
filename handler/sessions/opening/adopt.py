"""Adopt for an opener: a thread that bears the session's name is there already."""

from handler.discord.models import Channel
from handler.sessions.context import Context, OpenHistory
from handler.sessions.model import Opened, OpenRequest
from handler.sessions.opening.reuse import make_usable
from handler.sessions.threads.settle import _adopt, _note
from handler.store.items import ChannelItem, Pointer, Session

Matches = tuple[tuple[Channel, Pointer | None], ...]


async def adopt(
    context: Context,
    session: Session | None,
    matches: Matches,
    channel: ChannelItem,
    request: OpenRequest,
    history: OpenHistory,
) -> Opened | None:
    """Adopt the best match for the opener and make it usable; None: somebody was quicker, read again."""
    thread, pointer = matches[0]
    write = await _adopt(
        context,
        channel,
        session,
        request.name,
        thread,
        pointer,
        topic=request.topic,
        adopted_by=request.requester.owner,
    )
    if not write.won:
        return None
    for other, _ in matches[1:]:
        await _note(context, channel, request.name.key, other)
    return await make_usable(context, write.mine, thread, request, history, adopted=True)
