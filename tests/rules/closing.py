"""The rules of closes and of the card.

`sessions.threads.close` and `sessions.threads.card` have them.
"""

from typing import Final

from tests.rules.rule import Mutation, Rule

CLOSES: Final = "scenarios/test_closing.py"
COMMANDS: Final = "handler/commands/test_close.py"

CLOSING: Final = (
    Rule(
        "A close that died is finished by the reconciler",
        Mutation("sessions/reconcile/housekeeping", "return FinishClose(session) if", "return None if"),
        f"{CLOSES}::test_after_a_death_anywhere_the_session_is_closed_once",
    ),
    Rule(
        "An open ends a close that is under way",
        Mutation("sessions/opening/reuse", "session.closing.begun_at is not None:", "session is None:"),
        f"{CLOSES}::test_after_a_death_anywhere_an_open_opens_it",
    ),
    Rule(
        "Only the close that was read is finished",
        Mutation(
            "store/sessions",
            "conditions.append(clauses.SAME_CLOSING if",
            "conditions.append(clauses.SAME_GENERATION if",
        ),
        f"{CLOSES}::test_an_open_that_meets_a_close_ends_it_and_the_closer_opens_the_thread_again",
    ),
    Rule(
        "The message of a dead closer is found, and not posted again",
        Mutation(
            "sessions/threads/close",
            "is_it=lambda message: message.content ==",
            "is_it=lambda message: message.content !=",
        ),
        f"{CLOSES}::test_after_a_death_anywhere_the_session_is_closed_once",
    ),
    Rule(
        "A repeat of a request does not close what was opened since",
        Mutation("store/closes", "{clauses.ANOTHER_REQUEST} AND ", ""),
        f"{COMMANDS}::test_the_same_request_again_does_not_close_what_was_opened_since",
    ),
    Rule(
        "A lock that a dead close may have placed is ours to lift",
        Mutation(
            "sessions/threads/locks", "return _was_archived_about(session.closing.locking_at, thread)", "return False"
        ),
        f"{CLOSES}::test_a_late_lock_of_a_dead_close_is_lifted_by_whoever_opens",
    ),
    Rule(
        "A moderator's lock stays theirs when a moderator closes the session",
        Mutation("sessions/threads/close", "            lock = False", "            pass"),
        f"{COMMANDS}::test_a_moderators_lock_is_not_passed_over_and_stays_theirs",
    ),
    Rule(
        "The thread is archived after the answer that stands in it",
        Mutation("commands/changes", "interaction.channel_id == begun.discord_thread_id", "False"),
        f"{COMMANDS}::test_a_close_in_the_thread_archives_it_after_the_answer",
    ),
)
