"""What the fields of a request may be. Pure.

Each `description` completes "must be …" in an error, and stands in the JSON Schema. A text can be encoded, unlike the
halves of characters that JSON's escapes allow; an id is never empty.
"""

from typing import Annotated, Final

import msgspec

from handler.discord.models import MAX_TAGS
from handler.discord.snowflakes import is_snowflake
from handler.sessions.names import MAX_TOPIC_LENGTH

MAX_LABEL_LENGTH: Final = (
    80  # characters; no application has a longer name, and the line above the thread stays one line
)
MAX_REQUEST_ID_LENGTH: Final = 128  # characters; any UUID, ARN-like name or build number fits, and the item stays small

CHARACTERS: Final = r"^[^\ud800-\udfff]*\Z"


def _text(most: int, *, least: int = 0) -> msgspec.Meta:
    length = f"{least} to {most}" if least else f"at most {most}"
    return msgspec.Meta(
        min_length=least or None,
        max_length=most,
        pattern=CHARACTERS,
        description=f"a string of {length} characters",
    )


Text = Annotated[str, msgspec.Meta(description="a string")]
Flag = Annotated[bool, msgspec.Meta(description="true or false")]
ChannelId = Annotated[
    str,
    msgspec.Meta(
        description="a channel's id, as a string of digits",
        extra={"check": is_snowflake},
        extra_json_schema={"pattern": "^[1-9][0-9]{0,19}$"},
    ),
]
Topic = Annotated[str, _text(MAX_TOPIC_LENGTH)]
Tags = Annotated[
    tuple[Annotated[str, msgspec.Meta(pattern=CHARACTERS)], ...],
    msgspec.Meta(max_length=MAX_TAGS, description=f"a list of at most {MAX_TAGS} strings"),
]
Label = Annotated[str, _text(MAX_LABEL_LENGTH)]
RequestId = Annotated[str, _text(MAX_REQUEST_ID_LENGTH, least=1)]  # an empty one would identify nothing
