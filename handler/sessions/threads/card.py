"""The status card: the message above a session's thread shows the topic and the state that are on record. Best effort.

    change    the record: another topic (`topic_to_show`), another status
    claim     the edit, on record: nobody else edits the message for EDIT_PAUSE
    edit      the message, from the record: anybody may repeat it
    settle    what the message shows now is on record; or, if Discord refuses for good, that no edit is tried again

What was left out, because of an outage, a crash or EDIT_PAUSE, is made right by the next open or change, or by the
reconciler (`source_message.is_stale`). A thread that was adopted has no message of ours above it.
"""

import contextlib
from datetime import datetime, timedelta
from typing import Final

from handler.discord import refusals
from handler.errors import DiscordRefused, InvalidRequest, OnethreadError
from handler.runtime.clock import parse_iso
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.threads.choices import choose
from handler.sessions.threads.source_message import OPEN, card_state, describe_session, is_stale, place_of_description
from handler.store.items import Session

EDIT_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time
EDIT_PAUSE: Final = timedelta(
    seconds=10
)  # between two edits of one message: Discord limits edits of a channel's messages
MAX_EDITS: Final = 2  # by one call: without a topic that was refused, the state may still be shown


async def show_topic(context: Context, session: Session, topic: str | None) -> Session:
    """The session, shown as it is on record. `topic`: what was given now; only the first one counts."""
    is_first = session.topic is None and session.topic_to_show is None
    if topic is not None and is_first and place_of_description(session) is not None:
        with contextlib.suppress(OnethreadError):
            write = await context.store.cards.add_topic(session, topic)
            session = write.mine if write.won else session
    return await show_card(context, session)


async def change_topic(context: Context, session: Session, topic: str) -> Session:
    """The session with another topic. It is `topic_to_show` until the message shows it.

    Waits for its turn to edit the message. Raises InvalidRequest if Discord refuses to show it: then nothing has changed.
    """
    if place_of_description(session) is None:
        return await choose(context, session, lambda read: {} if read.topic == topic else {"topic": topic})
    if topic in (session.topic_to_show, session.topic) and session.topic_to_show in (None, topic):
        pending = session
    else:
        pending = await choose(context, session, lambda _: {"topic_to_show": topic})
    shown = await show_card(context, pending, patient=True)
    if topic not in (shown.topic, shown.topic_to_show):
        raise InvalidRequest("the topic cannot be shown", message=refusals.TOPIC_NOT_SHOWN)
    return shown


async def show_card(context: Context, session: Session, *, patient: bool = False) -> Session:
    """Edit the message if it does not show what is on record, and return the session as it is then.

    `patient`: wait until it may be edited again.
    """
    with contextlib.suppress(OnethreadError):
        for _ in range(MAX_EDITS):
            if not is_stale(session):
                break
            wait = _until_next_edit(session, context.clock.now())
            if wait and not patient:
                break
            if wait:
                await context.clock.sleep(wait)
            session = await _edit_once(context, session)
    return session


def _until_next_edit(session: Session, now: datetime) -> float:
    """Seconds until the message may be edited again."""
    if session.card.edited_at is None:
        return 0.0
    return max(0.0, (parse_iso(session.card.edited_at) + EDIT_PAUSE - now).total_seconds())


async def _edit_once(context: Context, session: Session) -> Session:
    """The session after an edit; as it is on record if somebody else edits the message."""
    claim = await context.store.cards.begin_edit(session, now=context.clock.now())
    if not claim.won:
        now = claim.session
        return now if now is not None and now.generation == session.generation else session
    shown = await _edit(context, claim.mine)
    state = card_state(claim.mine)
    if not shown and claim.mine.topic_to_show is not None:  # without that topic, the state may still be shown
        state = session.card.state or OPEN
    write = await context.store.cards.settle(claim.mine, state=state, shown=shown)
    return write.mine if write.won else claim.mine


async def _edit(context: Context, session: Session) -> bool:
    """Whether the message shows what is on record now. False: it never will. Raises while neither is known."""
    place = place_of_description(session)
    assert place is not None  # noqa: S101 - only what has a message is stale
    edit = context.discord.edit_message(*place, describe_session(context.names, session))
    try:
        await run_for(context.clock, EDIT_SECONDS, edit)
    except DiscordRefused as refusal:
        if refusal.code == refusals.THREAD_ARCHIVED:
            raise
        return False
    return True
