"""The rules of docs/protocol.md for a chosen message and a chosen thread: see `tests.protocol_rules`."""

from typing import Final

from tests.kit.mutation import Mutation, Rule

CHOSEN: Final = "exactly_once/test_chosen_message.py"

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
)
