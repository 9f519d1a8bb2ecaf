"""What is learned of rate limits, with time passed in."""

from datetime import UTC, datetime, timedelta

import pytest

from handler.discord import rate_limits, routes
from handler.discord.http import Request, Response
from handler.discord.rate_limits import DEFAULT_RETRY_AFTER_SECONDS, RateLimits, Wait
from tests.kit.secrets import made_up

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GET = routes.get_channel("1")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(limit: int, left: int, reset_after: float, name: str = "b", status: int = 200) -> Response:
    headers = {
        "x-ratelimit-bucket": name,
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset-after": str(reset_after),
    }
    return Response(status, headers, b"{}")


def answered(limits: RateLimits, request: Request, response: Response | None, now: datetime = NOW) -> Wait | None:
    assert limits.acquire(request, now) is None
    return limits.release(request, response, now)


def how_many_may_go(limits: RateLimits, request: Request, now: datetime, most: int = 20) -> int:
    return next((n for n in range(most) if limits.acquire(request, now) is not None), most)


def test_a_route_that_was_never_answered_is_not_held_back() -> None:
    assert how_many_may_go(RateLimits(), GET, NOW) == 20


def test_no_more_go_than_the_bucket_has_left_and_the_wait_is_until_its_reset() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 2, 1.5))
    assert how_many_may_go(limits, GET, NOW) == 2
    assert limits.acquire(GET, at(0.5)) == Wait(1.0, "user")


def test_after_the_reset_exactly_as_many_go_as_the_limit_says() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 4, 2.0))
    assert how_many_may_go(limits, GET, NOW) == 4
    assert how_many_may_go(limits, GET, at(2.0)) == 5
    assert limits.acquire(GET, at(2.5)) == Wait(1.5, "user")
    assert how_many_may_go(limits, GET, at(4.0)) == 5


def test_requests_in_flight_are_not_counted_as_left_in_a_new_window() -> None:
    limits = RateLimits()
    for _ in range(4):
        assert limits.acquire(GET, NOW) is None
    limits.release(GET, told(5, 4, 2.0), NOW)
    assert how_many_may_go(limits, GET, NOW) == 1


def test_an_answer_that_was_overtaken_gives_nothing_back() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 4, 2.0))
    assert limits.acquire(GET, NOW) is None
    assert limits.acquire(GET, NOW) is None
    limits.release(GET, told(5, 2, 1.9), at(0.1))
    limits.release(GET, told(5, 3, 1.9), at(0.1))
    assert how_many_may_go(limits, GET, at(0.1)) == 2


def test_an_answer_from_a_new_window_counts_even_before_the_old_one_seemed_over() -> None:
    limits = RateLimits()
    answered(limits, GET, told(2, 1, 2.0))
    answered(limits, GET, told(2, 1, 2.0), at(1.9))
    assert how_many_may_go(limits, GET, at(1.9)) == 1


def test_a_window_that_replaces_another_counts_those_in_flight_as_well() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 4, 2.0))
    for _ in range(4):
        assert limits.acquire(GET, at(1.9)) is None
    limits.release(GET, told(5, 4, 2.0), at(1.95))
    assert how_many_may_go(limits, GET, at(1.95)) == 1


def test_a_lost_answer_leaves_the_place_taken() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 2, 1.0))
    assert answered(limits, GET, None) is None
    assert how_many_may_go(limits, GET, NOW) == 1


def test_each_channel_has_its_own_count_of_a_bucket() -> None:
    limits = RateLimits()
    answered(limits, GET, told(5, 0, 1.0))
    assert limits.acquire(GET, NOW) is not None
    assert limits.acquire(routes.get_channel("2"), NOW) is None


def test_routes_that_name_the_same_bucket_share_its_count() -> None:
    limits = RateLimits()
    read, write = routes.get_message("1", "2"), routes.post_message("1", {}, "n")
    answered(limits, read, told(5, 4, 1.0, name="shared"))
    answered(limits, write, told(5, 0, 1.0, name="shared"))
    assert limits.acquire(read, NOW) == Wait(1.0, "user")


def test_interaction_tokens_are_counted_apart_and_not_remembered_in_clear() -> None:
    limits = RateLimits()
    one, other = (
        routes.edit_original("9", made_up("token-one"), {}),
        routes.edit_original("9", made_up("token-two"), {}),
    )
    answered(limits, one, told(5, 0, 1.0))
    assert limits.acquire(one, NOW) is not None
    assert limits.acquire(other, NOW) is None
    assert "token-one" not in repr(vars(limits))


def test_answers_without_headers_leave_no_trace() -> None:
    limits = RateLimits()
    before = repr(vars(limits))
    answered(limits, GET, Response(200, {}, b"{}"))
    answered(limits, GET, None)
    assert repr(vars(limits)) == before


