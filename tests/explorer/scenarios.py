"""What is explored. Together they are the bounds of the protocol's claim; each is exhaustive by itself."""

from dataclasses import replace
from typing import Any

from tests.explorer.bounds import Bounds
from tests.explorer.execution import Opener
from tests.explorer.search import Scenario

NAME, OTHER = "1a06a43", "login bug"
RENAMED = "Session login bug"

UNTIL_CLAIM = 3  # two reads, the claim
UNTIL_RECORD = 7  # calls of an opener up to the anchor's answer: two reads, the claim, the look-up's three, the anchor

A = Opener("A", NAME)
A_SLOW = Opener("A", NAME, slow=True)
B = Opener("B", NAME)
B_TWICE = Opener("B", NAME, times=2)
C = Opener("C", OTHER)
A_SEARCHES = Opener("A", NAME, searches=True)
B_SEARCHES = Opener("B", NAME, times=2, searches=True)
A_IMPORTS = Opener("A", NAME, dates=True)
B_IMPORTS = Opener("B", NAME, dates=True)
RECONCILER = Opener("R", NAME, reconciles=True)
R_TWICE = Opener("R", NAME, times=2, reconciles=True)
BOTH = (NAME, OTHER)

# Small enough for every run of the suite.
SLICE = {
    "one opener": Scenario((A,), Bounds()),
    "two openers": Scenario((A, B), Bounds()),
    "two openers, a lease that ends": Scenario((A, B), Bounds(leases_end=1)),
    "an opener that is cancelled": Scenario((A,), Bounds(cancels=1, nonce_closes=1)),
    "one opener, a person makes the thread": Scenario((A,), Bounds(acts=1, person_makes=f"Session {NAME}")),
    "one opener, the table is lost": Scenario((A,), Bounds(lose_items=1, nonce_closes=1)),
    "one opener and a moderator": Scenario(
        (Opener("A", NAME, times=2),), Bounds(acts=2, delete_thread=1, delete_message=1, nonce_closes=1)
    ),
    "one 404 lies": Scenario((Opener("A", NAME, times=2),), Bounds(lies=1)),
    "two names": Scenario((A, C), Bounds(), newcomers=BOTH),
    "one opener, only the search has the thread": Scenario(
        (A_SEARCHES,), Bounds(old=f"Session {NAME}", hides_old=True, stale_search=1)
    ),
    "one opener, half a list leaves the thread out": Scenario((A,), Bounds(old=f"Session {NAME}", half_lists=1)),
}

# What a person, Discord's answers and an import may do to one opener, or to two.
UNUSUAL = {
    "one opener, an answer is lost": Scenario((A,), Bounds(lost_answers=1, nonce_closes=1)),
    "one opener, two answers are lost": Scenario((A,), Bounds(lost_answers=2)),
    "one opener is refused": Scenario((A,), Bounds(refusals=1)),
    "one opener is refused twice, and an answer is lost": Scenario((A,), Bounds(refusals=2, lost_answers=1)),
    "one opener, two lies": Scenario((Opener("A", NAME, times=2),), Bounds(lies=2)),
    "one opener, the search has a person's thread that is deleted": Scenario(
        (Opener("A", NAME, times=2, searches=True),),
        Bounds(old=f"Session {NAME}", hides_old=True, stale_search=1, acts=1, delete_persons=1),
    ),
    "one opener imports": Scenario((A_IMPORTS,), Bounds(not_imported=True, old=f"Session {NAME}", lost_answers=1)),
    "two openers import": Scenario((A_IMPORTS, B_IMPORTS), Bounds(not_imported=True, old=f"Session {NAME}")),
    "two openers of two names import": Scenario(
        (A_IMPORTS, Opener("C", OTHER, dates=True)),
        Bounds(not_imported=True, old=f"Session {NAME}"),
        newcomers=BOTH,
    ),
    "an opener and the reconciler, an answer is lost": Scenario((A, RECONCILER), Bounds(lost_answers=1)),
    "two openers, an answer is lost": Scenario((A, B), Bounds(lost_answers=1)),
    "two openers, a refusal": Scenario((A, B), Bounds(refusals=1)),
}

_DELETED = Bounds(leases_end=1, acts=1, delete_thread=1)
_DROPPED = Bounds(leases_end=1, acts=2, rename_to=f"Session {NAME}", delete_foreign=1, no_nonces=True, foreign=OTHER)


