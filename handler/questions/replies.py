"""Replies to a card: an answer, where a text is one.

A reply is a message, so it is read from the thread. Who wrote it and when is always shown; what it says, if it pings the app
or the app has the Message Content intent. A message has no roles: they are fetched, and count as they are then.
"""

from typing import Final

from handler.discord.models import Message
from handler.discord.rest import PAGE_SIZE
from handler.errors import NotFound
from handler.questions.model import Answer, Spec, encode, read_spec
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.store.question_items import Question

MAX_PAGES: Final = 5  # messages read at a time, by the hundred: the next reader goes on


async def read_replies(context: Context, question: Question) -> Question:
    """The question, answered by the first reply that may answer it. Raises what Discord refuses."""
    if not question.is_open or not question.takes_text or question.message_id is None:
        return question
    after = question.read_to or question.message_id
    for _ in range(MAX_PAGES):
        page = await context.discord.messages_after(question.discord_thread_id, after)
        question = await take_replies(context, question, page)
        if not question.is_open or len(page) < PAGE_SIZE:
            return question
        after = page[-1].id
        question = (await context.store.questions.note_read(question, after)).current
    return question


async def take_replies(context: Context, question: Question, page: tuple[Message, ...]) -> Question:
    """The question, answered by the first of these messages that may answer it."""
    spec = read_spec(question)
    for message in page:
        if message.replies_to != question.message_id or not await _may_answer(context, question, spec, message):
            continue
        answer = Answer(text=_text(context, message), by=message.author.id, at=iso(parse_iso(message.timestamp)))
        write = await context.store.questions.answer(
            question, encode(answer), via=message.id, at=parse_iso(message.timestamp), now=context.clock.now()
        )
        question = write.current
        if not question.is_open:
            break
    return question


async def _may_answer(context: Context, question: Question, spec: Spec, message: Message) -> bool:
    author = message.author
    if author.bot or not _text(context, message):
        return False
    if not spec.role_ids or author.id in spec.user_ids:
        return spec.may_answer(author.id, frozenset())
    try:
        roles = await context.discord.member_roles(question.guild_id, author.id)
    except NotFound:  # no longer a member
        return False
    return spec.may_answer(author.id, roles)


def _text(context: Context, message: Message) -> str:
    """What the reply says, without the mention of the app in it."""
    return message.content.replace(f"<@{context.application_id}>", "").strip()
