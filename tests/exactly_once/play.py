"""One remote call fails in one way, and life goes on: what is done, and what must be true in the end.

The opener is served within the webhook's time or told why not; he repeats his request, as the worker does; somebody
else opens the session; what hung lands; a month passes, and DynamoDB takes what has expired.
"""

from typing import Final, Literal

from handler.errors import OnethreadError
from handler.sessions.model import Opened
from tests.exactly_once.acts import Act, words_of_people
from tests.exactly_once.faults import LANDS_LATE, Fault
from tests.kit.guild import MEMBER, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import NAME

WEBHOOK_SECONDS: Final = 2.4
WORKER_SECONDS: Final = 50.0
MORE_THAN_TTL_DAYS: Final = 31.0


def failures(act: Act, fault: Fault, calls: tuple[Call, ...], table: Literal["client", "moto"] = "client") -> list[str]:
    """Let the fault strike each of the calls that it can, in a world of its own; what went wrong."""
    failed = []
    for call in calls:
        if fault.hits(call):
            try:
                with act.guild(table) as guild:
                    guild.run(_live_through(guild, act, fault, call))
            except (AssertionError, OnethreadError) as failure:
                failed.append(f"{call}: {failure!r}")
    return failed


async def _live_through(guild: Guild, act: Act, fault: Fault, call: Call) -> None:
    there = await act.prepare(guild)
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
