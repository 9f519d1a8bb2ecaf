"""Programs ask, people answer, and the answer comes as an event: questions, in the day's server."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from infra.events.containers import TABLE
from infra.local.aws_client import client
from infra.local.discord_client import Channel
from infra.local.http_client import invoke_function
from infra.local.people import MONA, OMAR
from infra.local.tour import DAY, Scenario, Tour
from infra.simulator import render
from infra.simulator.models import PUBLIC_THREAD

DEPLOY: Final = "deploy 42"
YES, NO = {"id": "yes", "label": "Yes", "style": "success"}, {"id": "no", "label": "No"}
MAX_WAIT_SECONDS: Final = 15.0  # for an event or the worker: a tenth of a second, and much more on a busy machine
POLL_SECONDS: Final = 0.05
HOUR_SECONDS: Final = 3600


def by_button(tour: Tour) -> None:
    task, seen = tour.stack.begin_task(), len(tour.stack.events())
    tour.screen.hint("A state machine waits for a person: its program gives the task's token along.")
    question = _ask(tour, "ship", "Ship it?", choices=[YES, NO], callback={"task_token": task})
    card = question["card"]
    tour.screen.action(MONA.name, "presses Yes")
    tour.discord.press(MONA, _thread(question), card, "Yes")
    shown = _card(tour, question)
    tour.check("the message shows the answer and has no buttons", "Yes" in shown["content"] and not shown["components"])
    waits_no_more = _wait_until(tour, lambda: "waiting_since" not in _session(tour))
    tour.check("the session waits no more", waits_no_more)
    tour.screen.action(OMAR.name, "presses No, on a screen that still shows the buttons")
    late = tour.finish(tour.discord.press(OMAR, _thread(question), card, "No"))
    tour.check("who comes second learns whose answer it is", "over" in late.text and MONA.id in late.text)
    answer = _await(tour, question)["answer"]
    tour.check("the program gets mona's answer", (answer["choice"], answer["by"]) == ("yes", MONA.id))
    _check_events(tour, question, seen, "QuestionAsked", "QuestionAnswered")
    output = json.loads((tour.stack.task_answer(task) or {}).get("output", "{}"))
    tour.check("and the state machine goes on with it", output.get("question", {}).get("answer") == answer)


def by_reply(tour: Tour) -> None:
    seen = len(tour.stack.events())
    question = _ask(tour, "why", "Why did the last one fail?", answerers={"user_ids": [OMAR.id]})
    for user, text in ((MONA, "no idea"), (OMAR, "a flaky test")):
        tour.act(user, f"replies “{text}”", "post_message", question["thread"], text, reply_to=question["message_id"])
    answer = _await(tour, question).get("answer", {})
    tour.check(
        "omar's reply counts, mona's does not", (answer.get("text"), answer.get("by")) == ("a flaky test", OMAR.id)
    )
    _check_events(tour, question, seen, "QuestionAsked", "QuestionAnswered")


def expired(tour: Tour) -> None:
    seen = len(tour.stack.events())
    given = {"choices": [YES, NO], "expires_in": HOUR_SECONDS, "default": {"choice": "no"}}
    question = _ask(tour, "night", "Deploy tonight?", **given)
    tour.screen.hint("Nobody answers. The tour does not wait an hour: it sets the question's end in the table to now.")
    _let_time_pass(tour, question)
    tour.reconcile()
    shown = _card(tour, question)
    tour.check("the message says what holds now", "Nobody answered" in shown["content"] and "No**" in shown["content"])
    expired = _await(tour, question)
    tour.check("so does the program's answer", (expired["state"], expired["answer"]["choice"]) == ("expired", "no"))
    _check_events(tour, question, seen, "QuestionAsked", "QuestionExpired")


def _ask(tour: Tour, request_id: str, question: str, **more: Any) -> dict[str, Any]:
    """The question that a program asks, with its thread's id and its card, which is shown."""
    shown = {name: value for name, value in more.items() if name in ("expires_in", "default", "answerers")}
    tour.screen.action("a program", f"asks “{question}”")
    if shown:
        tour.screen.hint(json.dumps(shown)[1:-1])
    request = {"session_name": DEPLOY, "parent_channel_id": DAY.id, "request_id": request_id, "question": question}
    answered = invoke_function(tour.stack.invocations.url, "ApiFunction", {"operation": "ask", **request, **more})
    asked = {**answered["question"], "thread": answered["thread"]["id"]}
    return {**asked, "card": _card(tour, asked)}


def _await(tour: Tour, question: Mapping[str, Any]) -> dict[str, Any]:
    request = {"operation": "await", "question_id": question["id"], "wait": 10}
    found: dict[str, Any] = invoke_function(tour.stack.invocations.url, "ApiFunction", request)["question"]
    shown = {"state": found["state"], **found.get("answer", {})}
    tour.screen.action("the program", "awaits the answer")
    tour.screen.quote([Text(f"{name}: {shown[name]}") for name in shown if name not in ("by", "at")])
    return found


def _card(tour: Tour, question: Mapping[str, Any]) -> dict[str, Any]:
    """The card as everybody sees it now; it is shown."""
    with tour.stack.discord.lock:
        state = tour.stack.discord.discord.state
        message = render.message(state, state.messages[question["message_id"]])
    tour.screen.posted(f"Session {DEPLOY}", message, tour.names())
    return message


def _thread(question: Mapping[str, Any]) -> Channel:
    return Channel(DAY.guild_id, question["thread"], kind=PUBLIC_THREAD, parent_id=DAY.id)


def _check_events(tour: Tour, question: Mapping[str, Any], seen: int, *types: str) -> None:
    """Wait until the bus has the question's events; show them."""

    def published() -> list[dict[str, Any]]:
        of_question = (
            e for e in tour.stack.events(since=seen) if e["detail"].get("question", {}).get("id") == question["id"]
        )
        return list({event["detail"]["event_id"]: event for event in of_question}.values())  # one may come twice

    _wait_until(tour, lambda: len(published()) >= len(types))
    events = published()
    for event in events:
        tour.screen.event(event)
    tour.check("programs hear of it, in order", tuple(event["detail-type"] for event in events) == types)


def _wait_until(tour: Tour, holds: Callable[[], bool]) -> bool:
    """Whether it holds in time."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while not (held := holds()) and time.monotonic() < deadline:
        tour.stack.discord.closing.wait(POLL_SECONDS)
    return held


def _session(tour: Tour) -> dict[str, Any]:
    """The session as a program reads it."""
    request = {"operation": "get", "session_name": DEPLOY, "parent_channel_id": DAY.id}
    session: dict[str, Any] = invoke_function(tour.stack.invocations.url, "ApiFunction", request)["session"]
    return session


def _let_time_pass(tour: Tour, question: Mapping[str, Any]) -> None:
    """The question's time is over now: nobody waits for an hour."""
    closed = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    dynamodb = client("dynamodb", tour.stack.aws_url)
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"CHANNEL#{DAY.id}"}, "sk": {"S": f"QUESTION#{question['id']}"}},
        UpdateExpression="SET #closes_at = :closed, #due_at = :closed",
        ExpressionAttributeNames={"#closes_at": "closes_at", "#due_at": "due_at"},
        ExpressionAttributeValues={":closed": {"S": closed}},
    )
    dynamodb.close()


QUESTION_SCENARIOS: Final = (
    Scenario("A day: a question, answered by a button", by_button),
    Scenario("A day: a question, answered by a reply", by_reply),
    Scenario("A day: a question that nobody answers", expired),
)
