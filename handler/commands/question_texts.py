"""The texts that tell people about their answers to questions. Pure."""

from typing import Final

from handler.discord.responses import Message, message
from handler.questions.card import describe_answer, describe_outcome
from handler.questions.model import Refusal, read_answer, read_spec
from handler.sessions.model import message_url
from handler.store.question_items import Question

GONE: Final = "I don't know that question any more. If it still matters, it has to be asked again."
NOT_FOR_YOU: Final = "This question is for others: the message says who can answer it."
NO_ANSWER: Final = "That can't be the answer to this question. Use its buttons."


def recorded(question: Question) -> Message:
    """The answer counts."""
    answer = read_answer(question)
    said = "" if answer is None else describe_answer(read_spec(question), answer)
    return message(f"Recorded: {said}", link=_link(question), label="Show the question")


def refused(refusal: Refusal, question: Question | None, *, why: str | None = None) -> Message:
    """The answer does not count. `why`: what is wrong with it."""
    if question is None or refusal is Refusal.UNKNOWN:
        return message(GONE)
    match refusal:
        case Refusal.NOT_ALLOWED:
            return message(NOT_FOR_YOU)
        case Refusal.OVER:
            outcome = describe_outcome(question, read_spec(question), read_answer(question))
            return message(f"This question is over.\n{outcome}", link=_link(question), label="Show the question")
        case Refusal.IMPOSSIBLE:
            return message(why or NO_ANSWER)
    raise ValueError(f"unknown refusal {refusal!r}")


def nothing_open(*, takes_text: bool) -> Message:
    """For *Answer with this message* where no question takes it."""
    if takes_text:
        return message("No question is open in this thread.")
    return message("The open question here takes no message as an answer. Use its buttons.")


def is_question() -> Message:
    """For *Answer with this message* on a question's own message."""
    return message("That's the question itself. Use this on the message that answers it, or reply to the question.")


def no_text() -> Message:
    return message("That message has no text that could be an answer.")


def _link(question: Question) -> str | None:
    if question.message_id is None:
        return None
    return message_url(question.guild_id, question.discord_thread_id, question.message_id)
