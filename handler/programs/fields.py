"""What the fields of a request may be. Pure. Each `description` completes "must be …" in an error, and stands in the JSON Schema."""

import re
from typing import Annotated, Any, Final

import msgspec

from handler.discord.fitting import MAX_CONTENT
from handler.discord.models import MAX_TAGS
from handler.discord.snowflakes import id_field, is_snowflake
from handler.questions.model import (
    MAX_CHOICES,
    MAX_FIELDS,
    MAX_QUESTION,
    Choice,
    Field,
    channel_of,
    list_field,
)
from handler.runtime.validation import CHARACTERS, text_field
from handler.sessions.names import MAX_REASON_LENGTH, MAX_TOPIC_LENGTH
from handler.sessions.overview.choose import State
from handler.store.parts import WorkState

MAX_LABEL_LENGTH: Final = (
    80  # characters; no application has a longer name, and the line above the thread stays one line
)
MAX_USERS: Final = 20  # members of one request: each is a request to Discord
MAX_REQUEST_ID_LENGTH: Final = 128  # characters; any UUID, ARN-like name or build number fits, and the item stays small
MAX_NOTE_LENGTH: Final = 200  # characters; one line above the thread
MAX_DATA_LENGTH: Final = 2000  # characters: /session info shows them, and each open reads them
MAX_EMBEDS: Final = 10  # of a message (Discord docs, "Message")
MAX_EMBEDS_BYTES: Final = 100_000  # as JSON: far more than Discord shows, and twice that fits into an item
MAX_WAIT: Final = 50  # seconds: the function has 60, and some are for the answer
MAX_TASK_TOKEN: Final = 2048  # characters (Step Functions API, SendTaskSuccess)
PAGE_SIZE: Final = 100  # messages: what Discord gives at once (Discord docs, "Message")


def encode_data(data: dict[str, Any]) -> str:
    """What is kept of a program's data: the same for the same data."""
    return msgspec.json.encode(data, order="deterministic").decode()


Text = Annotated[str, msgspec.Meta(description="a string")]
Flag = Annotated[bool, msgspec.Meta(description="true or false")]
ChannelId = Annotated[str, id_field("a channel's id, as a string of digits")]
MessageId = Annotated[str, id_field("a message's id, as a string of digits")]
# One at least: with none a list would not go on.
PageSize = Annotated[int, msgspec.Meta(ge=1, le=PAGE_SIZE, description=f"a whole number from 1 to {PAGE_SIZE}")]
SessionState = Annotated[State, msgspec.Meta(description=f"one of {', '.join(State)}")]
Reason = Annotated[str, text_field(MAX_REASON_LENGTH)]
WorkStateName = Annotated[WorkState, msgspec.Meta(description=f"one of {', '.join(WorkState)}")]
Note = Annotated[str, text_field(MAX_NOTE_LENGTH)]
Data = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description=f"an object of at most {MAX_DATA_LENGTH} characters as JSON",
        extra={"check": lambda data: len(encode_data(data)) <= MAX_DATA_LENGTH},
    ),
]
Cursor = Annotated[
    str,
    msgspec.Meta(
        description="the cursor of an answer",
        extra={"check": re.compile(r"[-0-9T:.]{1,30}Z#[0-9]{1,20}", re.ASCII).fullmatch},  # no longer than a key may be
    ),
]
Topic = Annotated[str, text_field(MAX_TOPIC_LENGTH)]
Tags = Annotated[
    tuple[Annotated[str, msgspec.Meta(pattern=CHARACTERS)], ...],
    msgspec.Meta(max_length=MAX_TAGS, description=f"a list of at most {MAX_TAGS} strings"),
]
UserIds = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        max_length=MAX_USERS,
        description=f"a list of at most {MAX_USERS} users' ids, as strings of digits",
        extra={"check": lambda ids: all(map(is_snowflake, ids))},
    ),
]
Label = Annotated[str, text_field(MAX_LABEL_LENGTH)]
Content = Annotated[str, text_field(MAX_CONTENT, least=1)]  # Discord posts no empty message
Embeds = Annotated[
    list[dict[str, Any]],
    msgspec.Meta(
        max_length=MAX_EMBEDS,
        description=f"a list of at most {MAX_EMBEDS} objects, {MAX_EMBEDS_BYTES} bytes in all as JSON",
        extra={"check": lambda embeds: len(msgspec.json.encode(embeds)) <= MAX_EMBEDS_BYTES},
    ),
]
QuestionText = Annotated[str, text_field(MAX_QUESTION, least=1)]  # an empty one asks nothing
Choices = Annotated[tuple[Choice, ...], list_field(MAX_CHOICES, "choices")]
Form = Annotated[tuple[Field, ...], list_field(MAX_FIELDS, "fields")]
QuestionId = Annotated[
    str,
    msgspec.Meta(
        description="the id of a question, from an answer", extra={"check": lambda text: channel_of(text) is not None}
    ),
]
# Not waiting at all is reading the question.
Wait = Annotated[int, msgspec.Meta(ge=0, le=MAX_WAIT, description=f"a whole number of seconds from 0 to {MAX_WAIT}")]
TaskToken = Annotated[str, text_field(MAX_TASK_TOKEN, least=1)]  # an empty one is none
RequestId = Annotated[str, text_field(MAX_REQUEST_ID_LENGTH, least=1)]  # an empty one would identify nothing
