"""What surrounds a request: repeats, waits, deadlines. The real client with a scripted transport."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from handler.discord.rest import NO_RETRY, Discord, RateLimits, Request, Response
from handler.errors import DiscordRefused, DiscordUnavailable, Forbidden, NotFound, OnethreadError, OutcomeUnknown
from handler.runtime.deadline import Deadline, set_deadline
from infra.virtual_time import START, LoopClock
from tests.kit.scripted_discord import (
    APPLICATION,
    TEXT_CHANNEL,
    Answer,
    ScriptedDiscord,
    answer,
    failure,
    hang,
    limited,
    ok,
    page,
    refusal,
    scripted,
)

CONNECT_TIMEOUT_SECONDS = 1.5
MESSAGE = {"id": "5", "channel_id": "1", "author": {"id": "900", "bot": True}}
# A request that is not repeatable: it has no nonce and no message to start from.
CREATE = Request("POST", "/channels/1/threads", "POST /channels/{channel}/threads", json={"name": "x"})

Ask = Callable[[Discord], Coroutine[Any, Any, Any]]


def get(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.channel("1")


def post(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.post_message("1", {"content": "hello"}, nonce="n")


def create(discord: Discord) -> Coroutine[Any, Any, Any]:
    return discord.request(CREATE)


FAULTS: dict[str, Answer] = {
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
# Bodies that `Discord.request` returns without decoding them.
NONSENSE = {"nonsense", "HTML with 200", "the wrong shape", "a body that is no UTF-8"}
NEVER_APPLIED = {
    "refused connection",
    "connect time-out",
    "no connection free",
    "refused by our own side",
    "a proxy's 403",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("ask", "good"), [(get, TEXT_CHANNEL), (post, MESSAGE)])
async def test_a_repeatable_request_succeeds_after_two_faults(ask: Ask, good: Any, fault: str) -> None:
    script, discord = scripted(FAULTS[fault], FAULTS[fault], ok(good))
    assert (await ask(discord)).id == good["id"]
    assert len(script.sent) == 3
    assert len(set(script.sent)) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_get_with_three_faults_raises_discord_unavailable(fault: str) -> None:
    script, discord = scripted(*[FAULTS[fault]] * 3)
    raised = await failure(OnethreadError, get(discord))
    assert type(raised) is DiscordUnavailable
    assert len(script.sent) == 3


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_post_with_three_faults_has_an_unknown_outcome_if_it_may_have_been_applied(fault: str) -> None:
    _, discord = scripted(*[FAULTS[fault]] * 3)
    assert isinstance(await failure(OnethreadError, post(discord)), OutcomeUnknown) is (fault not in NEVER_APPLIED)


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - NEVER_APPLIED - NONSENSE))
async def test_an_unrepeatable_request_is_not_repeated_if_it_may_have_been_applied(fault: str) -> None:
    script, discord = scripted(FAULTS[fault])
    assert isinstance(await failure(OnethreadError, create(discord)), OutcomeUnknown)
    assert len(script.sent) == 1


@pytest.mark.parametrize("fault", sorted(NEVER_APPLIED))
async def test_an_unrepeatable_request_is_repeated_if_it_had_no_effect(fault: str) -> None:
    script, discord = scripted(FAULTS[fault], ok())
    assert (await create(discord)).status == 200
    assert len(script.sent) == 2


async def test_a_repeated_post_has_the_same_nonce() -> None:
    script, discord = scripted(httpx.ReadError("lost"), ok(MESSAGE))
    await post(discord)
    assert script.body(0) == script.body(1) == {"content": "hello", "nonce": "n", "enforce_nonce": True}


@pytest.mark.parametrize("last", [httpx.ConnectError("refused"), limited(240.0)])
async def test_an_outcome_stays_unknown_after_a_later_definite_fault(last: Any) -> None:
    _, discord = scripted(httpx.ReadError("lost"), last, httpx.ConnectError("refused"))
    assert type(await failure(OnethreadError, post(discord))) is OutcomeUnknown


async def test_a_refusal_after_an_ambiguous_fault_is_raised_as_it_is() -> None:
    _, discord = scripted(httpx.ReadError("lost"), refusal(404, 10008, "Unknown Message"))
    raised = await failure(OnethreadError, discord.delete_message("1", "5"))
    assert isinstance(raised, NotFound)
    assert raised.code == 10008


@pytest.mark.parametrize(
    ("status", "kind"), [(400, DiscordRefused), (403, Forbidden), (404, NotFound), (405, DiscordRefused)]
)
async def test_a_refused_request_is_not_repeated(status: int, kind: type[DiscordRefused]) -> None:
    script, discord = scripted(refusal(status, 50001, "Missing Access"))
    raised = await failure(OnethreadError, get(discord))
    assert type(raised) is kind
    assert isinstance(raised, DiscordRefused)
    assert (raised.status, raised.code) == (status, 50001)
    assert "Missing Access" in str(raised)
    assert len(script.sent) == 1


async def test_pauses_between_repeats_grow_and_jitter_spreads_them() -> None:
    script, discord = scripted(page(502), page(502), ok())
    await get(discord)
    assert script.moments == pytest.approx([0, 0.2, 0.6], abs=1e-3)


async def test_nothing_is_repeated_without_time_before_the_deadline() -> None:
    script, discord = scripted(page(502))
    assert isinstance(await failure(OnethreadError, get(discord), within=0.4), DiscordUnavailable)
    assert len(script.sent) == 1


async def test_the_timeout_of_a_repeatable_request_leaves_time_for_a_repeat() -> None:
    script, discord = scripted(hang, ok())
    set_deadline(Deadline.after(START, 2.4))
    await get(discord)
    assert asyncio.get_running_loop().time() < 2.4
    assert len(script.sent) == 2


@pytest.mark.parametrize(("within", "patience"), [(None, 5.0), (50.0, 5.0), (3.0, 3.0), (0.1, 1.0)])
async def test_a_timeout_does_not_exceed_the_deadline(within: float | None, patience: float) -> None:
    script, discord = scripted(hang, retry=NO_RETRY)
    await failure(OnethreadError, create(discord), within=within)
    timeout = script.requests[0].extensions["timeout"]
    assert timeout["read"] == timeout["write"] == timeout["pool"] == patience
    assert timeout["connect"] == min(CONNECT_TIMEOUT_SECONDS, patience)


@pytest.mark.parametrize("status", [200, 404, 429, 500])
async def test_without_retries_a_request_is_sent_once_and_waits_for_nothing(status: int) -> None:
    sent: list[Request] = []
    limits = RateLimits()

    async def send(request: Request) -> Response:
        sent.append(request)
        return Response(status, {}, b'{"id": "1", "type": 0, "retry_after": 0.1}')

    class Sleepless(LoopClock):
        async def sleep(self, seconds: float) -> None:
            raise AssertionError("slept")

    clock = Sleepless()
    discord = Discord(send=send, application_id=APPLICATION, clock=clock, limits=limits, retry=NO_RETRY)
    for question in (get(discord), post(discord), discord.edit_original("t", {}), discord.delete_message("1", "2")):
        try:
            await question
        except OnethreadError:
            limits._windows.clear()
            limits._blocked_until = None
    assert len(sent) == 4


async def test_the_scripted_discord_fails_on_an_unexpected_request() -> None:
    script = ScriptedDiscord([])
    with pytest.raises(AssertionError, match="no answer is left"):
        await script.handle(httpx.Request("GET", "https://discord.test/"))
