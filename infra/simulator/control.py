"""The control path of the simulated Discord behind HTTP: JSON in and out, to play moderator from another process.

    POST   /_/people/{action}             an action of `People`, its arguments as a JSON object → {"result": …}
    POST   /_/world/{action}              building and switching (`_WORLD` below)               → {"result": …}
    POST   /_/faults                      a `Fault`; `what` is "drop", "hang", or {"status", "json" or "text", "headers"}
    DELETE /_/faults                      forget the faults still to come
    GET    /_/calls, DELETE /_/calls      statistics: [{"method", "route", "status", "count"}]
    GET    /_/world                       {"channels", "threads", "messages"} as Discord's JSON, nothing hidden
    POST   /_/interactions                {"token", "interaction_id", "application_id", "channel_id"}; of a button, "message"
    POST   /_/interactions/{token}        the first answer                                      → {"result": taken or not}
    GET    /_/interactions/{token}        {"state", "first_answer", "original"}

An impossible action is 409, an invalid request 400, each with {"error": …}. All times are the moment of the call.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from infra.simulator import render
from infra.simulator.exchange import JSON_TYPE, Request, Response, encode, json_response
from infra.simulator.faults import Failure
from infra.simulator.people import ImpossibleAction, People
from infra.simulator.simulated_discord import SimulatedDiscord

PREFIX: Final = "/_/"
# Methods of SimulatedDiscord that may be called from outside.
_WORLD: Final = frozenset(
    [
        "add_guild",
        "add_channel",
        "add_user",
        "switch",
        "close_nonce_window",
        "report_missing_once",
        "stop_search_index",
        "resume_search_index",
        "limit_route",
        "limit_globally",
        "limit_once",
    ]
)
# Actions that take no moment.
_TIMELESS: Final = frozenset({"return_bot_to_guild", "remove_member", "add_archived_threads"})
_ACTIONS: Final = frozenset(name for name in vars(People) if not name.startswith("_"))


def control(discord: SimulatedDiscord, request: Request, now: datetime) -> Response:
    """Carry out one request of the control path, which begins with `/_/`."""
    subject, _, rest = request.path.removeprefix(PREFIX).partition("/")
    handler = _SUBJECTS.get((request.method, subject))
    if handler is None:
        return _error(404, f"not found: {request.method} {request.path}")
    try:
        document = msgspec.json.decode(request.body) if request.body else {}
        return json_response(200, handler(discord, rest, document, now))
    except ImpossibleAction as error:
        return _error(409, str(error))
    except (KeyError, TypeError, ValueError) as error:
        return _error(400, f"{type(error).__name__}: {error}")


def _act(discord: SimulatedDiscord, action: str, document: Any, now: datetime) -> Any:
    if action not in _ACTIONS:
        raise ValueError(f"no such action: {action}")
    arguments = dict(document)
    if action == "add_archived_threads":
        pattern = arguments.pop("name", "thread {}")
        arguments.setdefault("newest", now)
        arguments["name_of"] = pattern.format
        arguments["step"] = timedelta(seconds=arguments.pop("step_seconds", 60))
    if action not in _TIMELESS:
        arguments["now"] = now
    return {"result": getattr(discord.people, action)(**arguments)}


def _build(discord: SimulatedDiscord, action: str, document: Any, now: datetime) -> Any:
    if action not in _WORLD:
        raise ValueError(f"no such action: {action}")
    return {"result": getattr(discord, action)(**document)}


def _look(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    readable = discord.fork()
    readable.switch(message_content=True)
    state = readable.state
    return {
        "channels": [render.channel(state, channel) for channel in state.channels.values()],
        "threads": [render.thread(thread) for thread in state.threads.values()],
        "messages": [render.message(state, message) for message in state.messages.values()],
    }


def _add_fault(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    arguments = dict(document)
    what = arguments.pop("what")
    discord.faults.inject(what=Failure(what) if isinstance(what, str) else _response(what), **arguments)
    return {"result": None}


def _response(what: dict[str, Any]) -> Response:
    if "text" in what:
        return Response(what["status"], {"content-type": "text/html", **what.get("headers", {})}, what["text"].encode())
    headers = {"content-type": JSON_TYPE, **what.get("headers", {})}
    return Response(what["status"], headers, encode(what.get("json")))


def _clear_faults(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    discord.faults.clear()
    return {"result": None}


def _calls(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    return [
        {"method": method, "route": route, "status": status, "count": count}
        for (method, route, status), count in sorted(discord.calls.items())
    ]


def _clear_calls(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    discord.calls.clear()
    return {"result": None}


def _interact(discord: SimulatedDiscord, token: str, document: Any, now: datetime) -> Any:
    if token:
        return {"result": discord.answer_interaction(token, document, now)}
    discord.begin_interaction(now=now, **document)
    return {"result": None}


def _interaction(discord: SimulatedDiscord, token: str, document: Any, now: datetime) -> Any:
    return {
        "state": discord.state.interactions[token].state,
        "first_answer": discord.first_answer(token),
        "original": discord.original_response(token),
    }


def _error(status: int, message: str) -> Response:
    return json_response(status, {"error": message})


_SUBJECTS: Final[dict[tuple[str, str], Callable[[SimulatedDiscord, str, Any, datetime], Any]]] = {
    ("POST", "people"): _act,
    ("POST", "world"): _build,
    ("GET", "world"): _look,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _clear_calls,
    ("POST", "interactions"): _interact,
    ("GET", "interactions"): _interaction,
}
