"""HTTP in, events out: the HTTP API, and Lambda's own API."""

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from unittest.mock import ANY
from urllib.parse import quote

import pytest

from infra.local.functions import Result
from infra.local.gateway import lambda_api, to_event, to_response
from infra.local.http_client import send
from infra.loopback import MAX_BODY_BYTES, Loopback, Request, Response
from tests.infra.local.conftest import MakePool

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MILLISECONDS = 1_795_435_200_000
INVOKE = "/2015-03-31/functions/{}/invocations"


def request(method: str = "POST", target: str = "/interactions", body: bytes = b"{}", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, target, {"content-type": "application/json", **named}, body, "127.0.0.1")


def test_an_event_is_that_of_the_documented_example() -> None:
    event = to_event(request(target="/interactions?a=1&b=2&a=3", x_signature_timestamp="7"), NOON)

    # AWS docs, "Working with AWS Lambda proxy integrations for HTTP APIs", the example of payload format 2.0, without what
    # only comes with authorizers, certificates, cookies and path or stage variables.
    assert event == {
        "version": "2.0",
        "routeKey": "POST /interactions",
        "rawPath": "/interactions",
        "rawQueryString": "a=1&b=2&a=3",
        "queryStringParameters": {"a": "1,3", "b": "2"},
        "headers": ANY,
        "requestContext": ANY,
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert event["headers"]["x-signature-timestamp"] == "7"
    assert event["requestContext"] == {
        **dict.fromkeys(("accountId", "apiId", "domainName", "domainPrefix", "requestId"), ANY),
        "routeKey": "POST /interactions",
        "stage": "$default",
        "time": "23/Nov/2026:12:00:00 +0000",
        "timeEpoch": NOON_MILLISECONDS,
        "http": {
            "method": "POST",
            "path": "/interactions",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": ANY,
        },
    }


@pytest.mark.parametrize(("body", "kind"), [(b"\xff\xfe", "application/json"), (b"{}", "application/octet-stream")])
def test_a_body_that_is_not_text_is_in_base64(body: bytes, kind: str) -> None:
    event = to_event(request(body=body, content_type=kind), NOON)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_any_other_path_or_method_takes_the_default_route() -> None:
    assert to_event(request("GET"), NOON)["routeKey"] == "$default"
    assert to_event(request(target="/elsewhere"), NOON)["routeKey"] == "$default"


def test_a_request_without_a_body_has_none_in_its_event() -> None:
    assert "body" not in to_event(request("GET", body=b""), NOON)


def test_a_result_becomes_its_response() -> None:
    payload = {"statusCode": 405, "headers": {"Allow": "POST"}, "body": "no", "isBase64Encoded": False}
    assert to_response(Result(payload)) == Response(405, {"allow": "POST"}, b"no")
    encoded = {"statusCode": 200, "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}
    assert to_response(Result(encoded)) == Response(200, {}, b"\xff")


def test_a_result_without_a_status_is_the_body_itself() -> None:
    assert to_response(Result({"a": 1})) == Response(200, {"content-type": "application/json"}, b'{"a": 1}')


@pytest.mark.parametrize("result", [Result(error={"errorType": "Sandbox.Timedout"}), Result(None)])
def test_a_function_that_failed_is_an_internal_server_error(result: Result) -> None:
    response = to_response(result)
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


def test_programs_invoke_a_function_through_lambdas_own_api(make_pool: MakePool) -> None:
    pools = {"Echo": make_pool("echo"), "Fail": make_pool("fail")}
    echoed = lambda_api(pools, request(target=INVOKE.format("Echo"), body=b'{"a": 1}'))
    failed = lambda_api(pools, request(target=INVOKE.format("Fail")))
    by_arn = [
        lambda_api(pools, request(target=INVOKE.format(quote(name, safe="")), body=b'{"a": 1}'))
        for name in ("arn:aws:lambda:us-east-1:000000000000:function:Echo", "000000000000:function:Echo")
    ]
    absent = lambda_api(pools, request(target=INVOKE.format("Absent")))
    garbled = lambda_api(pools, request(target=INVOKE.format("Echo"), body=b"{"))

    assert (echoed.status, json.loads(echoed.body)) == (200, {"a": 1})
    assert (failed.status, failed.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert json.loads(failed.body)["errorType"] == "ValueError"
    assert [(answer.status, json.loads(answer.body)) for answer in by_arn] == [(200, {"a": 1})] * 2
    assert (absent.status, absent.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert (garbled.status, garbled.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")


@pytest.fixture
def url() -> Iterator[str]:
    """A server that answers what it was asked."""

    def answer(request: Request) -> Response:
        text = json.dumps([request.method, request.target, request.headers.get("x-a"), len(request.body)])
        return Response(200, {}, text.encode())

    with closing(Loopback(answer)) as server:
        yield server.url


def test_a_request_arrives_over_http_as_it_was_sent(url: str) -> None:
    status, body = send("PUT", f"{url}/p?q=1", b"abc", {"X-A": "7"})
    assert (status, json.loads(body)) == (200, ["PUT", "/p?q=1", "7", 3])


@pytest.mark.parametrize(("length", "status"), [(str(MAX_BODY_BYTES + 1), 413), ("many", 400)])
def test_a_body_that_is_too_large_or_has_no_length_is_not_read(url: str, length: str, status: int) -> None:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
        connection.putrequest("POST", "/interactions")
        connection.putheader("content-length", length)
        connection.endheaders()
        assert connection.getresponse().status == status
