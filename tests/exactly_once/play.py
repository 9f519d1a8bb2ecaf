"""One remote call fails in one way, and life goes on: what is done, and what must be true in the end.

The opener is served within the webhook's time or told why not; he repeats his request, as the worker does; somebody
else opens the session; what hung lands; a month passes, and DynamoDB takes what has expired.

In a creation he repeats it in the process that met the fault, which may remember it; in the other acts in a new one. There,
what comes after is lived through once for all faults that have left the same table and the same Discord behind.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from handler.errors import OnethreadError
from handler.sessions.model import Opened
from tests.exactly_once.acts import CREATION, Act, prepared, words_of_people
from tests.exactly_once.faults import LANDS_LATE, Fault
from tests.kit.guild import MEMBER, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import NAME

WEBHOOK_SECONDS: Final = 2.4
WORKER_SECONDS: Final = 50.0
MORE_THAN_TTL_DAYS: Final = 31.0
ROUND_SECONDS: Final = 5.0  # the repeat comes at such a moment: less than a lease later


# What became of the rest of a life: by the act, and by where the rest began. Many faults leave the same behind.
_RESTS: Final[dict[tuple[Act, int], Exception | None]] = {}


def failures(act: Act, fault: Fault, calls: tuple[Call, ...], table: Literal["client", "moto"] = "client") -> list[str]:
    """Let the fault strike each of the calls that it can, in a world of its own; what went wrong."""
    failed = []
    before = prepared(act) if table == "client" else None
    for call in calls:
        if fault.hits(call):
            try:
                with act.guild(table) as guild:
                    guild.run(_live_through(guild, act, fault, call, before))
            except (AssertionError, OnethreadError) as failure:
                failed.append(f"{call}: {failure!r}")
    return failed


async def _live_through(
    guild: Guild, act: Act, fault: Fault, call: Call, before: tuple[Guild, datetime, str | None] | None
) -> None:
    if before is None:
        there = await act.prepare(guild)
    else:
        world, at, there = before
        guild.begin_as(world, at)
    people = words_of_people(guild)
    guild.restart()
    guild.calls.forget()
    fault.strike(guild, call)

    first = await _attempt(guild, act)
    if isinstance(first, OnethreadError):
        assert first.kind in fault.kinds, f"told {first.kind}: {first}"
        assert first.message
    guild.discord.faults.clear()
    guild.wire.faults.clear()
    await guild.wait(fault.over)

    opened = [first] if isinstance(first, Opened) else []
    rest = partial(_live_on, guild, act, opened, there, people)
    if act is CREATION or before is None or fault.lands:
        await rest()  # in the process that met the fault
    else:
        guild.restart()
        await guild.wait(ROUND_SECONDS - guild.now.timestamp() % ROUND_SECONDS)
        await _once((act, hash((guild.fingerprint(), *(answer.thread_id for answer in opened)))), rest)


async def _once(where: tuple[Act, int], rest: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Live on, unless that has been done from the same place: then fail again if that failed."""
    if where not in _RESTS:
        try:
            await rest()
        except (AssertionError, OnethreadError) as failure:
            _RESTS[where] = failure
            raise
        _RESTS[where] = None
    elif (known := _RESTS[where]) is not None:
        raise known


async def _live_on(guild: Guild, act: Act, opened: list[Opened], there: str | None, people: set[str]) -> None:
    opened.append(await guild.open(owner="first", seconds=WORKER_SECONDS, **act.how))
    guild.restart()
    opened.append(await guild.open(seconds=WORKER_SECONDS, private=act.private))
    await _everything_lands(guild)
    opened.append(await guild.open(private=act.private))
    if not act.anchored:
        for _ in range(2):
            await guild.wait(minutes=6)
            await guild.reconcile()
    await guild.days_pass(MORE_THAN_TTL_DAYS)
    guild.restart()
    opened.append(await guild.open(private=act.private))

    assert len({answer.thread_id for answer in opened}) == 1, [answer.thread_id for answer in opened]
    _check(guild, act, opened[0], there, people)


async def _attempt(guild: Guild, act: Act) -> Opened | OnethreadError:
    try:
        seconds = WEBHOOK_SECONDS if act.anchored else WORKER_SECONDS
        return await guild.open(owner="first", seconds=seconds, **act.how)
    except OnethreadError as error:
        return error


async def _everything_lands(guild: Guild) -> None:
    guild.wire.hanging.release()
    guild.wire.hanging.land()
    await guild.wait(LANDS_LATE)


def _check(guild: Guild, act: Act, opened: Opened, there: str | None, people: set[str]) -> None:
    (thread,) = guild.living_threads(NAME, private=act.private)
    assert opened.thread_id == thread.id
    assert there in (None, thread.id), "the thread that was there is not the session's any more"
    key = opened.session.session_key
    item = guild.table.private(MEMBER, key) if act.private else guild.table.item(key)
    pointer = guild.table.pointer(thread.id)
    assert (item["status"], item["discord_thread_id"]) == ("open", thread.id)
    assert pointer["session_key"] == (f"PRIVATE#{key}#{MEMBER}" if act.private else key)
    assert people <= guild.discord.messages.keys(), "a person's message was deleted"
