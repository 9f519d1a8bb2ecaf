"""The rules of housekeeping.

docs/protocol.md has them, and the texts of `housekeeping`, `locks` and `deletion`.
"""

from typing import Final

from tests.rules.rule import Mutation, Rule

DELETIONS: Final = "reconciler/test_deletions_and_people.py"
FAIR: Final = "reconciler/test_fair_turns.py"
CAPACITY: Final = "scenarios/test_capacity.py"
HOUSEKEEPING: Final = "reconciler/test_housekeeping.py"
INTERLEAVED: Final = "reconciler/test_housekeeping_interleaved.py"
TWO_STOPS: Final = "test_wherever_an_open_and_a_run_stop_nobody_is_led_to_a_thread_that_is_about_to_go"

HOUSEKEEPING_RULES: Final = (
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
    Rule(
        "A message in the moment of archiving opens the thread again",
        Mutation("sessions/threads/archiving", "        if last_message(thread) != before:", "        if False:"),
        f"{HOUSEKEEPING}::test_a_message_in_the_very_moment_of_archiving_opens_the_thread_again",
    ),
    Rule(
        "An open in the moment of closing opens the thread again",
        Mutation(
            "sessions/threads/archiving",
            "    if not write.won and write.session is not None and write.session.opened_at != session.opened_at:",
            "    if False:",
        ),
        f"{DELETIONS}::test_who_opens_a_session_that_is_being_closed_is_led_to_an_open_thread",
    ),
    Rule(
        "Only threads that the bot started are deleted",
        Mutation(
            "sessions/threads/locks",
            ("    if thread.owner_id is None or thread.owner_id != bot_user_id:\n        return False\n"),
            "",
        ),
        f"{HOUSEKEEPING}::test_a_thread_that_a_person_started_is_closed_and_never_deleted",
    ),
    Rule(
        "A thread that somebody else locked is not deleted",
        Mutation(
            "sessions/threads/locks",
            "    return session.thread.locked_by is None and _was_archived_about(session.deletion.locking_at, thread)",
            "    return True",
        ),
        f"{HOUSEKEEPING}::test_a_thread_that_a_moderator_locked_is_kept_with_its_lock",
    ),
    Rule(
        "A thread is not deleted within two minutes of its mark",
        Mutation(
            "sessions/reconcile/housekeeping",
            "    return Delete(session) if age >= MIN_MARK_AGE else None",
            "    return Delete(session)",
        ),
        f"{HOUSEKEEPING}::test_two_runs_in_one_moment_do_not_delete",
    ),
    Rule(
        "A mark from before a pause is set anew",
        Mutation("sessions/reconcile/housekeeping", "        or age > MAX_MARK_AGE\n", ""),
        f"{DELETIONS}::test_a_mark_from_before_a_pause_of_housekeeping_is_set_anew_before_anything_is_deleted",
    ),
    Rule(
        "Only long after it began a deletion is cancelled",
        Mutation(
            "sessions/threads/deletion",
            (
                '    if context.clock.now() - parse_iso(read.deletion.begun_at or "") < RUN_OVER_AFTER:\n'
                "        return DeletionResult.UNDER_WAY\n"
            ),
            "",
        ),
        f"{DELETIONS}::test_while_a_slow_opener_is_about_to_delete_nobody_is_led_to_that_thread",
    ),
    Rule(
        "Who goes on with a deletion says so first",
        Mutation(
            "sessions/threads/deletion",
            "    if now - parse_iso(session.deletion.begun_at) < RUN_OVER_AFTER / 2:",
            "    if True:",
        ),
        f"{DELETIONS}::test_while_a_slow_opener_is_about_to_delete_nobody_is_led_to_that_thread",
    ),
    Rule(
        "The lock of an abandoned deletion is lifted",
        Mutation("sessions/reconcile/housekeeping", "return ReleaseLock(session) if over else None", "return None"),
        f"{INTERLEAVED}::test_a_run_that_dies_after_any_call_loses_nothing",
    ),
    Rule(
        "A kept session is opened again when the timer archived it",
        Mutation(
            "sessions/reconcile/housekeeping",
            ("    if isinstance(thread, Channel) and thread.archived:\n        return Reopen"),
            ("    if False:\n        return Reopen"),
        ),
        f"{HOUSEKEEPING}::test_a_kept_thread_that_discords_timer_archived_is_opened_again",
    ),
    Rule(
        "A kept session that a person archived stays archived",
        Mutation(
            "sessions/reconcile/apply_housekeeping",
            "    if not await _was_archived_by_a_person(context, session.guild_id, thread, pace):",
            "    if True:",
        ),
        f"{HOUSEKEEPING}::test_a_kept_thread_that_a_person_archived_stays_archived",
    ),
    Rule(
        "A kept session is left alone unless it is closed",
        Mutation("sessions/reconcile/housekeeping", "return not session.stays_open and now", "return now"),
        f"{HOUSEKEEPING}::test_a_kept_session_is_neither_archived_nor_deleted_for_being_idle",
    ),
    Rule(
        "Without the audit log keep is off",
        Mutation(
            "sessions/reconcile/housekeeping",
            "    if observation.audit is None or not isinstance(action, UpdateSession):",
            "    if not isinstance(action, UpdateSession):",
        ),
        f"{HOUSEKEEPING}::test_without_the_audit_log_keep_is_off_and_says_so",
    ),
    Rule(
        "A channel that refuses housekeeping is asked once in a run",
        Mutation(
            "sessions/reconcile/apply_housekeeping",
            "            refused.add(action.session.parent_channel_id)",
            "            pass",
        ),
        f"{FAIR}::test_a_channel_that_refuses_is_asked_once_in_a_run_and_the_others_get_their_turn",
    ),
    Rule(
        "A session whose housekeeping failed goes to the end of the order",
        Mutation(
            "sessions/reconcile/apply_housekeeping",
            "        await try_one(context.store.deletions.postpone(action.session, now=context.clock.now()))\n",
            "",
        ),
        f"{FAIR}::test_deletions_that_cannot_be_finished_do_not_block_the_row",
    ),
    Rule(
        "Before a thread is deleted it is looked at once more",
        Mutation(
            "sessions/threads/deletion",
            "        kept = await _delete_untouched(context, resumed)\n",
            "        kept = await context.discord.delete_thread(resumed.discord_thread_id, reason=REASON)\n",
        ),
        f"{HOUSEKEEPING}::test_a_moderator_who_writes_in_the_locked_thread_keeps_it",
    ),
    Rule(
        "A run is complete before housekeeping begins",
        Mutation(
            "sessions/reconcile/run",
            (
                "    await save_progress(context, watched.guild, observation, counts, changed=changed, complete=complete)\n"
                "    counts.update(await apply_housekeeping(context, observation, reopens, settings, pace))\n"
            ),
            (
                "    counts.update(await apply_housekeeping(context, observation, reopens, settings, pace))\n"
                "    await save_progress(context, watched.guild, observation, counts, changed=changed, complete=complete)\n"
            ),
        ),
        f"{HOUSEKEEPING}::test_a_run_is_complete_before_housekeeping_fails",
    ),
    # Room in a full server
    Rule(
        "A person's thread makes no room",
        Mutation("sessions/opening/capacity", "if thread.owner_id == bot_user_id and not", "if not"),
        f"{CAPACITY}::test_a_persons_thread_is_never_archived",
    ),
    Rule(
        "A kept session makes no room",
        Mutation("sessions/opening/capacity", "is_used = session.stays_open or", "is_used ="),
        f"{CAPACITY}::test_a_session_that_is_kept_or_waits_for_an_answer_is_not_archived",
    ),
    Rule(
        "One open archives one session at most",
        Mutation("sessions/opening/capacity", "    if opener.made_room:", "    if False:"),
        f"{CAPACITY}::test_one_open_archives_one_session_at_most",
    ),
)
