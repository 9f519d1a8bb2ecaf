"""What a question asks for, and its answer. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from handler.discord.snowflakes import id_field, is_snowflake
from handler.runtime.characters import shows_something
from handler.runtime.clock import iso
from handler.runtime.validation import CHARACTERS, text_field
from handler.store.hashes import hash_of, is_hash
from handler.store.question_items import Question

MAX_QUESTION: Final = (
    1800  # characters; the rest of Discord's 2000 says who may answer, until when, and what came of it
)
MAX_CHOICES: Final = 20  # four rows of five buttons; the fifth row is for "Other…"
MAX_FIELDS: Final = 5  # of a modal (Discord docs, "Components")
MAX_OPTIONS: Final = 25  # of a select (the same page)
MAX_ID: Final = 64  # characters: what a program tells its choices apart by, in its own log lines
MAX_BUTTON: Final = 80  # characters of a button's label (Discord docs, "Components")
MAX_FIELD_LABEL: Final = 45  # characters of a field's label (the same page)
MAX_OPTION_LABEL: Final = 100  # characters of an option's label (the same page)
MAX_TEXT: Final = 1000  # characters of an answer: it is read on a card, and by programs that asked one question
MAX_ANSWERERS: Final = 20  # users, and roles: their mentions fit on the card beside the question
MIN_SECONDS: Final = 60  # a person has to read it
MAX_SECONDS: Final = 2_592_000  # thirty days
DEFAULT_SECONDS: Final = 604_800  # a week

Id = Annotated[str, text_field(MAX_ID, least=1)]  # an empty one would tell nothing apart
Seconds = Annotated[
    int,
    msgspec.Meta(
        ge=MIN_SECONDS, le=MAX_SECONDS, description=f"a whole number of seconds from {MIN_SECONDS} to {MAX_SECONDS}"
    ),
]
Ids = Annotated[
    tuple[Annotated[str, id_field("an id")], ...],
    msgspec.Meta(
        max_length=MAX_ANSWERERS,
        description=f"a list of at most {MAX_ANSWERERS} ids",
        extra={"check": lambda ids: all(map(is_snowflake, ids))},
    ),
]


def list_field(most: int, of: str) -> msgspec.Meta:
    """What is said of a field that holds so many things."""
    return msgspec.Meta(min_length=1, max_length=most, description=f"a list of 1 to {most} {of}")


class Style(StrEnum):
    """The colour of a choice's button."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    SUCCESS = "success"
    DANGER = "danger"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers to choose from: a button."""

    id: Id
    label: Annotated[str, text_field(MAX_BUTTON, least=1)]
    style: Annotated[Style, msgspec.Meta(description=f"one of {', '.join(Style)}")] = Style.SECONDARY

    def faults(self) -> Iterator[str]:
        """What is wrong with it as a whole."""
        yield from _faults_of_label(self.label)


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One of a select."""

    id: Id
    label: Annotated[str, text_field(MAX_OPTION_LABEL, least=1)]

    def faults(self) -> Iterator[str]:
        """What is wrong with it as a whole."""
        yield from _faults_of_label(self.label)


class FieldType(StrEnum):
    """What people fill in."""

    TEXT = "text"  # one line
    PARAGRAPH = "paragraph"
    SELECT = "select"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form."""

    id: Id
    label: Annotated[str, text_field(MAX_FIELD_LABEL, least=1)]
    type: Annotated[FieldType, msgspec.Meta(description=f"one of {', '.join(FieldType)}")]
    required: Annotated[bool, msgspec.Meta(description="true or false")] = True
    options: Annotated[tuple[Option, ...], list_field(MAX_OPTIONS, "options")] | None = None

    def faults(self) -> Iterator[str]:
        """What is wrong with it as a whole."""
        yield from _faults_of_label(self.label)
        if (self.type is FieldType.SELECT) != (self.options is not None):
            yield "options belong to a select, and a select has them"
        if not _differ(self.options or ()):
            yield "options need ids that differ"


class Answerers(msgspec.Struct, frozen=True, kw_only=True):
    """Who may answer: these users, and whoever has one of these roles. A request names somebody."""

    user_ids: Ids | None = None
    role_ids: Ids | None = None


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a question that nobody answers in time."""

    choice: Id | None = None
    values: (
        Annotated[
            dict[str, Annotated[str, msgspec.Meta(pattern=CHARACTERS)]],
            msgspec.Meta(description="an object of strings"),
        ]
        | None
    ) = None


