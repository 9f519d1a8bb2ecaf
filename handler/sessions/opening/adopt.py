"""A thread that bears the session's name exists already: adopt it, or link it if it is another session's."""

from handler.sessions.model import Match, Opened, Renamed, StartOver
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.reuse import make_usable, reuse
from handler.sessions.threads.generation import commit
from handler.sessions.threads.namesakes import add_namesake
from handler.sessions.threads.settle import adopt_thread
from handler.store.items import ChannelItem, Session, Status


async def adopt(
    opener: Opener, session: Session | None, matches: tuple[Match, ...], channel: ChannelItem
) -> Opened | StartOver:
    """Adopt the best match and make it usable; the others become namesakes."""
    context, request, best = opener.context, opener.request, matches[0]
    write = await adopt_thread(
        context, channel, session, request.name, best, topic=request.topic, adopted_by=opener.owner
    )
    if not write.won:
        return StartOver.WRITE_LOST
    for other in matches[1:]:
        await add_namesake(context, channel, request.name.key, other.thread)
    return await make_usable(opener, write.mine, best.thread, adopted=True)


async def link_renamed(opener: Opener, renamed: Renamed) -> Opened | StartOver:
    """Link a thread that was renamed to the requested name: it stays its own session's, committed or not yet."""
    session = renamed.session
    if session.status is Status.CREATING:
        write = await commit(opener.context, session, renamed.thread)
        if not write.won:
            return StartOver.WRITE_LOST
        session = write.mine
    return await reuse(Opener(opener.context, opener.request), session)
