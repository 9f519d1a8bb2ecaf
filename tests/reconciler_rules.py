"""The rules of docs/reconciler.md, each with a change of the code that breaks it and the test that must fail then.

`tests.rules` runs them.
"""

from typing import Final

from tests.kit.mutation import Mutation, Rule

DELETIONS: Final = "reconciler/test_deletions_and_people.py"
FAULTS: Final = "reconciler/test_faults.py"
FOLLOWING: Final = "reconciler/test_following.py"
HOUSEKEEPING: Final = "reconciler/test_housekeeping.py"
INTERLEAVED: Final = "reconciler/test_housekeeping_interleaved.py"
NEWS: Final = "reconciler/test_not_stuck.py"
TWO_STOPS: Final = "test_wherever_an_open_and_a_run_stop_nobody_is_led_to_a_thread_that_is_about_to_go"

RECONCILER: Final = (
    # What was heard of once
    Rule(
        "After a run that lost an action the audit log is read again from where it was",
        Mutation("sessions/reconcile/run", 'complete = not counts["lost"]', "complete = True"),
        f"{NEWS}::test_what_a_run_lost_to_an_open_is_heard_of_again_by_the_next_run",
    ),
    Rule(
        "An action that failed is kept for the next run",
        Mutation(
            "sessions/reconcile/apply",
            "if isinstance(action, actions.UpdateSession | actions.EndGeneration | actions.HoldDeletion):",
            "if False:",
        ),
        f"{NEWS}::test_a_deletion_that_was_heard_of_and_could_not_be_proved_is_proved_by_the_next_run",
    ),
    Rule(
        "A thread that gave no clear answer is asked for by the next run",
        Mutation("sessions/reconcile/plan", "        case Unclear() if thread_id in", "        case Unclear() if 0 in"),
        f"{NEWS}::test_a_deletion_that_was_heard_of_while_the_thread_did_not_answer_is_believed_once_it_does",
    ),
    # Strangers
    Rule(
        "In a channel where nobody has opened a session a thread only becomes a namesake",
        Mutation(
            "sessions/reconcile/apply",
            "    channel = await context.store.channels.get(action.parent_channel_id)\n",
            (
                "    from handler.store.items import ChannelItem\n"
                '    channel = ChannelItem(channel_id=action.parent_channel_id, guild_id="1", kind=0)\n'
            ),
        ),
        f"{FOLLOWING}::test_in_a_channel_without_sessions_a_thread_is_noted_for_its_first_opener",
    ),
    # Housekeeping
    Rule(
        "A thread that was unlocked again right after the lock is not deleted",
        Mutation("sessions/threads/record", "return thread.locked and thread.archived and last", "return last"),
        f"{DELETIONS}::test_a_moderator_who_unlocks_a_thread_right_after_housekeeping_locked_it_keeps_it",
    ),
    Rule(
        "After the lock the thread is read again",
        Mutation(
            "sessions/threads/deletion",
            (
                "    await context.discord.change_thread(thread.id, archived=True, locked=True, reason=REASON)\n"
                "    return await context.discord.channel(thread.id)\n"
            ),
            "    return await context.discord.change_thread(thread.id, archived=True, locked=True, reason=REASON)\n",
        ),
        f"{DELETIONS}::test_a_moderator_who_unlocks_a_thread_right_after_housekeeping_locked_it_keeps_it",
    ),
    Rule(
        "A run deletes at most five threads",
        Mutation("sessions/reconcile/housekeeping", "_LIMITS.get(type(action), CHANGES_PER_RUN)", "CHANGES_PER_RUN"),
        f"{HOUSEKEEPING}::test_no_run_deletes_more_than_five_threads",
    ),
    Rule(
        "A deletion begins only with the mark as it was read",
        Mutation(
            "store/deletions",
            '_MARKED_AS_READ: Final = f"{clauses.MARK_AS_READ} AND {clauses.NOT_BEING_DELETED}"',
            "_MARKED_AS_READ: Final = clauses.NOT_BEING_DELETED",
        ),
        f"{INTERLEAVED}::{TWO_STOPS}",
    ),
    Rule(
        "Once a deletion has begun an open's write is lost",
        Mutation(
            "store/sessions",
            "conditions = [clauses.SAME_GENERATION, clauses.NOT_BEING_DELETED]",
            "conditions = [clauses.SAME_GENERATION]",
        ),
        f"{INTERLEAVED}::{TWO_STOPS}",
    ),
    Rule(
        "An open whose write is lost links nothing",
        Mutation(
            "sessions/opening/reuse",
            "return write.mine if write.won else StartOver.WRITE_LOST",
            "return write.mine if write.won else session",
        ),
        f"{INTERLEAVED}::{TWO_STOPS}",
    ),
)