class Spec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question as it was asked. With neither choices nor a form, its answer is a text."""

    question: str
    choices: tuple[Choice, ...] = ()
    form: tuple[Field, ...] = ()
    allow_other: bool = False
    user_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    expires_in: int = DEFAULT_SECONDS  # seconds
    remind_in: int | None = None  # seconds
    default: Default | None = None

    @property
    def takes_text(self) -> bool:
        """Whether a text of any kind is an answer."""
        return not self.form and (self.allow_other or not self.choices)

    def may_answer(self, user_id: str, roles: frozenset[str]) -> bool:
        """Whether the answer of a user with these roles counts."""
        if not self.user_ids and not self.role_ids:
            return True
        return user_id in self.user_ids or not roles.isdisjoint(self.role_ids)

    def faults(self) -> Iterator[str]:
        """What is wrong with the question as a whole."""
        if self.choices and self.form:
            yield "a question has choices or a form, not both"
        if self.allow_other and not self.choices:
            yield "'allow_other' belongs to choices"
        if not _differ(self.choices):
            yield "'choices' need ids that differ"
        if not _differ(self.form):
            yield "'form' needs ids that differ"
        if self.remind_in is not None and self.remind_in >= self.expires_in:
            yield "'remind_in' must be less than 'expires_in'"
        if self.default is not None:
            yield from self._faults_of_default(self.default)

    def _faults_of_default(self, default: Default) -> Iterator[str]:
        if (default.choice is None) == (default.values is None):
            yield "'default' has either a choice or values"
        elif default.choice is not None and default.choice not in {choice.id for choice in self.choices}:
            yield "'default.choice' must be the id of a choice"
        elif default.values is not None and check_values(self.form, default.values) is not None:
            yield "'default.values' must fit the form"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered. A default that was applied has no `by`."""

    choice: str | UnsetType = UNSET
    values: dict[str, str] | UnsetType = UNSET
    text: str | UnsetType = UNSET
    by: str | UnsetType = UNSET  # the user's id
    at: str


class Refusal(Enum):
    """Why an answer does not count."""

    UNKNOWN = auto()  # there is no such question
    NOT_ALLOWED = auto()  # it is for others
    OVER = auto()  # it is over
    IMPOSSIBLE = auto()  # it is no answer to this question


_spec: Final = msgspec.json.Decoder(Spec)
_answer: Final = msgspec.json.Decoder(Answer)


def read_spec(question: Question) -> Spec:
    """What the item asks for."""
    return _spec.decode(question.spec)


def read_answer(question: Question) -> Answer | None:
    """The answer on record."""
    return None if question.answer is None else _answer.decode(question.answer)


def encode(part: Spec | Answer) -> str:
    """As an item has it."""
    return msgspec.json.encode(part).decode()


def answer_of_default(spec: Spec, now: datetime) -> Answer | None:
    """The answer of a question that has expired."""
    if spec.default is None:
        return None
    if spec.default.choice is not None:
        return Answer(choice=spec.default.choice, at=iso(now))
    return Answer(values=spec.default.values or {}, at=iso(now))


def check_values(form: Sequence[Field], values: dict[str, str]) -> str | None:
    """What is wrong with the values of a form, for people; None: nothing."""
    if unknown := values.keys() - {field.id for field in form}:
        return f"The form has no field {min(unknown)}."
    for field in form:
        value = values.get(field.id, "")
        if field.required and not value.strip():
            return f'"{field.label}" is missing.'
        if len(value) > MAX_TEXT:
            return f'"{field.label}" is too long.'
        if field.options is not None and value and value not in {option.id for option in field.options}:
            return f'"{field.label}" has no such option.'
    return None


def question_id(parent_channel_id: str, session_key: str, request_id: str) -> str:
    """The same for each repeat of a request. It holds the channel's id, by which the item is found."""
    return f"{parent_channel_id}-{hash_of(parent_channel_id, session_key, request_id)}"


def channel_of(question: str) -> str | None:
    """The channel in a question's id; None if it can be none. What can be one is safe as part of a key."""
    channel_id, _, name = question.partition("-")
    return channel_id if is_snowflake(channel_id) and is_hash(name) else None


def _faults_of_label(label: str) -> Iterator[str]:
    if not shows_something(label):  # Discord takes no blank one
        yield "label must show something"


def _differ(parts: Sequence[Choice | Field | Option]) -> bool:
    return len({part.id for part in parts}) == len(parts)