# The same as some of the larger ones further on, so that they end in every run of the suite.
def _recorded(openers: tuple[Opener, ...], bounds: Bounds) -> Scenario:
    """The first opener has recorded its source message, and its lease has ended."""
    return Scenario(openers, bounds, head_start=UNTIL_RECORD + 1, prelude=("leases end",))


NEAR = {
    "a thread is deleted, from Record on": _recorded((A, B_TWICE), _DELETED),
    "a thread is deleted, from Record on, and its message may have another": _recorded(
        (A, B_TWICE), replace(_DELETED, second_thread=True)
    ),
    "a thread is deleted, another is renamed, from Record on": _recorded(
        (A, B_TWICE), Bounds(leases_end=1, acts=2, delete_thread=1, rename_to=RENAMED, second_thread=True)
    ),
    "the table is lost, from Record on": _recorded((A, B), Bounds(lose_items=1, nonce_closes=1, leases_end=1)),
}


def _claimed(openers: tuple[Opener, ...], bounds: Bounds, **more: Any) -> Scenario:
    """The first opener has claimed the session already.

    Of two that begin alike one has to be the first; and whoever has read before that claims in vain, and begins anew.
    """
    return Scenario(openers, bounds, head_start=UNTIL_CLAIM, **more)


EXHAUSTIVE = {
    **SLICE,
    **UNUSUAL,
    **NEAR,
    "a thread is deleted": _claimed((A, B_TWICE), _DELETED),
    "a thread is deleted, and its message may have another": _claimed(
        (A, B_TWICE), replace(_DELETED, second_thread=True)
    ),
    "a thread is deleted, the nonce window closes": _claimed((A, B), replace(_DELETED, nonce_closes=1)),
    "a source message is deleted": _claimed((A, B), Bounds(leases_end=1, acts=1, delete_message=1, nonce_closes=1)),
    "a thread and its message are deleted": _claimed(
        (A, B), Bounds(leases_end=1, acts=2, delete_thread=1, delete_message=1, second_thread=True)
    ),
    "a person makes the thread": Scenario((A, B), Bounds(leases_end=1, acts=1, person_makes=f"Session {NAME}")),
    "a thread is archived": _claimed((A, B_TWICE), Bounds(leases_end=1, acts=1, archive=1)),
    "a cancelled call lands late": _claimed((A, B), Bounds(leases_end=1, cancels=1)),
    "a cancelled call lands late, a thread is deleted": _claimed(
        (A, B_TWICE), Bounds(cancels=1, acts=1, delete_thread=1, second_thread=True)
    ),
    "the table is lost": _claimed((A, B), Bounds(lose_items=1, nonce_closes=1, leases_end=1)),
    "one 404 lies to two": _claimed((A, B_TWICE), Bounds(lies=1, leases_end=1)),
    "a thread is renamed to the other's name": _claimed(
        (A, C), Bounds(acts=2, rename_to=RENAMED, delete_thread=1), newcomers=BOTH
    ),
    "a renamed thread, two of one name": _claimed(
        (A, C, Opener("D", OTHER)), Bounds(acts=1, rename_to=RENAMED), newcomers=BOTH
    ),
    "a thread is deleted, another is renamed": _claimed(
        (A, B_TWICE), Bounds(leases_end=1, acts=2, delete_thread=1, rename_to=RENAMED, second_thread=True)
    ),
    "only the search has the thread": Scenario(
        (A_SEARCHES, B_SEARCHES), Bounds(leases_end=1, old=f"Session {NAME}", hides_old=True)
    ),
    "a thread is deleted, and the search still has it": _claimed(
        (A_SEARCHES, B_SEARCHES), replace(_DELETED, stale_search=1, second_thread=True)
    ),
    "a thread is deleted, an answer is lost": _claimed((A, B_TWICE), replace(_DELETED, lost_answers=1)),
    "a refusal, the leases end": _claimed((A, B), Bounds(leases_end=1, refusals=1, nonce_closes=1)),
    "two lies to two": _claimed((A, B_TWICE), Bounds(lies=2, leases_end=1)),
    "two openers import, one answer is lost": Scenario(
        (A_IMPORTS, B_IMPORTS), Bounds(not_imported=True, old=f"Session {NAME}", leases_end=1, lost_answers=1)
    ),
    "the search has a person's thread that is deleted": Scenario(
        (A_SEARCHES, B_SEARCHES),
        Bounds(old=f"Session {NAME}", hides_old=True, stale_search=1, acts=1, delete_persons=1),
    ),
    "half a list": _claimed((A, B_TWICE), Bounds(leases_end=1, half_lists=1, acts=1, archive=1)),
    "half a list leaves the thread out": _claimed((A, B), Bounds(leases_end=1, half_lists=1, old=f"Session {NAME}")),
    "a dropped claim, from the look-up on": Scenario(
        (A_SLOW, B_TWICE),
        _DROPPED,
        head_start=UNTIL_RECORD,
        prelude=("leases end", "is renamed"),
    ),
    "a dropped claim": Scenario(
        (A_SLOW, B_TWICE),
        _DROPPED,
        head_start=UNTIL_RECORD,
    ),
}

