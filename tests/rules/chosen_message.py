"""The rules of docs/protocol.md for a chosen message and a chosen thread."""

from typing import Final

from tests.rules.rule import Mutation, Rule

CHOSEN: Final = "exactly_once/test_chosen_message.py"
KEEP: Final = "handler/commands/test_keep_thread.py"

CHOICES: Final = (
    Rule(
        "A person's message is never deleted",
        Mutation(
            "sessions/threads/generation",
            "if message_id is None or session.source_is_persons:",
            "if message_id is None:",
        ),
        f"{CHOSEN}::test_the_message_stays_when_the_thread_is_deleted_and_serves_no_second_time",
    ),
    Rule(
        "A chosen message that is recorded says that it is a person's",
        Mutation("store/sessions", '{"source_is_persons": True} if is_persons else {}', "{}"),
        f"{CHOSEN}::test_the_message_stays_when_the_thread_is_deleted_and_serves_no_second_time",
    ),
    Rule(
        "A message that another session has leads to that session",
        Mutation(
            "sessions/opening/chosen_message",
            "return owner if owner is not None and owner.has",
            "return None if owner is not None and owner.has",
        ),
        f"{CHOSEN}::test_who_sleeps_after_any_call_meets_another_one_and_one_thread_is_made",
    ),
    Rule(
        "Who was led to another session turns back when that one has lost the message",
        Mutation("sessions/opening/opener", "if asked is None or asked", "if True or asked"),
        "handler/commands/test_open_here.py::test_a_message_whose_thread_was_deleted_is_explained",
    ),
    Rule(
        "A thread that was started too late from a person's message is discarded",
        Mutation("sessions/threads/generation", "came_late = session.source_is_persons", "came_late = False"),
        f"{CHOSEN}::test_a_start_that_lands_after_the_end_of_its_generation_leaves_a_second_thread_only_if_it_is_used",
    ),
    Rule(
        "A thread is chosen only in place of the one that was read",
        Mutation(
            "store/choices",
            "{clauses.READ_GENERATION} AND {clauses.SAME_THREAD} AND {clauses.NOT_BEING",
            "{clauses.NOT_BEING",
        ),
        "handler/store/test_choices.py::test_a_thread_is_chosen_only_in_place_of_the_one_that_was_read",
    ),
    Rule(
        "No thread is chosen in place of one that is being deleted",
        Mutation("store/choices", " AND {clauses.NOT_BEING_DELETED}", ""),
        "handler/store/test_choices.py::test_no_thread_is_chosen_in_place_of_one_that_is_being_deleted",
    ),
    Rule(
        "What belongs to the former thread ends with the choice of another one",
        Mutation("store/choices", "removes=[name for name in GENERATION_ATTRIBUTES if name not in sets]", "removes=[]"),
        f"{KEEP}::test_the_chosen_thread_is_the_sessions_and_the_merge_keeps_it",
    ),
    Rule(
        "A thread whose merge was begun is not chosen",
        Mutation(
            "sessions/duplicates/choose", "if not owners.is_adoptable(thread, channel.channel_id, key):", "if False:"
        ),
        f"{KEEP}::test_what_cannot_be_chosen_any_more_changes_nothing",
    ),
)
