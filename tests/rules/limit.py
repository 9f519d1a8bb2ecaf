"""The bounds of the code, and what the queue rests on."""

from typing import Final

from tests.rules.rule import Mutation, Rule

AWS: Final = "handler/aws"
DISCORD: Final = "handler/discord"
OPENING: Final = "handler/sessions/opening"
PLAN: Final = "handler/sessions/reconcile/test_plan.py"
TOO_MANY: Final = "scenarios/test_too_many.py"
COSTS: Final = "reconciler/test_costs.py"
NOT_STUCK: Final = "reconciler/test_not_stuck.py"


def bound(text: str, file: str, constant: str, changed: str, test: str) -> Rule:
    """A constant with its value, as it is written, and the value to which it is changed."""
    name, value = constant.split(" = ")
    return Rule(text, Mutation(file, f"\n{name}: Final = {value}", f"\n{name}: Final = {changed}"), test)


LIMITS: Final = (
    Rule(
        "Nobody is told of a put-back before it is sent",
        Mutation(
            "worker",
            "        if not await self._send(self._job.put_back(wait.progress)",
            (
                "        await self._show(self._put_back_notice(wait, again_at))\n"
                "        if not await self._send(self._job.put_back(wait.progress)"
            ),
        ),
        "handler/test_worker.py::test_nobody_is_told_of_a_put_back_before_it_is_in_the_queue",
    ),
    Rule(
        "A job that a newer version wrote is left to that version, and its user is not left alone",
        Mutation("commands/jobs", "NewerJob(envelope) if envelope.version > VERSION else None", "None"),
        "handler/test_worker.py::test_a_job_of_a_newer_version_is_left_to_that_version_and_its_user_is_told",
    ),
    Rule(
        "After the last receive of a newer job its user is asked to try again",
        Mutation("commands/deferred_answer", "return is_last and edit is not Edit.FAILED", "return False"),
        "handler/test_worker.py::test_after_the_last_receive_of_a_newer_job_the_user_is_asked_to_try_again",
    ),
    bound(
        "A request's body has at most 1 048 576 bytes",
        "aws/http_api",
        "MAX_BODY_BYTES = 1024 * 1024",
        "2 * 1024 * 1024",
        f"{DISCORD}/test_signature.py::test_more_than_a_mebibyte_is_413_before_verification",
    ),
    bound(
        "A lease lasts ten seconds",
        "store/lease",
        "LEASE_SECONDS = 10.0",
        "20.0",
        "handler/store/test_claims.py::test_an_absent_session_is_claimed",
    ),
    bound(
        "A lease that ends far in the future is a wrong clock's",
        "store/lease",
        "CLOCKS_DIFFER = timedelta(seconds=5)",
        "timedelta(seconds=50)",
        f"{OPENING}/test_next_step.py::test_the_next_step_for_every_status_owner_and_lease",
    ),
    bound(
        "A request to DynamoDB is made five times at most",
        "aws/dynamodb",
        "MAX_ATTEMPTS = 5",
        "6",
        f"{AWS}/test_dynamodb_faults.py::test_an_error_that_persists_is_unavailable_after_the_last_attempt",
    ),
    bound(
        "The first pause before DynamoDB is asked again is the shortest",
        "aws/dynamodb",
        "FIRST_PAUSE_SECONDS = 0.05",
        "0.5",
        f"{AWS}/test_dynamodb_faults.py::test_the_pauses_double_from_the_first_to_the_longest",
    ),
    bound(
        "A refused token is tried again after three seconds",
        "discord/bot_token",
        "MIN_REFUSED_PAUSE_SECONDS = 3.0",
        "30.0",
        f"{DISCORD}/test_bot_token.py::test_one_stray_401_is_over_after_seconds_and_the_next_one_too",
    ),
    bound(
        "A renewed token is found within fifteen seconds",
        "discord/bot_token",
        "REREAD_PAUSE_SECONDS = 15.0",
        "60.0",
        f"{DISCORD}/test_bot_token.py::test_a_renewed_token_is_found_within_seconds_during_the_pause",
    ),
    bound(
        "A 429 that says no time is waited for five seconds",
        "discord/rate_limits",
        "DEFAULT_RETRY_AFTER_SECONDS = 5.0",
        "0.5",
        f"{DISCORD}/test_rate_limits.py::test_the_wait_of_a_429_is_parsed_and_has_a_default",
    ),
    bound(
        "A proxy's 429 is waited for thirty seconds at most",
        "discord/rate_limits",
        "MAX_PROXY_SECONDS = 30.0",
        "300.0",
        f"{DISCORD}/test_rate_limits.py::test_the_wait_of_a_429_is_parsed_and_has_a_default",
    ),
    bound(
        "A request waits for a limit for five seconds at most",
        "discord/exchange",
        "MAX_WAIT_SECONDS = 5.0",
        "50.0",
        f"{DISCORD}/test_rate_limits_obeyed.py::test_a_long_wait_raises_rate_limited",
    ),
    bound(
        "A search is not waited for",
        "discord/exchange",
        "HINT_TIMEOUT_SECONDS = 0.5",
        "5.0",
        "scenarios/test_search.py::test_a_search_that_fails_keeps_nobody_from_a_new_thread",
    ),
    bound(
        "A reason in Discord's audit log has at most 512 characters",
        "discord/http",
        "MAX_REASON_LENGTH = 512",
        "600",
        f"{DISCORD}/test_http.py::test_a_reason_is_shortened_and_percent_encoded",
    ),
    bound(
        "A nonce has at most 25 characters",
        "discord/messages",
        "MAX_NONCE_LENGTH = 25",
        "32",
        "handler/sessions/threads/test_source_message.py::test_a_nonce_is_the_same_for_every_opener_and_fits_discord",
    ),
    bound(
        "A thread's name has at most 100 units",
        "sessions/names",
        "MAX_THREAD_NAME_UNITS = 100",
        "101",
        "handler/sessions/test_names.py::test_a_name_with_its_prefix_has_at_most_100_utf16_units",
    ),
    bound(
        "A prefix has at most 50 units",
        "config",
        "MAX_PREFIX_UNITS = 50",
        "51",
        "handler/test_config.py::test_the_prefix_is_measured_in_utf16_units",
    ),
    bound(
        "One opener loses three source messages at most",
        "sessions/opening/create",
        "MAX_MESSAGES_LOST = 3",
        "4",
        f"{OPENING}/test_create.py::test_an_opener_whose_messages_are_always_deleted_stops_posting_and_says_why",
    ),
    bound(
        "A look-up reads ten archived pages at most",
        "sessions/threads/lists",
        "MAX_PAGES = 10",
        "100",
        f"{TOO_MANY}::test_an_import_after_too_many_archived_threads_ends_at_the_former_mark",
    ),
    bound(
        "A look-up reads a hundred namesakes at most",
        "sessions/threads/look_up",
        "MAX_NAMESAKES_READ = 100",
        "120",
        f"{TOO_MANY}::test_each_open_reads_some_of_many_namesakes_until_none_is_left",
    ),
    bound(
        "A look-up reads five namesakes at once",
        "sessions/threads/look_up",
        "MAX_NAMESAKES_AT_ONCE = 5",
        "20",
        f"{TOO_MANY}::test_the_first_namesake_that_can_be_adopted_ends_the_search",
    ),
    bound(
        "The pages of a search overlap by a millisecond",
        "sessions/threads/match",
        "OVERLAP = timedelta(milliseconds=1)",
        "timedelta(0)",
        "handler/sessions/threads/test_match.py::test_the_next_page_overlaps_this_one_by_a_millisecond",
    ),
    bound(
        "A missing thread is searched for from a minute after its archive time",
        "sessions/threads/match",
        "ARCHIVE_TIME_MARGIN = timedelta(minutes=1)",
        "timedelta(0)",
        "handler/sessions/threads/test_match.py::test_where_a_missing_thread_is_searched_for",
    ),
    bound(
        "A watermark stays a minute behind",
        "sessions/threads/lists",
        "WATERMARK_MARGIN = timedelta(seconds=60)",
        "timedelta(0)",
        f"{COSTS}::test_where_a_thread_was_archived_the_mark_of_its_channel_moves_on_and_what_lies_there_is_settled",
    ),
    bound(
        "An item of a vacant session is kept for 30 days",
        "store/clauses",
        "VACANT_KEPT = timedelta(days=30)",
        "timedelta(days=1)",
        "handler/store/test_claims.py::test_a_dropped_claim_leaves_a_vacant_session_of_the_same_generation",
    ),
    # The reconciler
    bound(
        "A run checks five archived sessions without cause",
        "sessions/reconcile/observe",
        "MAX_CHECKS = 5",
        "6",
        f"{COSTS}::test_without_the_audit_log_it_costs_the_sweeps_gets_and_a_second_query",
    ),
    bound(
        "A run reads 200 threads one by one at most",
        "sessions/reconcile/observe",
        "MAX_FETCHES = 200",
        "250",
        f"{NOT_STUCK}::test_of_more_archivings_than_a_run_may_ask_for_each_is_looked_at_in_the_end",
    ),
    bound(
        "A run reads 20 pages of the audit log at most",
        "sessions/reconcile/observe",
        "MAX_AUDIT_PAGES = 20",
        "40",
        f"{NOT_STUCK}::test_a_thread_that_never_answers_stops_neither_the_watermark_nor_other_news",
    ),
    bound(
        "A run ends 20 generations at most",
        "sessions/reconcile/plan",
        "MAX_ENDS = 20",
        "40",
        f"{PLAN}::test_a_run_ends_twenty_generations_and_has_the_next_one_ask_for_the_others",
    ),
    bound(
        "A run makes 20 changes of a kind at most",
        "sessions/reconcile/housekeeping",
        "CHANGES_PER_RUN = 20",
        "40",
        "reconciler/test_fair_turns.py::test_more_kept_threads_than_one_run_opens_all_come_back",
    ),
    bound(
        "Three deletions are believed at once",
        "sessions/reconcile/plan",
        "FEW_DELETIONS = 3",
        "4",
        f"{PLAN}::test_deletions_of_more_than_a_few_and_more_than_a_fifth_are_held_back",
    ),
    bound(
        "More deletions are believed up to a fifth",
        "sessions/reconcile/plan",
        "ONE_IN = 5",
        "4",
        f"{PLAN}::test_deletions_of_more_than_a_few_and_more_than_a_fifth_are_held_back",
    ),
    bound(
        "A deletion that is held back is seen again half an hour later",
        "sessions/reconcile/plan",
        "HOLD_TIME = timedelta(minutes=30)",
        "timedelta(minutes=20)",
        f"{PLAN}::test_a_held_deletion_is_done_when_it_is_seen_again_after_the_hold_time",
    ),
    bound(
        "Activity is written when it moved by an hour",
        "sessions/reconcile/changes",
        "MIN_ACTIVITY_STEP = timedelta(hours=1)",
        "timedelta(hours=2)",
        f"{PLAN}::test_activity_is_written_only_when_it_moved_far_enough",
    ),
    bound(
        "A run moves a watermark by five pages at most",
        "sessions/reconcile/watermark",
        "MAX_PAGES = 5",
        "10",
        f"{COSTS}::test_a_mark_that_lies_far_behind_is_left_to_an_opener",
    ),
    Rule(
        "A run makes five requests a second at most",
        Mutation(
            "sessions/reconcile/pace", "\nREQUESTS_PER_SECOND: Final = 5.0", "\nREQUESTS_PER_SECOND: Final = 10.0"
        ),
        "reconciler/test_fair_turns.py::test_the_pages_of_the_audit_log_keep_the_pace",
    ),
    bound(
        "While more than a hundred guilds wait no tick sends more",
        "reconciler",
        "FEW_GUILDS = 100",
        "200",
        "handler/test_reconciler.py::test_a_hundred_guilds_that_wait_keep_no_tick_from_sending_all_again",
    ),
)
