"""Decoding responses."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.discord import decode, routes
from handler.discord.http import Request, Response
from handler.discord.models import AuditPage, ThreadList
from handler.errors import DiscordRefused, DiscordUnavailable, OnethreadError, OutcomeUnknown, RateLimited

GET, POST = routes.get_channel("1"), routes.post_message("1", {}, "n")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BEFORE = datetime(2026, 11, 2, tzinfo=UTC)
THREAD: dict[str, Any] = {
    "id": "1000000000000000001",
    "type": 11,
    "name": "Session 1a06a43",
    "guild_id": "9",
    "parent_id": "1",
    "owner_id": "900",
    "last_message_id": None,
    "message_count": 3,
    "member_count": 50,
    "thread_metadata": {
        "archived": True,
        "archive_timestamp": "2026-11-01T10:00:00.123456+00:00",
        "auto_archive_duration": 4320,
        "locked": False,
        "create_timestamp": None,
    },
    "flags": 0,
}


def json(document: object, status: int = 200, **headers: str) -> Response:
    return Response(status, headers, msgspec.json.encode(document))


def thread_list(response: Response) -> ThreadList:
    return decode.thread_list(response, NOW)


def thread_page(response: Response) -> ThreadList:
    return decode.thread_page(response, NOW, THREAD["parent_id"], BEFORE)


def archived(at: str, thread_id: int = 1, **more: object) -> dict[str, object]:
    """A thread that was archived on 1 November 2026 at that time."""
    state = {"archived": True, "archive_timestamp": f"2026-11-01T{at}+00:00", "locked": False}
    return {**THREAD, "id": str(thread_id), "thread_metadata": state, **more}


def test_a_thread_is_decoded_and_unknown_fields_are_ignored() -> None:
    thread = decode.decode_response(GET, json(THREAD), decode.channel)
    assert (thread.is_thread, thread.archived, thread.locked) == (True, True, False)
    assert thread.archive_time == datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)


NAMELESS: list[dict[str, Any]] = [{"id": None}, {"id": 5}, {"id": "not a snowflake"}]
MALFORMED: list[dict[str, Any]] = [
    {"last_message_id": "1" * 400},
    {"type": "11"},
    {"type": None},
    {"owner_id": 5},
    {"thread_metadata": {"archived": "yes"}},
    {"thread_metadata": {"archived": True, "archive_timestamp": "yesterday"}},
]
OTHER = {**THREAD, "id": "77"}


@pytest.mark.parametrize("change", [*NAMELESS, *MALFORMED])
def test_a_malformed_thread_is_an_outage(change: dict[str, object]) -> None:
    with pytest.raises(DiscordUnavailable, match="nonsense"):
        decode.decode_response(GET, json(THREAD | change), decode.channel)


@pytest.mark.parametrize("change", [*MALFORMED, {"name": None}, {"parent_id": None}, {"thread_metadata": None}])
def test_in_a_list_a_malformed_thread_keeps_its_id_and_costs_nobody_the_others(change: dict[str, Any]) -> None:
    listed = json({"threads": [{**THREAD, **change}, OTHER], "has_more": False})
    for read in (thread_list, thread_page):
        found = decode.decode_response(GET, listed, read).threads
        assert [(thread.id, thread.is_readable) for thread in found] == [(THREAD["id"], False), ("77", True)]
        assert found[0].name == (THREAD["name"] if "name" not in change else None)


@pytest.mark.parametrize("entry", [None, 5, "thread", [], {}, *({**THREAD, **change} for change in NAMELESS)])
def test_in_a_list_what_has_no_id_costs_nobody_the_others(entry: object) -> None:
    for read in (thread_list, thread_page):
        found = decode.decode_response(GET, json({"threads": [entry, OTHER], "has_more": False}), read).threads
        assert [(thread.id, thread.is_readable) for thread in found] == [("", False), ("77", True)]


def test_a_list_in_which_nothing_has_an_id_is_an_outage_unless_no_ids_are_needed() -> None:
    listed = json({"threads": [None, {}], "has_more": False})
    for read in (thread_list, thread_page):
        with pytest.raises(DiscordUnavailable, match="nonsense"):
            decode.decode_response(GET, listed, read)
    assert [thread.id for thread in decode.thread_list(listed, NOW, needs_ids=False).threads] == ["", ""]


ENTRY = {"id": "500", "action_type": 112, "user_id": "7", "target_id": "77", "changes": [{"key": "name"}]}


def audit_page(*entries: object) -> AuditPage:
    response = json({"audit_log_entries": list(entries)})
    return decode.decode_response(GET, response, lambda r: decode.audit_page(r, NOW))


@pytest.mark.parametrize(
    ("entry", "entry_id"),
    [
        (None, ""),
        ("an entry", ""),
        ({**ENTRY, "id": None}, ""),
        ({**ENTRY, "id": 501}, "501"),
        ({**ENTRY, "id": "an id"}, ""),
        ({**ENTRY, "id": str(2**63 - 1)}, ""),  # from the far future
        ({**ENTRY, "id": "501", "action_type": None}, "501"),
        ({**ENTRY, "id": "501", "action_type": "112"}, "501"),
        ({**ENTRY, "id": "501", "action_type": {}}, "501"),
        ({**ENTRY, "id": "501", "target_id": 77}, "501"),
        ({**ENTRY, "id": "501", "user_id": ["7"]}, "501"),
    ],
)
def test_an_audit_entry_that_cannot_be_read_is_skipped_and_passed(entry: object, entry_id: str) -> None:
    page = audit_page(entry, ENTRY)
    assert [found.id for found in page.entries] == ["500"]
    assert (page.unreadable, page.size) == ((entry_id,), 2)
    assert page.last_id == (entry_id or "500")


@pytest.mark.parametrize("changes", [None, 5, "changes", {}, [None], [{}], [{"key": 5}], [{"key": "name"}, 5]])
def test_of_an_audit_entry_whose_changes_cannot_be_read_the_rest_is(changes: object) -> None:
    page = audit_page({**ENTRY, "changes": changes})
    (entry,) = page.entries
    assert (entry.action_type, entry.target_id, entry.changes) == (112, "77", ())


def test_an_audit_log_without_entries_has_no_last_one() -> None:
    assert audit_page() == AuditPage(())


@given(st.binary(max_size=60), st.sampled_from([GET, POST]), st.integers(200, 599))
def test_any_body_that_is_not_a_channel_raises_one_of_our_errors(body: bytes, request_: Request, status: int) -> None:
    with pytest.raises(OnethreadError):
        decode.decode_response(request_, Response(status, {}, body), decode.channel)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["code", "message", "errors"]), s),
    )
)
def test_a_refusal_with_any_body_has_its_code_or_0(document: object) -> None:
    with pytest.raises(DiscordRefused) as raised:
        decode.decode_response(GET, json(document, 400), decode.no_body)
    assert raised.value.code == (
        document.get("code") if isinstance(document, dict) and type(document.get("code")) is int else 0
    )


def test_a_form_error_names_the_field_and_is_shortened() -> None:
    errors = {"name": {"_errors": [{"code": "BASE_TYPE_BAD_LENGTH", "message": "Must be 1 to 100 in length." * 50}]}}
    with pytest.raises(DiscordRefused, match="BASE_TYPE_BAD_LENGTH") as raised:
        decode.decode_response(
            POST, json({"message": "Invalid Form Body", "code": 50035, "errors": errors}, 400), decode.no_body
        )
    assert raised.value.code == 50035
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("status", [400, 403, 404, 413])
def test_a_proxys_page_is_an_outage_and_nothing_was_applied(status: int) -> None:
    page = Response(status, {"content-type": "text/html; charset=UTF-8"}, b"<html>blocked</html>")
    with pytest.raises(DiscordUnavailable) as raised:
        decode.decode_response(POST, page, decode.message)
    assert not isinstance(raised.value, OutcomeUnknown)


@pytest.mark.parametrize(
    "body", [b"", b"error code: 1020", b'{"cloudflare_error": true, "error_code": 1020, "status": 403}', b"\xff"]
)
def test_whatever_a_proxy_refuses_with_is_an_outage(body: bytes) -> None:
    with pytest.raises(DiscordUnavailable):
        decode.decode_response(POST, Response(403, {"content-type": "text/plain"}, body), decode.message)


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("code", [40333, 40004, 40006, 40062, 110001, 130000])
def test_a_refusal_that_means_not_now_is_an_outage_and_nothing_was_applied(status: int, code: int) -> None:
    with pytest.raises(DiscordUnavailable, match=str(code)) as raised:
        decode.decode_response(POST, json({"message": "not now", "code": code}, status), decode.message)
    assert not isinstance(raised.value, OutcomeUnknown)


@pytest.mark.parametrize("code", [20016, 20022, 20028, 20029, 30046])
def test_a_write_limit_without_a_429_is_a_rate_limit(code: int) -> None:
    with pytest.raises(RateLimited):
        decode.decode_response(POST, json({"message": "too fast", "code": code}, 403), decode.message)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302])
def test_after_a_5xx_the_outcome_of_a_change_is_unknown(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        decode.decode_response(POST, Response(status), decode.message)
    with pytest.raises(DiscordUnavailable) as raised:
        decode.decode_response(GET, Response(status), decode.channel)
    assert not isinstance(raised.value, OutcomeUnknown)


@pytest.mark.parametrize(
    "page",
    [
        {"threads": []},
        {"threads": [THREAD]},
        {"threads": [THREAD], "has_more": None},
        {"threads": [THREAD], "has_more": "no"},
        {"threads": [THREAD], "has_more": 0},
        {"has_more": False},
        {"threads": None, "has_more": False},
        {"threads": {}, "has_more": False},
        {"threads": [], "has_more": True},
        {"threads": [None, {"id": "5"}], "has_more": True},
        {"threads": [archived("10:00:00") | {"thread_metadata": {"archived": True}}], "has_more": True},
        {"threads": [archived("09:00:00"), archived("10:00:00", 2)], "has_more": False},
        {"threads": [archived("10:00:00", parent_id="2")], "has_more": False},
        {"threads": [archived("10:00:00"), archived("09:00:00", 2, parent_id="2")], "has_more": False},
        {"threads": [THREAD | {"thread_metadata": {"archived": True, "archive_timestamp": "2026-11-03T00:00:00Z"}}], "has_more": False},
        [],
        None,
    ],
    ids=str,
)  # fmt: skip
def test_half_a_page_of_archived_threads_is_an_outage(page: object) -> None:
    with pytest.raises(DiscordUnavailable, match="nonsense"):
        decode.decode_response(GET, json(page), thread_page)


@pytest.mark.parametrize(
    "threads",
    [
        [],
        [archived("10:00:00"), archived("10:00:00", 2)],
        [archived("10:00:00"), archived("10:00:00.9", 2)],  # Discord may sort by whole seconds
        [archived("10:00:00"), archived("10:00:00")],
        [archived("10:00:00", type=12)],
        # opened a moment ago, and still in the list
        [archived("10:00:00"), archived("23:59:00", 2) | {"thread_metadata": {"archived": False, "archive_timestamp": "2026-11-23T11:59:59Z"}}],
        [archived("10:00:00"), archived("10:00:00", 2) | {"thread_metadata": {"archived": True, "archive_timestamp": None}}],
    ],
    ids=len,
)  # fmt: skip
def test_what_is_only_unusual_is_a_page(threads: list[object]) -> None:
    page = decode.decode_response(GET, json({"threads": threads, "has_more": False}), thread_page)
    assert len(page.threads) == len(threads)


@pytest.mark.parametrize(
    "listed", [{}, {"threads": None}, {"threads": [], "has_more": True}, {"threads": [], "has_more": "no"}, []]
)
def test_half_a_list_of_active_threads_is_an_outage(listed: object) -> None:
    with pytest.raises(DiscordUnavailable, match="nonsense"):
        decode.decode_response(GET, json(listed), thread_list)


def test_the_list_of_active_threads_has_no_further_page() -> None:
    assert decode.decode_response(GET, json({"threads": []}), thread_list).has_more is False


@pytest.mark.parametrize(
    ("headers", "moment"),
    [
        ({"date": "Mon, 23 Nov 2026 11:59:58 GMT"}, datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)),
        ({"date": "Mon, 23 Nov 2026 12:59:58 +0100"}, datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)),
        ({"date": "Mon, 23 Nov 2026 11:59:58 -0000"}, datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)),
        ({"date": "Mon, 23 Nov 2026 12:00:01 GMT"}, NOW),
        ({"date": ""}, NOW),
        ({"date": "soon"}, NOW),
        ({"date": "Mon, 99 Nov 2026 11:59:58 GMT"}, NOW),
        ({"date": "Mon, 23 Nov 99999999 11:59:58 GMT"}, NOW),
        ({}, NOW),
    ],
)
def test_a_list_has_the_time_of_discords_date_header_or_ours(headers: dict[str, str], moment: datetime) -> None:
    assert thread_list(Response(200, headers, b'{"threads": []}')).date == moment
