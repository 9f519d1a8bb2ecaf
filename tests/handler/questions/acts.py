"""What a program and people do with a question, and what there is of it then."""

from typing import Any, Final

from handler import reconciler
from handler.config import ReconcilerConfig
from infra.interactions import parts_of
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.models import Message
from tests.kit.deployment import RECONCILER_SECONDS, Asked, Deployment
from tests.kit.guild import BOT
from tests.kit.table_view import GUILD

PERSON: Final = "3"
OTHER: Final = "4"
SHIP: Final[dict[str, Any]] = {
    "request_id": "deploy-42",
    "question": "Ship it?",
    "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}],
}
WHY: Final[dict[str, Any]] = {"request_id": "why", "question": "Why did it fail?"}
FORM: Final[dict[str, Any]] = {
    "request_id": "form",
    "question": "Which release?",
    "form": [
        {"id": "name", "label": "Name", "type": "text"},
        {"id": "notes", "label": "Notes", "type": "paragraph", "required": False},
        {
            "id": "size",
            "label": "Size",
            "type": "select",
            "options": [{"id": "s", "label": "Small"}, {"id": "l", "label": "Large"}],
        },
    ],
}


async def ask(deployment: Deployment, request: dict[str, Any] = SHIP, **change: Any) -> dict[str, Any]:
    """The question that a program has asked, with the id of the thread."""
    answer = await deployment.program("ask", **{**request, **change})
    assert "error" not in answer, answer
    return {**answer["question"], "thread": answer["thread"]["id"]}


async def now(deployment: Deployment, question: dict[str, Any], wait: int = 0) -> dict[str, Any]:
    """The question as a program that awaits it is told."""
    answer = await deployment.invoke({"operation": "await", "question_id": question["id"], "wait": wait})
    assert "error" not in answer, answer
    found: dict[str, Any] = answer["question"]
    return found


async def run(deployment: Deployment) -> dict[str, Any]:
    """The reconciler runs the guild; what it counted of questions."""
    record = sqs_record(reconciler.encode(GUILD), now=deployment.clock.now(), message_id="m", receive_count=1)
    environment = deployment.environment(ReconcilerConfig)
    answer = await reconciler.handle(environment, sqs_event(record), "request-6", RECONCILER_SECONDS)
    assert not answer["batchItemFailures"]
    counts = answer["runs"][0]["counts"]
    named = ("CorrectQuestion", "ExpireQuestion", "PostQuestion", "Remind", "TakeReply", "questions_failed")
    return {name: counts[name] for name in named if counts.get(name)}


async def press(deployment: Deployment, question: dict[str, Any], label: str = "Yes", **who: Any) -> Asked:
    return await deployment.press_card(question["message_id"], label, **{"user": PERSON, **who})


async def send_form(deployment: Deployment, question: dict[str, Any], asked: Asked, **fields: Any) -> Asked:
    """The member sends the form that was shown."""
    message = deployment.card(question["message_id"])
    return await deployment.submit(asked, fields, message=message, channel_id=message["channel_id"], user_id=PERSON)


def reply(deployment: Deployment, question: dict[str, Any], text: str = "a flaky test", **how: Any) -> str:
    """Somebody replies to the card."""
    given = {"by": PERSON, "reply_to": question["message_id"], **how}
    return deployment.people.post_message(question["thread"], text, **given)


def cards(deployment: Deployment) -> list[Message]:
    """What the bot has posted in threads, oldest first, without reminders."""
    messages = deployment.discord.messages.values()
    found = [m for m in messages if m.channel_id in deployment.discord.threads and m.author_id == BOT and m.kind == 0]
    return sorted(found, key=lambda message: int(message.id))


def reminders(deployment: Deployment) -> list[Message]:
    return [m for m in deployment.discord.messages.values() if m.author_id == BOT and m.replies_to is not None]


def buttons(deployment: Deployment, question: dict[str, Any]) -> list[str]:
    """The labels of the card's buttons."""
    return [part["label"] for part in parts_of(deployment.card(question["message_id"])) if "label" in part]


def session_item(deployment: Deployment) -> dict[str, Any]:
    (item,) = deployment.table.of_kind("SESSION#")
    return item


def question_item(deployment: Deployment) -> dict[str, Any]:
    (item,) = deployment.table.of_kind("QUESTION#")
    return item
