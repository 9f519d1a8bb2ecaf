"""People answer questions: the buttons and the form of a card, and *Answer with this message*.

The card is public. Whoever answers by it gets the finished card in its place (`InPlace`); whoever cannot is told so in a
message of their own, and the card stays.
"""

from functools import partial
from typing import Final

from handler.commands import question_texts, texts
from handler.commands.command import Answer, InPlace
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.questions.card import TEXT, WRITE, modal
from handler.questions.model import MAX_TEXT, Refusal, Spec, check_values, read_spec
from handler.questions.model import Answer as Given
from handler.questions.respond import Person, Read, find_for, respond
from handler.questions.show import correct_soon, finished_card
from handler.questions.waiting import newest_open
from handler.runtime import telemetry
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.sessions.protocol import Sessions

MENU_NAME: Final = "Answer with this message"  # as people see it


async def press(sessions: Sessions, interaction: Interaction) -> Answer:
    """A button of a card: an answer, or the form for one. The form takes one read first: it is the question's."""
    question_id, _, what = interaction.argument.rpartition(":")
    if interaction.user_id is None:
        return texts.unreadable_command()
    if what != WRITE:
        return await _answer(sessions.context, interaction, question_id, partial(_choice, what, interaction, sessions))
    found = await find_for(sessions.context, question_id, _person(interaction))
    if found.refusal is not None or found.question is None:
        return question_texts.refused(found.refusal or Refusal.UNKNOWN, found.question)
    if not found.question.is_open:  # this very form was sent
        return question_texts.recorded(found.question)
    return modal(found.question, read_spec(found.question))


async def submit(sessions: Sessions, interaction: Interaction) -> Answer:
    """The form of a card."""
    question_id, _, _ = interaction.argument.rpartition(":")
    if interaction.user_id is None:
        return texts.unreadable_command()
    return await _answer(sessions.context, interaction, question_id, partial(_values, interaction, sessions))


async def answer_with_message(sessions: Sessions, interaction: Interaction) -> Answer:
    """*Answer with this message*: it is the answer to the newest open question of the thread that takes a text.

    Who uses the command answers, whoever wrote the message.
    """
    context, target = sessions.context, interaction.target
    if interaction.guild_id is None:
        return texts.guild_required()
    if target is None or interaction.user_id is None or interaction.channel_id is None:
        return texts.unreadable_command()
    if not target.content.strip():
        return question_texts.no_text()
    found = await newest_open(context, interaction.channel_id)
    if any(one.message_id == target.id for one in found):
        return question_texts.is_question()
    question = next((one for one in found if one.takes_text), None)
    if question is None:
        return question_texts.nothing_open(takes_text=not found)
    text = target.content.strip()
    response = await respond(
        context, question.id, _person(interaction), lambda _: _given(interaction, sessions, text=text)
    )
    if response.refusal is not None or response.question is None:
        return question_texts.refused(response.refusal or Refusal.UNKNOWN, response.question)
    telemetry.set_fields(outcome="answered")
    await correct_soon(context, response.question)
    return question_texts.recorded(response.question)


async def _answer(context: Context, interaction: Interaction, question_id: str, read: Read) -> Message | InPlace:
    response = await respond(context, question_id, _person(interaction), read)
    question = response.question
    if response.refusal is not None or question is None:
        refusal = response.refusal or Refusal.UNKNOWN
        telemetry.set_fields(outcome=f"answer_{refusal.name.lower()}")
        return question_texts.refused(refusal, question)
    telemetry.set_fields(outcome="answered")
    return InPlace(finished_card(question), question_texts.recorded(question), partial(correct_soon, context, question))


def _person(interaction: Interaction) -> Person:
    return Person(interaction.user_id or "", interaction.user_roles, interaction.id)


def _choice(number: str, interaction: Interaction, sessions: Sessions, spec: Spec) -> Given | None:
    """The choice of a button. None: the question has no such choice, so the button is not ours."""
    if not number.isdecimal() or int(number) >= len(spec.choices):
        return None
    return _given(interaction, sessions, choice=spec.choices[int(number)].id)


def _values(interaction: Interaction, sessions: Sessions, spec: Spec) -> Given | None:
    """What was filled in. None if it does not fit: Discord checks a form, so it was not sent by its client."""
    if not spec.form:
        text = (interaction.text(TEXT) or "").strip()[:MAX_TEXT]
        return _given(interaction, sessions, text=text) if text and spec.takes_text else None
    values = {name: given[0].strip() for name, given in interaction.fields.items() if given and given[0].strip()}
    if check_values(spec.form, values) is not None:
        return None
    return _given(interaction, sessions, values=values)


def _given(interaction: Interaction, sessions: Sessions, **what: object) -> Given:
    return Given(by=interaction.user_id or "", at=iso(sessions.context.clock.now()), **what)  # type: ignore[arg-type]  # the callers'
