"""The card on Discord: posted once, shown again once if it was deleted, and edited into how the question ended."""

import contextlib
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from handler.discord import refusals
from handler.discord.messages import message_nonce
from handler.errors import DiscordRefused, NotFound, OnethreadError
from handler.questions.card import card_body, is_card_of
from handler.questions.model import Spec, read_answer, read_spec
from handler.questions.waiting import stop_waiting
from handler.runtime.clock import parse_iso
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.threads.once import post_once, take_back
from handler.store.question_items import Question

MAX_CARDS: Final = 2  # a card that was deleted is shown once more: who deletes that one means it
EDIT_SECONDS: Final = 1.0  # no answer waits longer for it: the reconciler makes the card right
ARCHIVED_WAIT: Final = timedelta(days=1)  # a thread that is archived shows no card to correct; it may be opened again
_GONE: Final = frozenset({refusals.UNKNOWN_MESSAGE, refusals.UNKNOWN_CHANNEL})
_UNCHANGEABLE: Final = frozenset({refusals.THREAD_ARCHIVED, refusals.THREAD_LOCKED})


async def show_card(context: Context, question: Question, thread_id: str) -> Question:
    """The question with its card in that thread; posted if it is not there yet.

    Raises DiscordRefused. If Discord refuses the words of the first card, the question is withdrawn: nobody waits for it.
    """
    if question.message_id is not None and question.discord_thread_id == thread_id:
        return question
    if question.message_id is not None:  # in a thread that the session has no more
        question = (await context.store.questions.hide(question)).current
        if not question.is_open or question.message_id is not None:
            return question
    spec, number = read_spec(question), question.card_number
    try:
        message = await post_once(
            context,
            thread_id,
            card_body(question, spec, None),
            nonce=message_nonce("card", question.id, thread_id, str(number)),
            since=parse_iso(question.asked_at),
            is_it=lambda message: is_card_of(question, message.components),
        )
    except DiscordRefused as refusal:
        if number == 0 and refusals.refuses_words(refusal):  # nobody saw it, and nobody will
            withdrawn = await context.store.questions.cancel(question, now=context.clock.now())
            await correct_soon(context, withdrawn.current)
        raise
    write = await context.store.questions.show(question, message.id, thread_id)
    if write.current.message_id != message.id:
        await take_back(context, thread_id, message.id)
    return write.current


async def find_card(context: Context, question: Question) -> Question:
    """The question; its card is posted again if somebody has deleted it, once. Raises what Discord refuses."""
    if not question.is_open or question.card_number + 1 >= MAX_CARDS:
        return question
    if question.message_id is not None:
        try:
            await context.discord.message(question.discord_thread_id, question.message_id)
        except NotFound as missing:
            if missing.code != refusals.UNKNOWN_MESSAGE:
                raise
            question = (await context.store.questions.hide(question)).current
    return await show_card(context, question, question.discord_thread_id) if question.is_open else question


class CardEdit(Enum):
    """What came of showing how a question ended."""

    DONE = auto()  # or there is no card
    POSTPONED = auto()  # its thread is archived


async def correct_card(context: Context, question: Question) -> CardEdit:
    """Show how a question that is over ended, and that nobody waits for it; then nothing is left to do about it.

    Raises OnethreadError if it is to be tried again.
    """
    await stop_waiting(context, question)
    if question.message_id is not None:
        body = card_body(question, read_spec(question), read_answer(question))
        try:
            await context.discord.edit_message(question.discord_thread_id, question.message_id, body)
        except DiscordRefused as refusal:
            if refusal.code in _UNCHANGEABLE:
                await context.store.questions.postpone(question, context.clock.now() + ARCHIVED_WAIT)
                return CardEdit.POSTPONED
            if refusal.code not in _GONE:
                raise
    await context.store.questions.settle(question)
    return CardEdit.DONE


async def correct_soon(context: Context, question: Question) -> None:
    """The same, best effort: what is left is the reconciler's."""
    with contextlib.suppress(OnethreadError):
        await run_for(context.clock, EDIT_SECONDS, _correct(context, question))


async def _correct(context: Context, question: Question) -> None:
    await correct_card(context, question)


def finished_card(question: Question) -> dict[str, object]:
    """The card of a question that is over."""
    spec: Spec = read_spec(question)
    return card_body(question, spec, read_answer(question))
