"""The page's HTTP interface: the files, JSON, and server-sent events. docs/page.md describes it.

Every request of the interface needs the token of this run, which only the page's own address has, so no other web page on
this machine can use it; and the name of this machine as its host, so that no other name can stand for it.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.commands.definitions import COMMANDS
from infra.local.people import BY_NAME
from infra.local.tour import DAY
from infra.page.breaks import Breaks
from infra.page.feed import Feed
from infra.page.people import NotAllowed, PageUsers
from infra.page.room import Room
from infra.page.tour import PageTour
from infra.page.world import PAGE, Unknown, World
from infra.simulator.people import ImpossibleAction
from infra.simulator.permissions import DEFAULT_PERMISSIONS, PERMISSION_BITS, permission_bits

STATIC: Final = Path(__file__).with_name("static")
POLL_SECONDS: Final = 0.1  # between two looks at the feed
MAX_BODY_BYTES: Final = 100_000
# Nothing from elsewhere, and nothing inline.
POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Page:
    """The parts that the interface uses."""

    def __init__(
        self, token: str, feed: Feed, world: World, users: PageUsers, breaks: Breaks, room: Room, tour: PageTour
    ) -> None:
        self.feed, self.world, self.users, self.breaks, self.room, self.tour = feed, world, users, breaks, room, tour
        self._token = token.encode()

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)


def build_app(page: Page) -> Starlette:
    """The application for one stack."""
    routes = [
        Route("/api/start", _get(page, _start)),
        Route("/api/view", _get(page, _view)),
        Route("/api/feed", _feed(page)),
        Route("/api/{action:path}", _post(page), methods=["POST"]),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts, Middleware(_WithHeaders)])


class _WithHeaders:
    """Adds the headers that keep a browser from doing anything else with the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _check(page: Page, request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not page.is_token(token):
        raise HTTPException(401, "Open the address that the terminal shows: the token in it is this run's.")


def _get(page: Page, answer: Callable[[Page, Mapping[str, str]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        _check(page, request)
        return await _respond(lambda: answer(page, dict(request.query_params)))

    return endpoint


def _post(page: Page) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        _check(page, request)
        handler = _ACTIONS.get(request.path_params["action"])
        if handler is None:
            raise HTTPException(404, "There is no such action.")
        if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
            raise HTTPException(413, "That is too long.")
        body = await request.body()
        return await _respond(lambda: handler(page, _decode(body)))

    return endpoint


async def _respond(answer: Callable[[], Any]) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(answer))
    except Unknown as fault:
        return JSONResponse({"error": str(fault)}, 404)
    except NotAllowed as fault:
        return JSONResponse({"error": str(fault)}, 403)
    except ImpossibleAction as fault:
        return JSONResponse({"error": f"Discord refuses that: {fault}"}, 409)
    except (KeyError, TypeError, ValueError) as fault:
        return JSONResponse({"error": f"{type(fault).__name__}: {fault}"}, 400)


def _decode(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def _feed(page: Page) -> Callable[[Request], Any]:
    """Server-sent events: the feed from `since` on, or from now on."""

    async def events(number: int) -> AsyncIterator[str]:
        yield ": \n\n"
        while True:
            page.room.watch()
            for record in page.feed.since(number):
                number = record["number"] + 1
                yield f"id: {number}\ndata: {json.dumps(record)}\n\n"
            await asyncio.sleep(POLL_SECONDS)

    async def endpoint(request: Request) -> Response:
        _check(page, request)
        since = request.query_params.get("since", "")
        number = int(since) if since.isdecimal() else page.feed.count
        return StreamingResponse(events(number), media_type="text/event-stream")

    return endpoint


def _start(page: Page, query: Mapping[str, str]) -> Any:
    """What the page needs once."""
    moderate = permission_bits(["MANAGE_THREADS"])
    return {
        "feed": page.feed.count,
        "servers": page.world.servers(),
        "users": [
            {"key": key, "id": user.id, "name": user.name, "moderates": bool(user.permissions & moderate)}
            for key, user in BY_NAME.items()
        ],
        "commands": COMMANDS,
        "permissions": [name for name in PERMISSION_BITS if DEFAULT_PERMISSIONS & PERMISSION_BITS[name]],
        "tour": {"titles": page.tour.titles, "days": DAY.id, "now": page.tour.state},
        "breaks": page.breaks.names,
    }


def _view(page: Page, query: Mapping[str, str]) -> Any:
    user = page.world.user(query["user"])
    archived = min(int(query.get("archived", PAGE)), 1000)
    return page.world.view(query["place"], user, archived=archived, search=query.get("search", ""))


def _act(method: str) -> Callable[[Page, dict[str, Any]], Any]:
    """A method of `PageUsers`; the first field names who acts."""

    def act(page: Page, fields: dict[str, Any]) -> Any:
        user = page.world.user(fields.pop("user"))
        return {"result": getattr(page.users, method)(user, **fields)}

    return act


def _break(page: Page, fields: dict[str, Any]) -> Any:
    return {"result": page.breaks.carry_out(fields["name"], fields["channel_id"])}


def _bot(page: Page, fields: dict[str, Any]) -> Any:
    act = {"thread": page.users.let_bot_thread, "delete": page.users.let_bot_delete}[fields["does"]]
    act(fields["channel_id"], fields["message_id"])
    return {"result": None}


def _tour(page: Page, fields: dict[str, Any]) -> Any:
    match fields["do"]:
        case "next" | "all" as do:
            page.tour.play(all_scenarios=do == "all")
        case "stop":
            page.tour.stop()
        case other:
            raise ValueError(f"the tour cannot {other}")
    return {"result": None}


_ACTIONS: Final[dict[str, Callable[[Page, dict[str, Any]], Any]]] = {
    "command": _act("use"),
    "menu": _act("use_menu"),
    "complete": _act("complete"),
    "press": _act("press"),
    "submit": _act("submit"),
    "message": _act("write"),
    "moderate": _act("moderate"),
    "bot": _bot,
    "break": _break,
    "tour": _tour,
}
