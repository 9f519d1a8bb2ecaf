"""What a session says of its open questions: since when it waits, and the id of the newest one.

    start   the question is on record first: who reads the session finds it
    stop    the newest question of the session is read again, consistently; if it is over, the newest of the others takes
            its place, and with none left the session waits no more

Each write needs the newest question as it was read. So a question that is asked meanwhile stays the newest.
"""

import contextlib
from typing import Final

from handler.errors import OnethreadError
from handler.sessions.context import Context
from handler.sessions.threads.card import show_card
from handler.store.items import Session
from handler.store.question_items import Question

MAX_OPEN: Final = 25  # questions of one thread that are looked at: more at once would not be read by anybody


async def start_waiting(context: Context, question: Question) -> None:
    """The session waits for this question, unless it has lost its thread."""
    await context.store.questions.start_waiting(question)


async def show_waiting(context: Context, question: Question) -> Session | None:
    """The question has its card: show above the thread that the session waits for it, and return the session. Best effort."""
    with contextlib.suppress(OnethreadError):
        write = await context.store.questions.link_waiting(question)
        if write.won:
            return await show_card(context, write.mine)
    return None


async def stop_waiting(context: Context, question: Question) -> None:
    """The question is over: the session waits for another one, or for none."""
    store = context.store
    session = await store.sessions.get(*question.pair)
    if session is None or session.waiting_for is None:
        return
    newest = await store.questions.get(session.parent_channel_id, session.waiting_for)
    if newest is not None and newest.is_open:
        return
    others = await store.questions.open_in(question.discord_thread_id, MAX_OPEN)
    over = {question.id, session.waiting_for}
    left = next((other for other in others if other.id not in over), None)
    write = await store.questions.stop_waiting(session, left)
    if write.won:
        await show_card(context, write.mine)


async def newest_open(context: Context, thread_id: str) -> tuple[Question, ...]:
    """The open questions of a thread, the newest first, read consistently one by one."""
    found = await context.store.questions.open_in(thread_id, MAX_OPEN)
    fresh = [await context.store.questions.get(one.parent_channel_id, one.id) for one in found]
    return tuple(one for one in fresh if one is not None and one.is_open)
