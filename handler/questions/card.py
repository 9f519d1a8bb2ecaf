"""The card: the message that shows a question, its buttons and how it ended; the modals; and the reminder. Pure.

The `custom_id` of a button is ``answer:QUESTION:N`` for the choice of that number, or ``answer:QUESTION:write``, which
opens a modal of the same `custom_id`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from handler.discord import components, markdown
from handler.discord.components import PARAGRAPH, SHORT, Component, Modal
from handler.discord.fitting import MAX_CONTENT
from handler.discord.messages import SUPPRESS_EMBEDS
from handler.questions.model import MAX_TEXT, Answer, Field, FieldType, Spec, Style
from handler.runtime.clock import parse_iso
from handler.runtime.utf16 import utf16_units
from handler.store.question_items import Question, QuestionState

ANSWER: Final = "answer"  # the name of the buttons and of the modal
WRITE: Final = "write"  # in place of a choice's number
TEXT: Final = "text"  # the modal's only field, where no form was given
MAX_SHOWN: Final = 120  # units of an answer on the card, which has the question above it
FENCE: Final = "```"  # begins a block of code, and ends it (Discord docs, "Message Formatting")
CLOSED: Final = f"\n{FENCE}"

_STYLES: Final = {
    Style.PRIMARY: components.PRIMARY,
    Style.SECONDARY: components.SECONDARY,
    Style.SUCCESS: components.SUCCESS,
    Style.DANGER: components.DANGER,
}


def card_body(question: Question, spec: Spec, answer: Answer | None) -> dict[str, Any]:
    """The body of Create Message or Edit Message: the question as it stands. Only a new card mentions who may answer."""
    return {
        "content": _fit(
            spec.question, list(_status_lines(question, spec, answer)), _names(spec) if question.is_open else ()
        ),
        "components": list(_rows(question, spec)) if question.is_open else [],
        "allowed_mentions": _mentions(spec) if question.is_open else {"parse": []},
        "embeds": [],
        "flags": SUPPRESS_EMBEDS,
    }


def reminder_body(question: Question, spec: Spec) -> dict[str, Any]:
    """The body of the one reminder: a reply to the card, which mentions who may answer."""
    closes = markdown.timestamp(parse_iso(question.closes_at), "R")
    who = " ".join(_names(spec))
    return {
        "content": f"{who} This question is still waiting for an answer. It closes {closes}.".strip(),
        "allowed_mentions": {**_mentions(spec), "replied_user": False},
        "message_reference": {"message_id": question.message_id, "fail_if_not_exists": False},
        "flags": SUPPRESS_EMBEDS,
    }


def describe_outcome(question: Question, spec: Spec, answer: Answer | None) -> str:
    """How a question ended, on one line."""
    said = "" if answer is None else describe_answer(spec, answer)
    match question.state:
        case QuestionState.ANSWERED:
            by = f" · <@{answer.by}>" if answer is not None and isinstance(answer.by, str) else ""
            return f"✅ {said}{by}"
        case QuestionState.EXPIRED:
            return f"⌛ Nobody answered in time. This holds: {said}" if said else "⌛ Nobody answered in time."
        case QuestionState.CANCELLED:
            return "🚫 This question was withdrawn."
        case QuestionState.OPEN:
            return "This question is still open."
    raise ValueError(f"unknown state {question.state!r}")


def describe_answer(spec: Spec, answer: Answer) -> str:
    """The answer as people read it, escaped and cut."""
    if isinstance(answer.choice, str):
        return _shown(next((c.label for c in spec.choices if c.id == answer.choice), answer.choice))
    if isinstance(answer.values, dict):
        parts = (f"{field.label}: {_label_of(field, answer.values.get(field.id, ''))}" for field in spec.form)
        return _shown(" · ".join(parts))
    return _shown(answer.text if isinstance(answer.text, str) else "")


def modal(question: Question, spec: Spec) -> Modal:
    """The form, or one field for a text."""
    custom_id = f"{ANSWER}:{question.id}:{WRITE}"
    if not spec.form:
        field = components.text_field(TEXT, "Your answer", style=PARAGRAPH, most=MAX_TEXT)
        return Modal("Answer", custom_id, [field])
    return Modal("Answer", custom_id, [_field(field) for field in spec.form])


def is_card_of(question: Question, parts: Sequence[Any]) -> bool:
    """Whether a message with these components is a card of the question."""
    return any(
        str(part.get("custom_id", "")).startswith(f"{ANSWER}:{question.id}:")
        or is_card_of(question, part.get("components", ()))
        for part in parts
        if isinstance(part, dict)
    )


def _status_lines(question: Question, spec: Spec, answer: Answer | None) -> Iterator[str]:
    if not question.is_open:
        yield describe_outcome(question, spec, answer)
        return
    if spec.takes_text:
        yield "-# You can also reply to this message. Leave the mention on, so that I can read it."
    yield f"Closes {markdown.timestamp(parse_iso(question.closes_at), 'R')}."


def _fit(text: str, status: list[str], names: Iterable[str]) -> str:
    """The question, how it stands, and as many names as there is room for. Of a question that is too long the end goes."""
    end = "\n".join(["", "", *status])
    shown = markdown.shorten(text, MAX_CONTENT - utf16_units(end) - len(CLOSED))
    shown += CLOSED if shown.count(FENCE) % 2 else ""  # else all that follows were code: no time, and nobody mentioned
    shown += end
    before = " For "
    for name in names:
        if utf16_units(shown) + len(before) + utf16_units(name) > MAX_CONTENT:
            break
        shown += before + name
        before = " "
    return shown


def _rows(question: Question, spec: Spec) -> Iterator[Component]:
    buttons = [
        components.button(choice.label, f"{ANSWER}:{question.id}:{number}", style=_STYLES[choice.style])
        for number, choice in enumerate(spec.choices)
    ]
    for start in range(0, len(buttons), components.MAX_ROW):
        yield components.row(*buttons[start : start + components.MAX_ROW])
    if spec.takes_text or spec.form:
        label, style = ("Other…", components.SECONDARY) if spec.choices else ("Answer…", components.PRIMARY)
        yield components.row(components.button(label, f"{ANSWER}:{question.id}:{WRITE}", style=style))


def _field(field: Field) -> Component:
    if field.type is FieldType.SELECT:
        options = [components.option(option.label, option.id) for option in field.options or ()]
        select = components.select(field.id, options, fewest=1 if field.required else 0)
        return components.field_label(field.label, {**select, "required": field.required})
    style = PARAGRAPH if field.type is FieldType.PARAGRAPH else SHORT
    return components.text_field(field.id, field.label, style=style, required=field.required, most=MAX_TEXT)


def _label_of(field: Field, value: str) -> str:
    return next((option.label for option in field.options or () if option.id == value), value) or "–"


def _shown(text: str) -> str:
    """Shortened before it is escaped, and once more: at most twice as long."""
    return f"**{markdown.escape(markdown.shorten(' '.join(text.split()), MAX_SHOWN))}**"


def _names(spec: Spec) -> Iterator[str]:
    yield from (markdown.user_mention(user_id) for user_id in spec.user_ids)
    yield from (f"<@&{role_id}>" for role_id in spec.role_ids)


def _mentions(spec: Spec) -> dict[str, Any]:
    return {"parse": [], "users": list(spec.user_ids), "roles": list(spec.role_ids)}
