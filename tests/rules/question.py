"""The rules of docs/questions.md and of posting once."""

from typing import Final

from tests.rules.rule import Mutation, Rule

ASK: Final = "handler/questions/test_ask.py"
ANSWERS: Final = "handler/questions/test_answers.py"
ENDINGS: Final = "handler/questions/test_endings.py"
AFTER: Final = "handler/questions/test_after_the_answer.py"
SCHEDULES: Final = "handler/questions/test_schedules.py"
POST: Final = "handler/programs/test_post.py"
ONE_OUTCOME: Final = f"{SCHEDULES}::test_every_schedule_has_one_outcome_and_each_outcome_is_possible"

QUESTIONS: Final = (
    Rule(
        "An answer needs the question open",
        Mutation("store/questions", 'question, f"{_IS_OPEN} AND {_BEFORE_CLOSE}"', 'question, f"{_BEFORE_CLOSE}"'),
        ONE_OUTCOME,
    ),
    Rule(
        "A question expires only while it is open",
        Mutation("store/questions", 'question, f"{_IS_OPEN} AND {_AFTER_CLOSE}"', 'question, f"{_AFTER_CLOSE}"'),
        ONE_OUTCOME,
    ),
    Rule(
        "A question is withdrawn only while it is open",
        Mutation(
            "store/questions",
            "self._write(question, _IS_OPEN, _over(",
            'self._write(question, "attribute_exists(pk)", _over(',
        ),
        ONE_OUTCOME,
    ),
    Rule(
        "Only who may answer answers",
        Mutation(
            "questions/respond",
            "if not read_spec(question).may_answer(",
            "if False and read_spec(question).may_answer(",
        ),
        f"{ANSWERS}::test_who_may_not_answer_changes_nothing_and_learns_nothing",
    ),
    Rule(
        "The same press again is told the same",
        Mutation("questions/respond", " or question.answered_in == person.via", ""),
        f"{ANSWERS}::test_a_press_that_arrives_twice_is_answered_the_same",
    ),
    Rule(
        "A question that is over is due until its card shows it",
        Mutation("store/questions", '        "due_in": _due_in(question.guild_id),\n        "due_at": iso(now),\n', ""),
        f"{ENDINGS}::test_a_cancel_that_dies_is_shown_by_the_reconciler",
    ),
    Rule(
        "A reply that came in time is not lost to an expiry",
        Mutation("questions/end", "question = await read_replies(context, question)", "pass"),
        f"{ENDINGS}::test_a_reply_that_came_in_time_counts_although_it_is_read_later",
    ),
    Rule(
        "A reply that came too late is no answer",
        Mutation("store/questions", 'f"{_IS_OPEN} AND {_BEFORE_CLOSE}"', "_IS_OPEN"),
        f"{ENDINGS}::test_a_reply_that_came_too_late_does_not_count",
    ),
    Rule(
        "An attempt that is older than nonces are trusted is looked for",
        Mutation("sessions/threads/once", "if since is not None and", "if False and since is not None and"),
        f"{ASK}::test_after_a_death_at_any_call_there_is_one_card",
    ),
    Rule(
        "A message is posted with a nonce of its own",
        Mutation(
            "sessions/threads/once",
            "post_message(thread_id, body, nonce=nonce)",
            "post_message(thread_id, body, nonce=str(id(body)))",
        ),
        f"{POST}::test_after_a_death_at_any_call_a_repeat_leaves_one_message",
    ),
    Rule(
        "A question whose words Discord refuses is withdrawn",
        Mutation("questions/show", "if number == 0 and refusals.refuses_words(refusal):", "if False:"),
        f"{ASK}::test_a_question_whose_words_discord_refuses_is_withdrawn_and_nobody_waits_for_it",
    ),
    Rule(
        "A card that was deleted is shown again only once",
        Mutation("questions/show", "or question.card_number + 1 >= MAX_CARDS", ""),
        f"{ENDINGS}::test_a_card_that_was_deleted_is_shown_again_once",
    ),
    Rule(
        "A session waits for the question that was asked meanwhile",
        Mutation("store/questions", 'condition="#waiting_for = :read_waiting_for"', 'condition="attribute_exists(pk)"'),
        f"{ANSWERS}::test_a_session_goes_on_waiting_for_a_question_that_is_asked_while_another_one_ends",
    ),
    Rule(
        "No reminder opens a thread that a person archived",
        Mutation("questions/run", "if thread is not None and not thread.archived:", "if thread is not None:"),
        f"{ENDINGS}::test_no_reminder_opens_a_thread_that_a_person_archived",
    ),
    Rule(
        "The same request_id with other content is a conflict",
        Mutation("questions/ask", "if question.spec != encode(spec):", "if False:"),
        f"{ASK}::test_the_same_request_id_with_other_content_is_a_conflict",
    ),
    Rule(
        "A thread that a person archived takes no message of a program's",
        Mutation("sessions/opening/reuse", "    if not opener.request.respects_archiving:\n", "    if True:\n"),
        f"{POST}::test_only_a_thread_that_discord_archived_is_opened_again",
    ),
    Rule(
        "The message of a key is known by the text with which it was first posted",
        Mutation("programs/post", 'return wanted.first_body or wanted.body or ""', 'return wanted.body or ""'),
        f"{POST}::test_after_a_death_at_any_call_of_a_keys_first_request_the_next_one_leaves_one_message",
    ),
    Rule(
        "An answer by button leaves the rest to the worker",
        Mutation("webhook", "if isinstance(answer, InPlace):\n            await", "if False:\n            await"),
        f"{AFTER}::test_the_session_waits_no_more_as_soon_as_the_worker_has_run",
    ),
    Rule(
        "The job after an answer answers nobody again",
        Mutation("worker", "        if job.answered:", "        if False:"),
        f"{AFTER}::test_the_session_waits_no_more_as_soon_as_the_worker_has_run",
    ),
    Rule(
        "Whoever has edited the message of a key looks whether it is still to show that",
        Mutation(
            "programs/post",
            "if wanted.message_id is not None and wanted.body == shown:",
            "if wanted.message_id is not None and shown:",
        ),
        f"{POST}::test_an_edit_that_was_overtaken_does_not_stay",
    ),
)