RECONCILED_SLICE = {
    "an opener and the reconciler": Scenario((A, RECONCILER), Bounds()),
    "the reconciler comes upon a claim that is over": Scenario((A, RECONCILER), Bounds(leases_end=1)),
    "the reconciler and a deleted thread": Scenario((A, RECONCILER), Bounds(acts=1, delete_thread=1)),
}

RECONCILED = {
    **RECONCILED_SLICE,
    "the reconciler, a thread is deleted, and its message may have another": Scenario(
        (A, R_TWICE), Bounds(leases_end=1, acts=1, delete_thread=1, second_thread=True)
    ),
    "the reconciler, a source message is deleted": Scenario(
        (A, R_TWICE), Bounds(leases_end=1, acts=1, delete_message=1, nonce_closes=1)
    ),
    "the reconciler, a person makes the thread": Scenario(
        (A, R_TWICE), Bounds(leases_end=1, acts=1, person_makes=f"Session {NAME}")
    ),
    "the reconciler, a thread is renamed to the other's name": Scenario(
        (A, C, RECONCILER), Bounds(acts=1, rename_to=RENAMED), newcomers=BOTH
    ),
    "the reconciler, a cancelled call lands late": Scenario((A, RECONCILER), Bounds(leases_end=1, cancels=1)),
    "the reconciler, a thread is archived": Scenario((A, R_TWICE), Bounds(acts=1, archive=1)),
    "the reconciler, one 404 lies": Scenario((A, R_TWICE), Bounds(lies=1)),
    "two openers and the reconciler, from Record on": _recorded((A, B, RECONCILER), Bounds(leases_end=1)),
    "the reconciler, an answer is lost, a thread is deleted": Scenario(
        (A, RECONCILER), Bounds(leases_end=1, acts=1, delete_thread=1, lost_answers=1)
    ),
    "the reconciler twice, an answer is lost, a thread is deleted": Scenario(
        (A, R_TWICE), Bounds(acts=1, delete_thread=1, lost_answers=1)
    ),
    "two openers and the reconciler": _claimed((A, B, RECONCILER), Bounds(leases_end=1)),
}

# By far the largest, so it is the last that is explored: a run that has to stop may leave it unfinished.
LONGEST = {
    "the reconciler twice, an answer is lost, a thread is deleted, the leases end": Scenario(
        (A, R_TWICE), Bounds(leases_end=1, acts=1, delete_thread=1, lost_answers=1)
    ),
}

_MODERATED = Bounds(
    acts=2,
    delete_thread=1,
    delete_message=1,
    archive=1,
    person_makes=f"Session {NAME}",
    rename_to=RENAMED,
    nonce_closes=1,
    leases_end=2,
    cancels=1,
    second_thread=True,
)

# Three actors and everything that may happen: by random schedules.
RANDOM = {
    "two openers, the reconciler and moderators": Scenario(
        (A, B_TWICE, R_TWICE),
        _MODERATED,
    ),
    "three openers": Scenario(
        (A, B_TWICE, Opener("D", NAME)),
        replace(_MODERATED, lies=1),
    ),
    "three openers that search, stale hits and half lists": Scenario(
        (A_SEARCHES, B_SEARCHES, Opener("D", NAME, searches=True)),
        replace(_MODERATED, stale_search=1, half_lists=1, old=f"Session {NAME} of old"),
    ),
    "three openers of two names": Scenario(
        (A, C, Opener("D", OTHER, times=2)),
        Bounds(acts=2, rename_to=RENAMED, delete_thread=1, nonce_closes=1, leases_end=2, cancels=1),
        newcomers=BOTH,
    ),
    "three openers and a lost table": Scenario(
        (A, B_TWICE, C),
        Bounds(acts=1, rename_to=RENAMED, nonce_closes=1, leases_end=2, lose_items=1),
        newcomers=BOTH,
    ),
}
