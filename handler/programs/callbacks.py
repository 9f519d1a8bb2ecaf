"""What a task of Step Functions is answered that waits for a question, from the question before and after. Pure.

    answered, or expired with a default     success; the output is what `await` answers
    expired without a default               failure, QuestionExpired
    cancelled                               failure, QuestionCancelled

Only the newest token counts. One that comes with a repeat after the end is answered by the change that puts it on record.
"""

from typing import Final

import msgspec

from handler.programs.answers import AwaitAnswer, question_answer
from handler.runtime.secrets import Secret
from handler.store.question_items import Question, QuestionState

EXPIRED: Final = "QuestionExpired"  # the names of the errors, for a `Catch`
CANCELLED: Final = "QuestionCancelled"


class Success(msgspec.Struct, frozen=True):
    """The task's state goes on."""

    output: str  # JSON


class Failure(msgspec.Struct, frozen=True):
    """The task's state fails."""

    error: str
    cause: str


class Callback(msgspec.Struct, frozen=True):
    """An answer to a task."""

    token: Secret
    outcome: Success | Failure


def callback_of(old: Question | None, new: Question | None) -> Callback | None:
    """What a change of a question's item means to the task that waits for it; None: nothing."""
    if new is None or new.is_open or new.callback_token is None:
        return None
    if old is not None and not old.is_open and old.callback_token == new.callback_token:
        return None
    return Callback(Secret(new.callback_token), _outcome(new))


def _outcome(question: Question) -> Success | Failure:
    match question.state:
        case QuestionState.EXPIRED if question.answer is None:
            return Failure(EXPIRED, f"Nobody answered the question {question.id} in time.")
        case QuestionState.ANSWERED | QuestionState.EXPIRED:
            answer = AwaitAnswer(question=question_answer(question))
            return Success(msgspec.json.encode(answer).decode())
        case QuestionState.CANCELLED:
            return Failure(CANCELLED, f"The question {question.id} was withdrawn.")
        case QuestionState.OPEN:
            pass
    raise ValueError(f"a question that is {question.state} has no outcome")
