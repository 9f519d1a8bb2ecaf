"""A thread that bears the session's name exists already: adopt it, or link it if it is another session's."""

from handler.runtime.concurrency import gather_limited
from handler.sessions.model import Match, Opened, Renamed, StartOver
from handler.sessions.opening import rights
from handler.sessions.opening.channel import register
from handler.sessions.opening.chosen_message import lead_to, look_up_with_message
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.reuse import make_usable, reuse
from handler.sessions.threads.extras import discard_or_note
from handler.sessions.threads.generation import commit
from handler.sessions.threads.namesakes import note_other_name
from handler.sessions.threads.settle import MAX_SETTLED_AT_ONCE, adopt_thread
from handler.store.items import ChannelItem, Session, Status


async def adopt(
    opener: Opener, session: Session | None, matches: tuple[Match, ...], channel: ChannelItem
) -> Opened | StartOver:
    """Adopt the best match and make it usable; the others become namesakes."""
    context, request, best = opener.context, opener.request, matches[0]
    if best.thread.archived and not best.thread.locked:
        rights.require_reopening(request, context.settings_of(channel).open, best.thread.id)
    # Before the adoption: after a crash nobody would come back to it.
    await note_other_name(context, channel, request.name.key, best.thread)
    write = await adopt_thread(context, channel, session, request.name, best, adopted_by=opener.owner)
    if not write.won:
        return StartOver.WRITE_LOST
    others = [
        discard_or_note(context, channel, write.mine, request.name.key, other.thread, other.pointer)
        for other in matches[1:]
    ]
    await gather_limited(MAX_SETTLED_AT_ONCE, others)
    return await make_usable(opener, write.mine, best.thread, adopted=True)


async def open_existing(opener: Opener, session: Session | None, channel: ChannelItem) -> Opened | StartOver:
    """For a requester who may not have a thread started: open the one that exists, in a channel that may be unknown yet.

    Raises NotAllowed, with nothing written, if a look-up finds none.
    """
    found, chosen = await look_up_with_message(opener, channel)
    if not found.adoptable and found.renamed is None:
        if chosen is not None and chosen.owner is not None:
            return lead_to(opener, chosen.owner)
        rights.require_starting(opener.request, opener.context.settings_of(channel).open, channel.kind)
    if found.adoptable:
        adopted = await adopt(opener, session, found.adoptable, channel)
        await register(opener.context, channel)
        return adopted
    assert found.renamed is not None  # noqa: S101 - else it was refused
    return await link_renamed(opener, found.renamed)


async def link_renamed(opener: Opener, renamed: Renamed) -> Opened | StartOver:
    """Link a thread that was renamed to the requested name: it stays its own session's, committed or not yet."""
    session = renamed.session
    if session.status is Status.CREATING:
        write = await commit(opener.context, session, renamed.thread)
        if not write.won:
            return StartOver.WRITE_LOST
        session = write.mine
    return await reuse(Opener(opener.context, opener.request, known_settings=opener.known_settings), session)
