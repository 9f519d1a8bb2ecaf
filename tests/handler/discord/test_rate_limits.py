"""What is learned from responses about rate limits."""

from datetime import UTC, datetime, timedelta

import pytest

from handler.discord import rate_limits, routes
from handler.discord.http import Request, Response
from handler.discord.rate_limits import RateLimits, Wait
from tests.kit.scripted_discord import bucket, with_dashes
from tests.kit.secrets import made_up

DEFAULT_RETRY_AFTER_SECONDS = 5.0
MAX_PROXY_SECONDS = 30.0
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GET = routes.get_channel("1")


@pytest.fixture
def limits() -> RateLimits:
    return RateLimits()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def bucket_response(limit: int, left: int, reset_after: float, name: str = "b", status: int = 200) -> Response:
    return Response(status, with_dashes(bucket(limit, left, reset_after, name)), b"{}")


def respond(limits: RateLimits, request: Request, response: Response | None, now: datetime = NOW) -> Wait | None:
    assert limits.acquire(request, now) is None
    return limits.release(request, response, now)


def count_allowed(limits: RateLimits, request: Request, now: datetime, most: int = 20) -> int:
    return next((n for n in range(most) if limits.acquire(request, now) is not None), most)


def test_a_route_without_any_response_is_not_held_back() -> None:
    assert count_allowed(RateLimits(), GET, NOW) == 20


def test_as_many_requests_go_as_are_left_and_the_rest_wait_for_the_reset(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 2, 1.5))
    assert count_allowed(limits, GET, NOW) == 2
    assert limits.acquire(GET, at(0.5)) == Wait(1.0, "user")


def test_after_the_reset_as_many_requests_go_as_the_limit_allows(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 4, 2.0))
    assert count_allowed(limits, GET, NOW) == 4
    assert count_allowed(limits, GET, at(2.0)) == 5
    assert limits.acquire(GET, at(2.5)) == Wait(1.5, "user")
    assert count_allowed(limits, GET, at(4.0)) == 5


def test_requests_in_flight_are_subtracted_from_a_new_window(limits: RateLimits) -> None:
    for _ in range(4):
        assert limits.acquire(GET, NOW) is None
    limits.release(GET, bucket_response(5, 4, 2.0), NOW)
    assert count_allowed(limits, GET, NOW) == 1


def test_responses_out_of_order_do_not_raise_the_count(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 4, 2.0))
    assert limits.acquire(GET, NOW) is None
    assert limits.acquire(GET, NOW) is None
    limits.release(GET, bucket_response(5, 2, 1.9), at(0.1))
    limits.release(GET, bucket_response(5, 3, 1.9), at(0.1))
    assert count_allowed(limits, GET, at(0.1)) == 2


def test_a_new_window_is_recognised_before_the_expected_reset(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(2, 1, 2.0))
    respond(limits, GET, bucket_response(2, 1, 2.0), at(1.9))
    assert count_allowed(limits, GET, at(1.9)) == 1


def test_requests_in_flight_are_subtracted_when_a_window_is_replaced(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 4, 2.0))
    for _ in range(4):
        assert limits.acquire(GET, at(1.9)) is None
    limits.release(GET, bucket_response(5, 4, 2.0), at(1.95))
    assert count_allowed(limits, GET, at(1.95)) == 1


def test_a_request_without_response_still_counts_against_the_limit(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 2, 1.0))
    assert respond(limits, GET, None) is None
    assert count_allowed(limits, GET, NOW) == 1


def test_each_channel_has_its_own_window_of_a_bucket(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(5, 0, 1.0))
    assert limits.acquire(GET, NOW) is not None
    assert limits.acquire(routes.get_channel("2"), NOW) is None


def test_routes_of_the_same_bucket_share_a_window(limits: RateLimits) -> None:
    read, write = routes.get_message("1", "2"), routes.post_message("1", {}, "n")
    respond(limits, read, bucket_response(5, 4, 1.0, name="shared"))
    respond(limits, write, bucket_response(5, 0, 1.0, name="shared"))
    assert limits.acquire(read, NOW) == Wait(1.0, "user")


def test_interaction_tokens_have_their_own_windows_and_are_not_kept(limits: RateLimits) -> None:
    one, other = (
        routes.edit_original("9", made_up("token-one"), {}),
        routes.edit_original("9", made_up("token-two"), {}),
    )
    respond(limits, one, bucket_response(5, 0, 1.0))
    assert limits.acquire(one, NOW) is not None
    assert limits.acquire(other, NOW) is None
    assert "token-one" not in repr(vars(limits))


def test_a_response_without_headers_changes_nothing(limits: RateLimits) -> None:
    before = repr(vars(limits))
    respond(limits, GET, Response(200, {}, b"{}"))
    respond(limits, GET, None)
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
def test_malformed_headers_are_ignored(limits: RateLimits, limit: str, left: str, reset_after: str) -> None:
    headers = {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": left,
        "x-ratelimit-reset-after": reset_after,
    }
    respond(limits, GET, Response(200, headers, b"{}"))
    assert count_allowed(limits, GET, NOW) == 20


def too_many_requests(body: bytes = b"", **headers: str) -> Response:
    return Response(429, with_dashes(headers), body)


EXHAUSTED = bucket(5, 0, 3)


