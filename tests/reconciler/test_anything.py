"""From any table that can be reached and any Discord: after one run, or two where deletions were held back, the table says
what Discord says, and nothing was lost or made on the way."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handler.errors import OnethreadError
from handler.sessions.reconcile.plan import HELD_FOR
from infra.simulator.people import ImpossibleAction
from tests.kit import virtual_time
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, WITHOUT_AUDIT_LOG, Ground, prepared

NAMES: Final = ("a", "b", "c", "d", "e")
TITLES: Final = (*(f"Session {name}" for name in NAMES), "Session a: login bug", "login bug")
MIN_STEPS: Final = 6  # of a history, after the sessions that it begins with
MAX_STEPS: Final = 30
FIRST_CALLS: Final = 14  # an opener dies within so many calls: a creation takes about as many

_number = st.integers(0, 11)
_history = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from(NAMES)),
        st.tuples(st.just("die"), st.sampled_from(NAMES), st.integers(1, FIRST_CALLS)),
        st.tuples(st.just("make"), st.sampled_from(TITLES)),
        st.tuples(st.just("rename"), _number, st.sampled_from(TITLES)),
        st.tuples(
            st.sampled_from(["archive", "auto_archive", "unarchive", "lock", "unlock", "delete", "write"]), _number
        ),
        st.tuples(st.just("delete_message"), _number),
        st.tuples(st.just("wait"), st.sampled_from([1, 20, 90])),
        st.tuples(st.just("run")),
        st.tuples(st.just("raid")),
        st.tuples(st.just("run_dies"), st.integers(1, FIRST_CALLS)),
    ),
    min_size=MIN_STEPS,
    max_size=MAX_STEPS,
)
_opened = st.lists(st.tuples(st.just("open"), st.sampled_from(NAMES)), min_size=2, max_size=len(NAMES), unique=True)
Act = Sequence[object]


async def _act(ground: Ground, act: Act) -> None:
    match act:
        case ("open", str(name)):
            with suppress(OnethreadError):
                await ground.open(name)
        case ("die", str(name), int(calls)):
            ground.dies_after = len(ground.calls) + calls
            with suppress(Died, OnethreadError):
                await ground.open(name)
            ground.restart()
        case ("run",):
            await ground.report()
        case ("run_dies", int(calls)):
            ground.dies_after = calls
            with suppress(Died):
                await ground.report()
            ground.restart()
        case ("wait", int(minutes)):
            await ground.wait(minutes=minutes)
        case _:
            with suppress(ImpossibleAction):
                _by_hand(ground, act)


def _by_hand(ground: Ground, act: Act) -> None:
    people, now = ground.discord.people, ground.now
    match act:
        case ("raid",):
            for thread_id in ground.discord.threads:
                ground.delete(thread_id)
        case ("make", str(title)):
            people.create_thread(CHANNEL, title, now=now, by=MODERATOR)
        case ("delete_message", int(number)):
            messages = list(ground.discord.messages.values())
            if messages:
                message = messages[number % len(messages)]
                people.delete_message(message.channel_id, message.id, now=now, by=MODERATOR)
        case (str(what), int(number), *more):
            threads = list(ground.discord.threads)
            if threads:
                _PEOPLE[what](people, threads[number % len(threads)], now, *more)
        case _:
            raise AssertionError(act)


_PEOPLE: Final[dict[str, Callable[..., object]]] = {
    "rename": lambda people, thread, now, title: people.rename(thread, title, now=now, by=MODERATOR),
    "auto_archive": lambda people, thread, now: people.auto_archive(thread, now=now),
    "archive": lambda people, thread, now: people.archive(thread, now=now, by=MODERATOR),
    "unarchive": lambda people, thread, now: people.unarchive(thread, now=now, by=MODERATOR),
    "lock": lambda people, thread, now: people.lock(thread, now=now, by=MODERATOR),
    "unlock": lambda people, thread, now: people.unlock(thread, now=now, by=MODERATOR),
    "write": lambda people, thread, now: people.post_message(thread, "a word", now=now, by=MODERATOR),
    "delete": lambda people, thread, now: people.delete_thread(thread, now=now, by=MODERATOR),
}


async def _after(history: Sequence[Act]) -> Ground:
    ground = Ground()
    await prepared(ground)
    for act in history:
        await _act(ground, act)
        await ground.clock.sleep(1)
    await ground.wait(minutes=1)  # leases are over: nobody is at work any more
    return ground


async def _settles(ground: Ground) -> None:
    threads, mappings = set(ground.discord.threads), ground.mappings()
    report = await ground.report()
    if report["held"]:
        await ground.clock.sleep((HELD_FOR + timedelta(minutes=1)).total_seconds())
        report = await ground.report()
    assert not report["held"]
    assert not report["failed"] + report["lost"] + report["unclear"]
    assert ground.differences() == []
    assert set(ground.discord.threads) == threads, "a thread was made or deleted"
    assert mappings.items() <= ground.mappings().items(), "a mapping to a living thread was lost"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(opened=_opened, history=_history)
def test_after_one_run_the_table_says_what_discord_says_and_a_second_run_plans_nothing(
    opened: list[Act], history: list[Act]
) -> None:
    async def play() -> None:
        ground = await _after([*opened, *history])
        await _settles(ground)
        assert await ground.reconcile() == {}
        assert [call for call in ground.calls if call.startswith(("put", "update", "delete", "transact"))] == []
        await ground.http.aclose()

    virtual_time.run(play())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(opened=_opened, history=_history)
def test_without_the_audit_log_the_sweep_finds_in_time_what_the_list_does_not_show(
    opened: list[Act], history: list[Act]
) -> None:
    async def play() -> None:
        ground = await _after([*opened, *history])
        ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
        threads, mappings = set(ground.discord.threads), ground.mappings()
        for _ in range(4):  # a few sessions, five a run, and what is held back
            await ground.report()
            await ground.clock.sleep((HELD_FOR + timedelta(minutes=1)).total_seconds())
        assert ground.differences() == []
        assert set(ground.discord.threads) == threads
        assert mappings.items() <= ground.mappings().items()
        await ground.http.aclose()

    virtual_time.run(play())
