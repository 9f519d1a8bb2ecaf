"""From any table that can be reached and any Discord: after one run, or two where deletions were held back, the table says
what Discord says, and nothing was lost or made on the way."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handler.errors import OnethreadError
from infra.simulator.people import ImpossibleAction
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences, mapped_threads

HOLD_TIME: Final = timedelta(minutes=30)
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


async def _act(guild: Guild, act: Act) -> None:
    match act:
        case ("open", str(name)):
            with suppress(OnethreadError):
                await guild.open(name)
        case ("die", str(name), int(calls)):
            guild.calls.dies_after = len(guild.calls) + calls
            with suppress(Died, OnethreadError):
                await guild.open(name)
            guild.restart()
        case ("run",):
            await guild.report()
        case ("run_dies", int(calls)):
            guild.calls.dies_after = calls
            with suppress(Died):
                await guild.report()
            guild.restart()
        case ("wait", int(minutes)):
            await guild.wait(minutes=minutes)
        case _:
            with suppress(ImpossibleAction):
                _by_hand(guild, act)


def _by_hand(guild: Guild, act: Act) -> None:
    people = guild.people
    match act:
        case ("raid",):
            for thread_id in guild.discord.threads:
                guild.people.delete_thread(thread_id)
        case ("make", str(title)):
            people.create_thread(CHANNEL, title)
        case ("delete_message", int(number)):
            messages = list(guild.discord.messages.values())
            if messages:
                message = messages[number % len(messages)]
                people.delete_message(message.channel_id, message.id)
        case (str(what), int(number), *more):
            threads = list(guild.discord.threads)
            if threads:
                getattr(people, _ACTS.get(what, what))(threads[number % len(threads)], *more)
        case _:
            raise AssertionError(act)


# What each act is called by the simulation; "write" says something besides.
_ACTS: Final = {"write": "post_message", "delete": "delete_thread"}


def _after(history: Sequence[Act], scenario: Callable[[Guild], Coroutine[Any, Any, None]]) -> None:
    """Play a scenario in a guild with that history."""

    async def play(guild: Guild) -> None:
        for act in history:
            await _act(guild, act)
            await guild.wait(1)
        await guild.wait(minutes=1)  # leases are over: nobody is at work any more
        await scenario(guild)

    with Guild(followed=True, may_unlock=True, rename_limit=None) as guild:
        guild.run(play(guild))


async def _settles(guild: Guild) -> None:
    threads, mappings = set(guild.discord.threads), mapped_threads(guild)
    report = await guild.report()
    if report["held"]:
        await guild.wait((HOLD_TIME + timedelta(minutes=1)).total_seconds())
        report = await guild.report()
    assert not report["held"]
    assert not report["failed"] + report["lost"] + report["unclear"]
    assert differences(guild) == []
    assert set(guild.discord.threads) == threads, "a thread was made or deleted"
    assert mappings.items() <= mapped_threads(guild).items(), "a mapping to a living thread was lost"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(opened=_opened, history=_history)
def test_after_one_run_the_table_says_what_discord_says_and_a_second_run_plans_nothing(
    opened: list[Act], history: list[Act]
) -> None:
    async def play(guild: Guild) -> None:
        await _settles(guild)
        assert await guild.reconcile() == {}
        assert [call for call in guild.calls.names if call.startswith(("Put", "Update", "Delete", "Transact"))] == []

    _after([*opened, *history], play)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(opened=_opened, history=_history)
def test_without_the_audit_log_the_sweep_finds_in_time_what_the_list_does_not_show(
    opened: list[Act], history: list[Act]
) -> None:
    async def play(guild: Guild) -> None:
        guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
        threads, mappings = set(guild.discord.threads), mapped_threads(guild)
        for _ in range(4):  # a few sessions, five a run, and what is held back
            await guild.report()
            await guild.wait((HOLD_TIME + timedelta(minutes=1)).total_seconds())
        assert differences(guild) == []
        assert set(guild.discord.threads) == threads
        assert mappings.items() <= mapped_threads(guild).items()

    _after([*opened, *history], play)
