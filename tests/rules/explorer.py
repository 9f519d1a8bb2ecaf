"""The rules without which there could be two threads, each broken in the code: the explorer alone must notice.

`tests/test_explorer.py` runs what of them is quick.
"""

from typing import Final

from tests.rules.rule import Mutation, Rule

_SCHEDULES: Final = "test_explorer.py::test_every_schedule_leaves_one_thread"
_FIRST_SCHEDULES: Final = "test_explorer.py::test_the_first_schedules_of_a_larger_scenario_leave_one_thread"
_DELETION: Final = "    await _delete_source_message(context, session)\n"
_SECOND_LOOK: Final = """\
    if (found := await find_thread(context, session)) is not None:
        return StillThere(found)
"""
_POINTER: Final = "            *point(self._table, message_id, session.pair, pointer),\n"
_COMMITTED: Final = """\
        return write.accept_own(lambda s: s.discord_thread_id == thread_id and s.status is not Status.VACANT)
"""
_POINTING: Final = "        await self._table.transact(*point(self._table, thread_id, session.pair))\n"

EXPLORED: Final = (
    Rule(
        "When a generation ends its source message is deleted",
        Mutation("sessions/threads/generation", _DELETION, ""),
        f"{_SCHEDULES}[a thread is deleted, from Record on, and its message may have another]",
    ),
    Rule(
        "After the source message is deleted the thread is looked for once more",
        Mutation("sessions/threads/generation", _DELETION + _SECOND_LOOK, _DELETION),
        f"{_SCHEDULES}[a thread is deleted, another is renamed, from Record on]",
    ),
    Rule(
        "Before a source message is posted the thread is looked for",
        Mutation(
            "sessions/opening/chosen_message",
            "        return await look_up(context, channel, request.name), None\n",
            "        return LookUp(), None\n",
        ),
        f"{_SCHEDULES}[one opener, a person makes the thread]",
    ),
    Rule(
        "What only Discord's search has is found",
        Mutation(
            "sessions/threads/search",
            "return [thread for thread in hits if",
            "return [] and [thread for thread in hits if",
        ),
        f"{_SCHEDULES}[one opener, only the search has the thread]",
    ),
    Rule(
        "A source message is recorded only while the session is being created",
        Mutation("store/clauses", 'RECORDABLE: Final = f"{STILL_CREATING} AND {SAME', 'RECORDABLE: Final = f"{SAME'),
        f"{_FIRST_SCHEDULES}[a dropped claim, from the look-up on]",
    ),
    Rule(
        "The pointer is written before the thread exists",
        Mutation(
            "store/sessions",
            _POINTER,
            "",
            more=((_COMMITTED, _POINTING + _COMMITTED),),
        ),
        f"{_FIRST_SCHEDULES}[a thread is renamed to the other's name]",
    ),
    Rule(
        "Nobody is led to a renamed thread when the name has a thread of its own by then",
        Mutation(
            "sessions/opening/create",
            "        if dropped.session is not None and dropped.session.thread_id is not None:\n",
            "        if False:\n",
        ),
        f"{_FIRST_SCHEDULES}[a dropped claim, from the look-up on]",
    ),
)


def scenario_of(rule: Rule) -> str:
    """The scenario in which the fault lies."""
    return rule.test.partition("[")[2].removesuffix("]")
