"""The faults that were found in this project so far: how, and which test holds each now."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Mended:
    """A fault that was once in the code. `test` is as pytest names it, below tests/."""

    fault: str
    found_by: str
    test: str


EXPLORER: Final = "the explorer"
INJECTION: Final = "injected faults"
MUTATION: Final = "a change of the code that no test noticed"
SCALE: Final = "large worlds"
REVIEW: Final = "reading the code against Discord's behaviour"

HISTORY: Final = (
    Mended(
        "An opener whose claim could not be dropped, because a slow one had recorded meanwhile, led its user to another "
        "session's thread that had been renamed to the name",
        EXPLORER,
        "test_explorer.py::test_the_explorer_finds_the_fault_when_a_rule_is_taken_out",
    ),
    Mended(
        "A process that slept since before its generation ended started a second thread from a person's message",
        EXPLORER,
        "exactly_once/test_chosen_message.py",
    ),
    Mended(
        "An open said that its messages were deleted at once, although others had ended the generations",
        EXPLORER,
        "handler/sessions/opening/test_create.py::test_generations_that_others_end_are_not_taken_for_deleted_messages",
    ),
    Mended(
        "Two 404s of one moment ended a generation although the thread lived",
        INJECTION,
        "scenarios/test_evidence.py::test_a_thread_in_the_active_list_is_kept_though_it_is_always_called_unknown",
    ),
    Mended(
        "A list of threads that was half empty counted as the end of a channel's past",
        INJECTION,
        "scenarios/test_half_lists.py::test_an_import_that_reads_half_a_page_creates_nothing_and_goes_on_later",
    ),
    Mended(
        "One entry of the audit log or one item in a shape that is not known stopped a server's runs for ever",
        INJECTION,
        "reconciler/test_unreadable.py",
    ),
    Mended(
        "A death right after the import had moved on lost the threads that it had read",
        INJECTION,
        "scenarios/test_importing.py::"
        "test_a_death_right_after_the_import_has_moved_on_loses_none_of_the_threads_it_has_read",
    ),
    Mended(
        "Repeats of a job multiplied its messages",
        INJECTION,
        "handler/commands/test_repeated_jobs.py",
    ),
    Mended(
        "Where 20 000 threads were archived since the last open, each look-up read all pages, timed out and moved nothing",
        SCALE,
        "scenarios/test_too_many.py",
    ),
    Mended(
        "All jobs that one rate limit stopped came back at the same moment, and all but the first few stopped again",
        SCALE,
        "scenarios/test_rate_limits.py",
    ),
    Mended(
        "An import of 14 000 threads would have ended at Lambda's guard against recursive calls",
        SCALE,
        "infra/local/test_recursion.py",
    ),
    Mended(
        "Threads of converted channels, which no list shows, were not found",
        REVIEW,
        "scenarios/test_search.py",
    ),
    Mended(
        "A thread whose name Discord or another bot had changed was not found after the table was lost",
        REVIEW,
        "scenarios/test_changed_names.py::test_a_lost_table_finds_the_thread_by_either_name",
    ),
    Mended(
        "A lock that a moderator placed could be lifted by whoever opened the session next",
        REVIEW,
        "scenarios/test_reuse.py::test_a_lock_of_somebody_else_stays_although_this_app_once_placed_one",
    ),
    Mended(
        "A look-up of an earlier generation was used again after a person had made the thread",
        MUTATION,
        "scenarios/test_adoption.py::test_a_thread_that_a_person_makes_between_two_rounds_is_adopted",
    ),
    Mended(
        "The mark of what was read moved before everything behind it was settled",
        MUTATION,
        "scenarios/test_adoption.py::test_after_a_mark_has_moved_a_death_leaves_no_thread_behind_it",
    ),
    Mended(
        "The lease was never renewed, so a slow opener and a second one both asked for the thread",
        MUTATION,
        "scenarios/test_creation.py::test_who_is_slow_keeps_the_claim_and_the_other_one_starts_nothing",
    ),
    Mended(
        "Somebody was led to a thread that the reconciler was about to delete: found on 2 of 60 random seeds",
        MUTATION,
        "reconciler/test_housekeeping_interleaved.py",
    ),
)
