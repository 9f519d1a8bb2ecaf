"""The rules of docs/events.md."""

from typing import Final

from tests.rules.rule import Mutation, Rule

EVENTS: Final = "handler/questions/test_events.py"
CALLBACKS: Final = "handler/questions/test_callbacks.py"
PUBLISHER: Final = "handler/test_publisher.py"

PUBLISHED: Final = (
    Rule(
        "A batch fails from the first event that the bus may not have",
        Mutation("publisher", "return None if taken == len(pending) else pending[taken][0]", "return None"),
        f"{PUBLISHER}::test_an_event_that_the_bus_may_not_have_is_published_again_as_the_same_one",
    ),
    Rule(
        "A change keeps its id however often it is published",
        Mutation("publisher", "events.event_id(*record.key, record.number)", "events.event_id(str(id(record)))"),
        f"{EVENTS}::test_a_stream_that_delivers_twice_publishes_the_same_events_again",
    ),
    Rule(
        "What came before an answer that failed is published",
        Mutation("publisher", "return await _flush(environment, pending) or record", "return record"),
        f"{CALLBACKS}::test_an_answer_that_step_functions_did_not_take_is_sent_again",
    ),
    Rule(
        "A task that has ended holds nothing back",
        Mutation("publisher", "case Taken.ACCEPTED | Taken.GONE:", "case Taken.ACCEPTED:"),
        f"{CALLBACKS}::test_a_task_that_has_ended_is_done",
    ),
    Rule(
        "A token that comes after the end is answered",
        Mutation(
            "programs/callbacks", "not old.is_open and old.callback_token == new.callback_token:", "not old.is_open:"
        ),
        f"{CALLBACKS}::test_a_task_that_comes_after_the_answer_is_answered_at_once",
    ),
    Rule(
        "The last edit of a card is no answer to a task",
        Mutation("store/questions", 'removes=["due_in", "due_at", "callback_token"]', 'removes=["due_in", "due_at"]'),
        f"{EVENTS}::test_the_publisher_wakes_only_for_what_it_publishes",
    ),
    Rule(
        "Where tasks may not be answered no token is taken",
        Mutation("programs/ask", "if not sessions.context.answers_tasks:", "if False:"),
        f"{CALLBACKS}::test_where_callbacks_are_off_they_are_refused_before_anything_is_posted",
    ),
)