@pytest.mark.parametrize(
    ("response", "seconds", "scope"),
    [
        (too_many_requests(b'{"retry_after": 0.529, "global": false}', **EXHAUSTED, retry_after="1"), 0.529, "user"),
        (too_many_requests(b'{"retry_after": 2.5}', **EXHAUSTED, x_ratelimit_scope="shared"), 2.5, "shared"),
        (too_many_requests(b'{"retry_after": 1.5, "global": true}'), 1.5, "global"),
        (too_many_requests(b'{"retry_after": 1.5}', x_ratelimit_global="true"), 1.5, "global"),
        (too_many_requests(b'{"retry_after": 1.5}', x_ratelimit_scope="global"), 1.5, "global"),
        (too_many_requests(b"<html>slow down</html>", retry_after="7"), 7.0, "proxy"),
        (too_many_requests(b"<html>slow down</html>"), DEFAULT_RETRY_AFTER_SECONDS, "proxy"),
        (too_many_requests(b"error code: 1015", retry_after="82721"), MAX_PROXY_SECONDS, "proxy"),
        (too_many_requests(b"error code: 1015", retry_after="3600", x_ratelimit_global="true"), 30.0, "user"),
        (too_many_requests(b'{"title": "Error 1015", "retry_after": 3600}'), MAX_PROXY_SECONDS, "proxy"),
        (too_many_requests(b'{"message": "slow", "retry_after": 3600}'), 3600.0, "user"),
        (too_many_requests(b"", **EXHAUSTED), 3.0, "user"),
        (too_many_requests(b'{"retry_after": "soon"}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (
            too_many_requests(b'{"retry_after": NaN}', retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
            DEFAULT_RETRY_AFTER_SECONDS,
            "proxy",
        ),
        (too_many_requests(b'{"retry_after": 1e300}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (too_many_requests(b'{"retry_after": -3}', **EXHAUSTED, retry_after="4"), 4.0, "user"),
        (too_many_requests(b"[1]", **EXHAUSTED, retry_after="4"), 4.0, "user"),
    ],
)
def test_the_wait_of_a_429_is_parsed_and_has_a_default(response: Response, seconds: float, scope: str) -> None:
    assert respond(RateLimits(), GET, response) == Wait(seconds, scope)


def test_a_429_blocks_only_its_bucket(limits: RateLimits) -> None:
    respond(limits, GET, too_many_requests(b'{"retry_after": 240}', **EXHAUSTED))
    assert limits.acquire(GET, at(1)) == Wait(239.0, "user")
    assert limits.acquire(routes.get_channel("2"), NOW) is None
    assert limits.acquire(routes.get_message("1", "2"), NOW) is None
    assert count_allowed(limits, GET, at(240)) == 5


def test_a_global_429_blocks_everything_but_interaction_webhooks(limits: RateLimits) -> None:
    respond(limits, GET, too_many_requests(b'{"retry_after": 3, "global": true}'))
    assert limits.acquire(routes.active_threads("9"), at(1)) == Wait(2.0, "global")
    assert limits.acquire(routes.edit_original("9", "token", {}), at(1)) is None
    assert limits.acquire(routes.active_threads("9"), at(3)) is None


def test_a_proxys_429_blocks_only_its_route_and_not_for_as_long_as_it_says(limits: RateLimits) -> None:
    respond(limits, GET, too_many_requests(b"error code: 1015", retry_after="3600"))
    assert limits.acquire(GET, at(1)) == Wait(29.0, "proxy")
    assert limits.acquire(routes.edit_original("9", "token", {}), at(1)) is None
    assert limits.acquire(routes.get_message("1", "2"), at(1)) is None
    assert limits.acquire(GET, at(30)) is None


def test_a_proxys_429_of_one_answer_leaves_the_other_answers_alone(limits: RateLimits) -> None:
    one, other = routes.edit_original("9", "one", {}), routes.edit_original("9", "other", {})
    respond(limits, one, bucket_response(5, 4, 1.0))
    respond(limits, one, too_many_requests(b"error code: 1015", retry_after="3600"))
    assert limits.acquire(one, at(29)) == Wait(1.0, "proxy")
    assert limits.acquire(other, at(29)) is None
    assert count_allowed(limits, one, at(30)) == 5


def test_looking_at_a_limit_uses_none_of_it(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(2, 1, 60.0))
    assert [limits.known_wait(GET, NOW) for _ in range(3)] == [None] * 3
    assert count_allowed(limits, GET, NOW) == 1
    assert limits.known_wait(GET, at(20)) == Wait(40.0, "user")
    assert limits.known_wait(GET, at(60)) is None
    assert count_allowed(limits, GET, at(60)) == 2


def test_a_429_from_a_bucket_with_requests_left_blocks_nothing_else(limits: RateLimits) -> None:
    rename = routes.change_thread("1", {"name": "new"}, None)
    left_over = EXHAUSTED | {"x_ratelimit_remaining": "4"}
    assert respond(limits, rename, too_many_requests(b'{"retry_after": 500}', **left_over)) == Wait(500.0, "user")
    assert limits.acquire(routes.change_thread("1", {"archived": False}, None), NOW) is None


def test_a_long_429_does_not_lengthen_later_windows(limits: RateLimits) -> None:
    respond(limits, GET, bucket_response(2, 1, 1.0))
    long = bucket_response(2, 0, 240.0, status=429)
    respond(limits, GET, Response(429, long.headers, b'{"retry_after": 240}'), at(0.5))
    assert count_allowed(limits, GET, at(240.5)) == 2
    assert limits.acquire(GET, at(240.5)) == Wait(1.0, "user")


def test_expired_windows_are_dropped_when_there_are_many(limits: RateLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_WINDOWS", 3)
    for channel in range(1, 4):
        respond(limits, routes.get_channel(str(channel)), bucket_response(5, 0, 1.0))
    respond(limits, routes.get_channel("4"), bucket_response(5, 0, 1.0), at(2))
    assert limits.acquire(routes.get_channel("4"), at(2)) is not None
    assert len(limits._windows) == 1