@pytest.mark.parametrize(
    ("limit", "left", "reset_after"),
    [
        ("5", "x", "1"),
        ("", "0", "1"),
        ("0", "0", "1"),
        ("5", "0", "nan"),
        ("5", "0", "-1"),
        ("5", "0", "inf"),
        ("-5", "0", "1"),
    ],
)
def test_headers_that_make_no_sense_are_ignored(limit: str, left: str, reset_after: str) -> None:
    limits = RateLimits()
    headers = {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": left,
        "x-ratelimit-reset-after": reset_after,
    }
    answered(limits, GET, Response(200, headers, b"{}"))
    assert how_many_may_go(limits, GET, NOW) == 20


def refused(body: bytes = b"", **headers: str) -> Response:
    return Response(429, {name.replace("_", "-"): value for name, value in headers.items()}, body)


EXHAUSTED = {
    "x_ratelimit_bucket": "b",
    "x_ratelimit_limit": "5",
    "x_ratelimit_remaining": "0",
    "x_ratelimit_reset_after": "3",
}


@pytest.mark.parametrize(
    ("response", "seconds", "scope"),
    [
        (refused(b'{"retry_after": 0.529, "global": false}', **EXHAUSTED, retry_after="1"), 0.529, "user"),
        (refused(b'{"retry_after": 2.5}', **EXHAUSTED, x_ratelimit_scope="shared"), 2.5, "shared"),
        (refused(b'{"retry_after": 1.5, "global": true}'), 1.5, "global"),
        (refused(b'{"retry_after": 1.5}', x_ratelimit_global="true"), 1.5, "global"),
        (refused(b'{"retry_after": 1.5}', x_ratelimit_scope="global"), 1.5, "global"),
        (refused(b"<html>slow down</html>", retry_after="7"), 7.0, "address"),
        (refused(b"<html>slow down</html>"), DEFAULT_RETRY_AFTER_SECONDS, "address"),
        (refused(b"", **EXHAUSTED), 3.0, "user"),
        (refused(b'{"retry_after": "soon"}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (
            refused(b'{"retry_after": NaN}', retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
            DEFAULT_RETRY_AFTER_SECONDS,
            "address",
        ),
        (refused(b'{"retry_after": 1e300}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (refused(b'{"retry_after": -3}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (refused(b"[1]", **EXHAUSTED, retry_after="4"), 4.0, "user"),
    ],
)
def test_a_429_says_how_long_and_for_whom_and_garbage_has_a_default(
    response: Response, seconds: float, scope: str
) -> None:
    assert answered(RateLimits(), GET, response) == Wait(seconds, scope)


def test_a_429_closes_its_bucket_and_nothing_else() -> None:
    limits = RateLimits()
    answered(limits, GET, refused(b'{"retry_after": 240}', **EXHAUSTED))
    assert limits.acquire(GET, at(1)) == Wait(239.0, "user")
    assert limits.acquire(routes.get_channel("2"), NOW) is None
    assert limits.acquire(routes.get_message("1", "2"), NOW) is None
    assert how_many_may_go(limits, GET, at(240)) == 5


def test_a_global_429_closes_everything_but_interaction_webhooks() -> None:
    limits = RateLimits()
    answered(limits, GET, refused(b'{"retry_after": 3, "global": true}'))
    assert limits.acquire(routes.active_threads("9"), at(1)) == Wait(2.0, "global")
    assert limits.acquire(routes.edit_original("9", "token", {}), at(1)) is None
    assert limits.acquire(routes.active_threads("9"), at(3)) is None


def test_a_proxys_429_closes_everything_from_this_address() -> None:
    limits = RateLimits()
    answered(limits, GET, refused(b"<html>", retry_after="60"))
    assert limits.acquire(routes.edit_original("9", "token", {}), at(1)) == Wait(59.0, "address")
    assert limits.acquire(GET, at(60)) is None


def test_a_limit_that_the_headers_do_not_show_stops_only_who_met_it() -> None:
    limits = RateLimits()
    rename = routes.change_thread("1", {"name": "new"}, None)
    left_over = EXHAUSTED | {"x_ratelimit_remaining": "4"}
    assert answered(limits, rename, refused(b'{"retry_after": 500}', **left_over)) == Wait(500.0, "user")
    assert limits.acquire(routes.change_thread("1", {"archived": False}, None), NOW) is None


def test_a_refusal_of_a_long_wait_does_not_make_the_windows_after_it_long() -> None:
    limits = RateLimits()
    answered(limits, GET, told(2, 1, 1.0))
    long = told(2, 0, 240.0, status=429)
    answered(limits, GET, Response(429, long.headers, b'{"retry_after": 240}'), at(0.5))
    assert how_many_may_go(limits, GET, at(240.5)) == 2
    assert limits.acquire(GET, at(240.5)) == Wait(1.0, "user")


def test_expired_windows_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_WINDOWS", 3)
    limits = RateLimits()
    for channel in range(1, 4):
        answered(limits, routes.get_channel(str(channel)), told(5, 0, 1.0))
    answered(limits, routes.get_channel("4"), told(5, 0, 1.0), at(2))
    assert limits.acquire(routes.get_channel("4"), at(2)) is not None
    assert len(limits._windows) == 1
