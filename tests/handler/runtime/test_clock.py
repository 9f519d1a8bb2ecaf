"""Time: the one written form, in which text order is time order, and deadlines."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.runtime.clock import SystemClock, iso, parse_iso
from handler.runtime.deadline import Deadline, remaining, set_deadline
from infra.virtual_time import START, LoopClock

MOMENTS = st.datetimes(
    min_value=datetime(2015, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "2026-11-23T12:00:00.000Z"),
        (datetime(2026, 11, 23, 12, 0, 0, 999_999, tzinfo=UTC), "2026-11-23T12:00:00.999Z"),
        (datetime(2026, 11, 23, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T23:30:00.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_three_decimals_and_never_later_than_it_is(moment: datetime, text: str) -> None:
    assert iso(moment) == text


@given(MOMENTS, MOMENTS)
def test_the_order_of_the_texts_is_the_order_of_the_times(a: datetime, b: datetime) -> None:
    if abs(a - b) >= timedelta(milliseconds=1):
        assert (iso(a) < iso(b)) == (a < b)
    assert len(iso(a)) == len(iso(b))


@given(MOMENTS)
def test_what_was_written_reads_as_the_same_moment_to_the_millisecond(moment: datetime) -> None:
    read = parse_iso(iso(moment))
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
    assert iso(read) == iso(moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:00:00.123456+00:00",
        "2026-11-23T12:00:00.123456Z",
        "2026-11-23T12:00:00.123456",
        "2026-11-23T14:00:00.123456+02:00",
    ],
)
def test_all_forms_that_discord_writes_are_read_as_utc(text: str) -> None:
    read = parse_iso(text)
    assert read == datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "1764000000"])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is Python's own
        parse_iso(text)


def test_the_remaining_seconds_are_never_negative() -> None:
    deadline = Deadline.after(START, 2.5)
    assert deadline.remaining(START) == 2.5
    assert deadline.remaining(START + timedelta(seconds=2)) == 0.5
    assert deadline.remaining(START + timedelta(hours=1)) == 0.0


async def test_a_task_has_the_deadline_of_whoever_started_it_until_it_sets_its_own() -> None:
    seen: dict[str, float] = {}

    async def inner(name: str, own: float | None) -> None:
        if own is not None:
            set_deadline(Deadline.after(START, own))
        await asyncio.sleep(0)
        seen[name] = remaining(START, -1)

    assert remaining(START, -1) == -1
    set_deadline(Deadline.after(START, 10))
    await asyncio.gather(inner("inherits", None), inner("has its own", 3))
    seen["outer"] = remaining(START, -1)
    set_deadline(None)
    assert remaining(START, -1) == -1
    assert seen == {"inherits": 10, "has its own": 3, "outer": 10}


def test_the_system_clock_returns_aware_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


async def test_the_system_clock_sleeps_on_the_running_loop() -> None:
    await SystemClock().sleep(40)
    assert asyncio.get_running_loop().time() == pytest.approx(40)


async def test_the_loop_clock_returns_the_time_of_the_loop() -> None:
    await LoopClock().sleep(40)
    assert LoopClock().now() - START == pytest.approx(timedelta(seconds=40), abs=timedelta(milliseconds=1))
