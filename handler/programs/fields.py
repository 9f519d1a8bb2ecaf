"""What the fields of a request may be. Pure.

Each `description` completes "must be …" in an error, and stands in the JSON Schema. A text can be encoded, unlike the
halves of characters that JSON's escapes allow; an id is never empty.
"""

import re
from typing import Annotated, Any, Final

import msgspec

from handler.discord.fitting import MAX_CONTENT
from handler.discord.models import MAX_TAGS
from handler.discord.snowflakes import is_snowflake
from handler.sessions.names import MAX_TOPIC_LENGTH
from handler.sessions.overview.choose import State

MAX_LABEL_LENGTH: Final = (
    80  # characters; no application has a longer name, and the line above the thread stays one line
)
MAX_USERS: Final = 20  # members of one request: each is a request to Discord
MAX_REQUEST_ID_LENGTH: Final = 128  # characters; any UUID, ARN-like name or build number fits, and the item stays small
MAX_EMBEDS: Final = 10  # of a message (Discord docs, "Message")
PAGE_SIZE: Final = 100  # messages: what Discord gives at once (Discord docs, "Message")

CHARACTERS: Final = r"^[^\ud800-\udfff]*\Z"


def _text(most: int, *, least: int = 0) -> msgspec.Meta:
    length = f"{least} to {most}" if least else f"at most {most}"
    return msgspec.Meta(
        min_length=least or None,
        max_length=most,
        pattern=CHARACTERS,
        description=f"a string of {length} characters",
    )


def _snowflake(description: str) -> msgspec.Meta:
    pattern = {"pattern": "^[1-9][0-9]{0,19}$"}
    return msgspec.Meta(description=description, extra={"check": is_snowflake}, extra_json_schema=pattern)


Text = Annotated[str, msgspec.Meta(description="a string")]
Flag = Annotated[bool, msgspec.Meta(description="true or false")]
ChannelId = Annotated[str, _snowflake("a channel's id, as a string of digits")]
MessageId = Annotated[str, _snowflake("a message's id, as a string of digits")]
# One at least: with none a list would not go on.
PageSize = Annotated[int, msgspec.Meta(ge=1, le=PAGE_SIZE, description=f"a whole number from 1 to {PAGE_SIZE}")]
SessionState = Annotated[State, msgspec.Meta(description=f"one of {', '.join(State)}")]
Cursor = Annotated[
    str,
    msgspec.Meta(
        description="the cursor of an answer",
        extra={"check": re.compile(r"[-0-9T:.]+Z#[0-9]+", re.ASCII).fullmatch},
    ),
]
Topic = Annotated[str, _text(MAX_TOPIC_LENGTH)]
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
Label = Annotated[str, _text(MAX_LABEL_LENGTH)]
Content = Annotated[str, _text(MAX_CONTENT, least=1)]  # Discord posts no empty message
Embeds = Annotated[
    list[dict[str, Any]], msgspec.Meta(max_length=MAX_EMBEDS, description=f"a list of at most {MAX_EMBEDS} objects")
]
RequestId = Annotated[str, _text(MAX_REQUEST_ID_LENGTH, least=1)]  # an empty one would identify nothing
