"""The topic of a session that has its thread already: the first one given is shown in its description. Best effort.

    to show   on record: the topic, and that the source message is still to be edited
    edit      the source message, or the post's first message, from the record: anybody may repeat it
    settle    the topic is the session's; or, if Discord refuses the edit for good, the session has none

After a crash or an outage the next open goes on from the record. A thread that was adopted has no source message of ours
on record, and a person's one cannot be edited: nothing can show the topic, and the session has none.
"""

import contextlib
from typing import Final

from handler.errors import DiscordRefused, OnethreadError
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.threads.source_message import describe_session, place_of_description
from handler.store.items import Session

EDIT_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time


async def show_topic(context: Context, session: Session, topic: str | None) -> Session:
    """The session with its topic, as far as the source message shows it. `topic`: what was given now."""
    with contextlib.suppress(OnethreadError):
        if topic is not None and place_of_description(session) is not None and _has_no_topic(session):
            write = await context.store.sessions.add_topic(session, topic)
            session = write.mine if write.won else session
        if session.topic_to_show is not None:
            write = await context.store.sessions.settle_topic(session, shown=await _edit(context, session))
            session = write.mine if write.won else session
    return session


def _has_no_topic(session: Session) -> bool:
    return session.topic is None and session.topic_to_show is None


async def _edit(context: Context, session: Session) -> bool:
    """Whether the description shows the topic now. False: it never will. Raises while neither is known."""
    if (place := place_of_description(session)) is None:
        return False
    edit = context.discord.edit_message(*place, describe_session(context.names, session, topic=session.topic_to_show))
    try:
        await run_for(context.clock, EDIT_SECONDS, edit)
    except DiscordRefused:
        return False
    return True
