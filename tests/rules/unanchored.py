"""The rules of creation without an anchor (docs/protocol.md)."""

from typing import Final

from tests.rules.rule import Mutation, Rule

POSTS: Final = "scenarios/test_posts.py"
PRIVATE: Final = "scenarios/test_private.py"

UNANCHORED: Final = (
    Rule(
        "An attempt is on record before a post is asked for",
        Mutation(
            "sessions/opening/attempt",
            "    if not write.won:\n        return StartOver.LEASE_LOST\n    attempted = write.mine",
            "    attempted = session",
        ),
        f"{POSTS}::test_two_openers_under_one_lease_make_one_attempt",
    ),
    Rule(
        "After an attempt of unknown outcome nobody makes another one before a second look",
        Mutation("sessions/opening/attempt", "session.create_attempted_at is None or found.adoptable or", "True or"),
        f"{POSTS}::test_after_an_attempt_of_unknown_outcome_nobody_creates_before_looking_twice",
    ),
    Rule(
        "The webhook creates no post",
        Mutation("runtime/deadline", "if remaining(now, seconds) < seconds:", "if False:"),
        "handler/commands/test_session_open.py::test_in_a_forum_the_webhook_hands_over_before_the_post_is_created_and_the_worker_links_it",
    ),
    Rule(
        "Of two posts the first one on record is the session's",
        Mutation(
            "store/claims",
            "condition=clauses.RECORDABLE,\n                sets=sets,",
            "condition='attribute_exists(pk)',\n                sets=sets,",
        ),
        f"{POSTS}::test_who_finds_on_commit_that_another_thread_was_first_deletes_its_own_one",
    ),
    Rule(
        "An extra post in which somebody wrote is not deleted",
        Mutation("sessions/threads/extras", "if is_unused(await context.discord.channel(thread.id)):", "if True:"),
        f"{POSTS}::test_an_own_post_in_which_somebody_wrote_at_once_stays_and_is_unlocked",
    ),
    Rule(
        "A refused attempt is taken off the record",
        Mutation(
            "sessions/opening/attempt",
            "await context.store.claims.forget_attempts(attempted, owner=opener.owner)",
            "pass",
        ),
        f"{POSTS}::test_a_refusal_leaves_no_attempt_on_record_and_the_next_open_need_not_look_twice",
    ),
    Rule(
        "An outsider does not see a private session",
        Mutation(
            "sessions/threads/visibility",
            "    return user_id in session.member_ids",
            "    return True or user_id in session.member_ids",
        ),
        f"{PRIVATE}::test_members_roles_and_moderators_are_led_to_it_and_everybody_else_opens_their_own",
    ),
    Rule(
        "After a lost table a private thread is nobody's who is not in it",
        Mutation(
            "sessions/opening/private",
            "    return await is_member(context",
            "    return True or await is_member(context",
        ),
        f"{PRIVATE}::test_if_the_record_is_lost_only_who_is_in_the_thread_gets_it_back_for_its_creator",
    ),
    Rule(
        "A private thread has no namesake",
        Mutation(
            "sessions/reconcile/plan", "or not is_public_thread(thread):\n        return", "or False:\n        return"
        ),
        f"{PRIVATE}::test_the_reconciler_follows_a_private_session_under_its_own_key",
    ),
    Rule(
        "A private session that the requester may not see costs no further request",
        Mutation("sessions/threads/private_threads", "        and thread.id not in known\n", ""),
        f"{PRIVATE}::test_an_outsider_makes_the_same_requests_and_gets_the_same_answer_as_if_there_were_none",
    ),
    Rule(
        "A private session is not in the channel's list",
        Mutation("store/private", "if private else parent_channel_id", "if False else parent_channel_id"),
        f"{PRIVATE}::test_the_reconciler_follows_a_private_session_under_its_own_key",
    ),
    Rule(
        "A 404 of a private thread is no evidence while a list has it",
        Mutation("sessions/threads/generation", "return _find(thread_id, active) or private", "return None"),
        f"{PRIVATE}::test_a_404_of_a_private_thread_is_no_evidence_while_a_list_has_it",
    ),
)
