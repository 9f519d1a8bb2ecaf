"""Question items: what is on record of a question, and under which key. Pure."""

from enum import StrEnum

import msgspec

from handler.store.items import Key
from handler.store.reading import Item, read_item


class QuestionState(StrEnum):
    """Every branch on it handles all four and raises on anything else."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"  # its default was applied, if it has one
    CANCELLED = "cancelled"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question item. `spec`, `answer`: JSON, see `handler.questions.model`."""

    id: str
    parent_channel_id: str
    session_key: str  # of a private session, its `private_key`
    guild_id: str
    discord_thread_id: str  # where the card is
    spec: str
    state: QuestionState
    asked_at: str
    closes_at: str  # from then on no answer is taken
    remind_at: str | None = None  # until the reminder is posted
    takes_text: bool = False  # a reply to the card can be an answer: the reconciler reads them
    card_number: int = 0  # how many cards were deleted
    message_id: str | None = None  # of the card
    read_to: str | None = None  # all replies up to this message were read
    answer: str | None = None
    answered_in: str | None = None  # the interaction or message with the answer: a repeat is told the same
    due_at: str | None = None  # when something is to be done about it next
    callback_token: str | None = None  # of whoever waits for the answer: never logged

    @classmethod
    def from_item(cls, item: Item) -> "Question":
        """Raises UnreadableItem."""
        return read_item(item, {**item, "id": item["sk"].removeprefix("QUESTION#")}, cls)

    @property
    def is_open(self) -> bool:
        return self.state is QuestionState.OPEN

    @property
    def pair(self) -> tuple[str, str]:
        """What the session is identified by."""
        return self.parent_channel_id, self.session_key

    @property
    def item_key(self) -> Key:
        return question_item_key(self.parent_channel_id, self.id)


def question_item_key(channel_id: str, question: str) -> Key:
    return {"pk": f"CHANNEL#{channel_id}", "sk": f"QUESTION#{question}"}
