"""What surrounds one question to Discord: repeats, waits, deadlines. The real client over a scripted wire."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import pytest

from handler.discord.rest import CONNECT_TIMEOUT_SECONDS, NO_RETRY, Discord, RateLimits, Request, Response
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    Forbidden,
    NotFound,
    OnethreadError,
    OutcomeUnknown,
)
from handler.runtime.deadline import Deadline, set_deadline
from tests.kit.scripted_discord import (
    APPLICATION,
    TEXT_CHANNEL,
    Answer,
    ScriptedDiscord,
    answer,
    hang,
    limited,
    ok,
    page,
    refusal,
    scripted,
)
from tests.kit.virtual_time import START, LoopClock, run

MESSAGE = {"id": "5", "channel_id": "1", "author": {"id": "900", "bot": True}}
# A route that cannot be repeated: no nonce, no message to start from.
CREATE = Request("POST", "/channels/1/threads", "POST /channels/{channel}/threads", json={"name": "x"})

Ask = Callable[[Discord], Coroutine[Any, Any, Any]]


def get(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.channel("1")


def post(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.post_message("1", {"content": "hello"}, nonce="n")


def create(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.request(CREATE)


def failure(ask: Ask, discord: Discord, *, within: float | None = None) -> OnethreadError:
    """What the question raises, asked with so many seconds left."""

    async def asking() -> OnethreadError:
        if within is not None:
            set_deadline(Deadline.after(START, within))
        with pytest.raises(OnethreadError) as raised:
            await ask(discord)
        return raised.value

    return run(asking())


PASSING: dict[str, Answer] = {
    "refused connection": httpx.ConnectError("refused"),
    "connect time-out": httpx.ConnectTimeout(""),
    "no connection free": httpx.PoolTimeout(""),
    "refused by our own side": httpx.LocalProtocolError("Illegal header value"),
    "answer lost": httpx.ReadError("reset"),
    "connection that died idle": httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "broken off while writing": httpx.WriteError("broken pipe"),
    "hang": hang,
    "500": answer(500, {"message": "500: Internal Server Error", "code": 0}),
    "502 with HTML": page(502),
    "nonsense": httpx.Response(200, content=b"{"),
    "HTML with 200": page(200),
    "the wrong shape": ok({"id": 1}),
    "a body that is no UTF-8": httpx.Response(200, content=b'"\xff\xfe"'),
    "a redirect": answer(302, location="https://elsewhere.test/"),
    "a proxy's 403": page(403),
}
NONSENSE = {
    "nonsense",
    "HTML with 200",
    "the wrong shape",
    "a body that is no UTF-8",
}  # nobody reads it at the generic door
NEVER_APPLIED = {
    "refused connection",
    "connect time-out",
    "no connection free",
    "refused by our own side",
    "a proxy's 403",
}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize(("ask", "good"), [(get, TEXT_CHANNEL), (post, MESSAGE)])
def test_what_may_be_repeated_survives_two_faults_of_any_kind(ask: Ask, good: Any, fault: str) -> None:
    script, discord = scripted(PASSING[fault], PASSING[fault], ok(good))
    assert run(ask(discord)).id == good["id"]
    assert len(script.sent) == 3
    assert len(set(script.sent)) == 1


@pytest.mark.parametrize("fault", PASSING)
def test_a_third_fault_is_told_and_for_a_read_it_is_only_unavailability(fault: str) -> None:
    script, discord = scripted(*[PASSING[fault]] * 3)
    raised = failure(get, discord)
    assert type(raised) is DiscordUnavailable
    assert len(script.sent) == 3


@pytest.mark.parametrize("fault", PASSING)
def test_a_post_whose_repeats_fail_too_has_an_unknown_outcome_unless_none_was_sent(fault: str) -> None:
    _, discord = scripted(*[PASSING[fault]] * 3)
    assert isinstance(failure(post, discord), OutcomeUnknown) is (fault not in NEVER_APPLIED)


@pytest.mark.parametrize("fault", sorted(PASSING.keys() - NEVER_APPLIED - NONSENSE))
def test_what_may_not_be_repeated_is_not_after_an_ambiguous_fault(fault: str) -> None:
    script, discord = scripted(PASSING[fault])
    assert isinstance(failure(create, discord), OutcomeUnknown)
    assert len(script.sent) == 1


@pytest.mark.parametrize("fault", sorted(NEVER_APPLIED))
def test_what_may_not_be_repeated_is_when_it_is_certain_that_nothing_came_of_it(fault: str) -> None:
    script, discord = scripted(PASSING[fault], ok())
    assert run(create(discord)).status == 200
    assert len(script.sent) == 2


def test_a_repeated_post_carries_the_same_nonce() -> None:
    script, discord = scripted(httpx.ReadError("lost"), ok(MESSAGE))
    run(post(discord))
    assert script.body(0) == script.body(1) == {"content": "hello", "nonce": "n", "enforce_nonce": True}


@pytest.mark.parametrize("last", [httpx.ConnectError("refused"), limited(240.0)])
def test_once_ambiguous_the_whole_stays_ambiguous_whatever_fails_after(last: Any) -> None:
    _, discord = scripted(httpx.ReadError("lost"), last, httpx.ConnectError("refused"))
    assert type(failure(post, discord)) is OutcomeUnknown


def test_a_definite_refusal_after_an_ambiguous_fault_is_told_as_it_is() -> None:
    _, discord = scripted(httpx.ReadError("lost"), refusal(404, 10008, "Unknown Message"))
    raised = failure(lambda d: d.delete_message("1", "5"), discord)
    assert isinstance(raised, NotFound)
    assert raised.code == 10008


@pytest.mark.parametrize(
    ("status", "kind"), [(400, DiscordRefused), (403, Forbidden), (404, NotFound), (405, DiscordRefused)]
)
def test_a_refusal_is_asked_once(status: int, kind: type[DiscordRefused]) -> None:
    script, discord = scripted(refusal(status, 50001, "Missing Access"))
    raised = failure(get, discord)
    assert type(raised) is kind
    assert isinstance(raised, DiscordRefused)
    assert (raised.status, raised.code) == (status, 50001)
    assert "Missing Access" in str(raised)
    assert len(script.sent) == 1


def test_pauses_between_repeats_grow_and_jitter_spreads_them() -> None:
    script, discord = scripted(page(502), page(502), ok())
    run(get(discord))
    assert script.moments == pytest.approx([0, 0.2, 0.6], abs=1e-3)


def test_nothing_is_repeated_that_the_deadline_leaves_no_room_for() -> None:
    script, discord = scripted(page(502))
    assert isinstance(failure(get, discord, within=0.4), DiscordUnavailable)
    assert len(script.sent) == 1


def test_a_hang_of_what_may_be_repeated_leaves_time_for_the_repeat() -> None:
    script, discord = scripted(hang, ok())

    async def asking() -> float:
        set_deadline(Deadline.after(START, 2.4))
        await get(discord)
        return asyncio.get_running_loop().time()

    assert run(asking()) < 2.4
    assert len(script.sent) == 2


@pytest.mark.parametrize(("within", "patience"), [(None, 5.0), (50.0, 5.0), (3.0, 3.0), (0.1, 1.0)])
def test_an_answer_is_not_waited_for_beyond_the_deadline(within: float | None, patience: float) -> None:
    script, discord = scripted(hang, retry=NO_RETRY)
    failure(create, discord, within=within)
    timeout = script.requests[0].extensions["timeout"]
    assert timeout["read"] == timeout["write"] == timeout["pool"] == patience
    assert timeout["connect"] == min(CONNECT_TIMEOUT_SECONDS, patience)


def counting(answer_with: Response) -> tuple[list[Request], Callable[[Request], Awaitable[Response]]]:
    sent: list[Request] = []

    async def send(request: Request) -> Response:
        sent.append(request)
        return answer_with

    return sent, send


@pytest.mark.parametrize("status", [200, 404, 429, 500])
def test_without_retries_one_question_is_one_send_and_no_other_wait(status: int) -> None:
    sent, send = counting(Response(status, {}, b'{"id": "1", "type": 0, "retry_after": 0.1}'))
    limits = RateLimits()

    class Sleepless(LoopClock):
        async def sleep(self, seconds: float) -> None:
            raise AssertionError("slept")

    clock = Sleepless()
    discord = Discord(send=send, application_id=APPLICATION, clock=clock, limits=limits, retry=NO_RETRY)

    async def each() -> None:
        for question in (get(discord), post(discord), discord.edit_original("t", {}), discord.delete_message("1", "2")):
            try:
                await question
            except OnethreadError:
                limits._windows.clear()
                limits._blocked_until.clear()

    run(each())
    assert len(sent) == 4


def test_the_script_itself_objects_to_a_request_too_many() -> None:
    script = ScriptedDiscord([])
    with pytest.raises(AssertionError, match="more than answers"):
        run(script.handle(httpx.Request("GET", "https://discord.test/")))
