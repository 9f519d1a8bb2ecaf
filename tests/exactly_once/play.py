"""One remote call fails in one way, and life goes on: what is done, and what must be true in the end.

The opener is served within the webhook's time or told why not; he repeats his request, as the worker does; somebody
else opens the session; what hung lands; a month passes, and DynamoDB takes what has expired.
"""

from typing import Final

from handler.errors import OnethreadError
from handler.sessions.model import Opened
from tests.exactly_once.acts import Act, words_of_people
from tests.exactly_once.faults import LANDS_LATE, Fault
from tests.kit import virtual_time
from tests.kit.journal import Call
from tests.kit.stage import Stage
from tests.kit.table_view import NAME

WEBHOOK_SECONDS: Final = 2.4
WORKER_SECONDS: Final = 50.0
MORE_THAN_TTL_DAYS: Final = 31.0


def failures(act: Act, fault: Fault, calls: tuple[Call, ...], *, memory: bool = True) -> list[str]:
    """Let the fault strike each of the calls that it can, in a world of its own; what went wrong."""
    failed = []
    for call in calls:
        if fault.hits(call):
            try:
                with act.stage(memory=memory) as stage:
                    virtual_time.run(stage.play(_live_through(stage, act, fault, call)))
            except (AssertionError, OnethreadError) as failure:
                failed.append(f"{call}: {failure!r}")
    return failed


async def _live_through(stage: Stage, act: Act, fault: Fault, call: Call) -> None:
    there = await act.prepare(stage)
    people = words_of_people(stage)
    stage.restart()
    stage.forget()
    fault.strike(stage, call)

    first = await _attempt(stage, act)
    if isinstance(first, OnethreadError):
        assert first.kind in fault.kinds, f"told {first.kind}: {first}"
        assert first.message
    stage.discord.faults.clear()
    stage.wire.faults.clear()
    await stage.wait(fault.over)

    opened = [first] if isinstance(first, Opened) else []
    opened.append(await stage.open(owner="first", seconds=WORKER_SECONDS, may_unlock=act.may_unlock))
    stage.restart()
    opened.append(await stage.open(seconds=WORKER_SECONDS))
    await _everything_lands(stage)
    opened.append(await stage.open())
    await stage.days_pass(MORE_THAN_TTL_DAYS)
    stage.restart()
    opened.append(await stage.open())

    assert len({answer.thread_id for answer in opened}) == 1, [answer.thread_id for answer in opened]
    _check(stage, opened[0], there, people)


async def _attempt(stage: Stage, act: Act) -> Opened | OnethreadError:
    try:
        return await stage.open(owner="first", seconds=WEBHOOK_SECONDS, may_unlock=act.may_unlock)
    except OnethreadError as error:
        return error


async def _everything_lands(stage: Stage) -> None:
    stage.wire.hanging.release()
    stage.wire.hanging.land()
    await stage.wait(LANDS_LATE)


def _check(stage: Stage, opened: Opened, there: str | None, people: set[str]) -> None:
    (thread,) = stage.living_threads(NAME)
    assert opened.thread_id == thread.id
    assert there in (None, thread.id), "the thread that was there is not the session's any more"
    key = opened.session.session_key
    item, pointer = stage.item(key), stage.pointer(thread.id)
    assert item is not None
    assert (item["status"], item["discord_thread_id"]) == ("open", thread.id)
    assert pointer is not None
    assert pointer["session_key"] == key
    assert people <= stage.discord.messages.keys(), "a person's message was deleted"
