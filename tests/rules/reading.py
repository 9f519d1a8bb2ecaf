"""What the reads of the table rest on."""

from typing import Final

from tests.rules.rule import Mutation, Rule

READS: Final = "handler/store/test_hard_reads.py"
SCENARIOS: Final = "scenarios/test_hard_reads.py"

READING: Final = (
    Rule(
        "An item is read consistently",
        Mutation("store/table", "Key=dict(key), ConsistentRead=True", "Key=dict(key)"),
        f"{SCENARIOS}::test_an_open_right_after_another_one_gets_its_thread_at_once",
    ),
    Rule(
        "A batch is read consistently",
        Mutation("store/table", '{"Keys": batch, "ConsistentRead": True}', '{"Keys": batch}'),
        f"{READS}::test_many_sessions_and_pointers_are_all_read_as_they_were_written_just_now",
    ),
    Rule(
        "Namesakes are read consistently",
        Mutation("store/table", "            ConsistentRead=True,\n", ""),
        f"{SCENARIOS}::test_the_last_of_many_namesakes_is_adopted_when_the_thread_and_the_others_are_gone",
    ),
    Rule(
        "A batch's unprocessed keys are asked for again",
        Mutation("store/table", "            wanted += answer.get(", "            answer.get("),
        f"{SCENARIOS}::test_a_thread_is_not_taken_from_its_session_though_the_batch_leaves_its_pointer_unprocessed",
    ),
    Rule(
        "A batch that stays unprocessed is an outage",
        Mutation("store/table", '        raise StoreUnavailable("batch', '        return items  # ("batch'),
        f"{READS}::test_a_batch_that_is_never_processed_is_an_outage_and_not_an_absent_item",
    ),
    Rule(
        "A query of the table reads all pages",
        Mutation(
            "store/table",
            '            if not page.get("LastEvaluatedKey") or',
            '            if "IndexName" not in parameters or not page.get("LastEvaluatedKey") or',
        ),
        f"{SCENARIOS}::test_the_last_of_many_namesakes_is_adopted_when_the_thread_and_the_others_are_gone",
    ),
    Rule(
        "A query of an index reads all pages",
        Mutation(
            "store/table",
            '            if not page.get("LastEvaluatedKey") or',
            '            if "IndexName" in parameters or not page.get("LastEvaluatedKey") or',
        ),
        f"{SCENARIOS}::test_a_run_ends_all_claims_that_were_left_behind",
    ),
    Rule(
        "A query with a limit goes on until there are so many items",
        Mutation(
            "store/table",
            "(limit is not None and len(items) >= limit)",
            "limit is not None",
        ),
        f"{READS}::test_as_many_archived_sessions_are_due_as_are_asked_for",
    ),
    Rule(
        "A session that the index shows is read again before anything is done about it",
        Mutation("sessions/reconcile/run", "    if not pairs:  # a", "    if True:  # a"),
        "reconciler/test_side_by_side.py::test_what_was_closed_after_the_list_was_read_is_not_opened_again_by_it",
    ),
)
