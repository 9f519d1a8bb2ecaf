"""The control path of the simulated Discord behind HTTP: JSON in and out, for who plays moderator from another process.

    POST   /_/people/{act}                an act of `People`, its arguments as a JSON object     → {"result": …}
    POST   /_/world/{act}                 building and switching (`_WORLD` below)               → {"result": …}
    POST   /_/faults                      a `Fault`; `what` is "drop", "hang", or {"status", "json" or "text", "headers"}
    DELETE /_/faults                      forgets the faults that wait
    GET    /_/calls, DELETE /_/calls      statistics: [{"method", "route", "status", "count"}]
    GET    /_/world                       {"channels", "threads", "messages"} as Discord's JSON, nothing hidden
    POST   /_/interactions                {"token", "interaction_id", "application_id", "channel_id"}; of a button, "message"
    POST   /_/interactions/{token}        the inline answer                                     → {"result": taken in or not}
    GET    /_/interactions/{token}        {"state", "first_answer", "original"}

What cannot be done is 409, what makes no sense 400, each with {"error": …}. Times are of the moment of the call.
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
# What of the world may be built and set from outside.
_WORLD: Final = frozenset(
    [
        "add_guild",
        "add_channel",
        "add_user",
        "switch",
        "close_nonce_window",
        "report_missing_once",
        "limit_route",
        "limit_globally",
        "limit_once",
    ]
)
# The acts that need no moment.
_TIMELESS: Final = frozenset({"return_bot_to_guild", "remove_member", "add_archived_threads"})
_ACTS: Final = frozenset(name for name in vars(People) if not name.startswith("_"))


def control(discord: SimulatedDiscord, request: Request, now: datetime) -> Response:
    """Carries out one request of the control path; `request.path` begins with `/_/`."""
    subject, _, rest = request.path.removeprefix(PREFIX).partition("/")
    handler = _SUBJECTS.get((request.method, subject))
    if handler is None:
        return _wrong(404, f"no such thing: {request.method} {request.path}")
    try:
        document = msgspec.json.decode(request.body) if request.body else {}
        return json_response(200, handler(discord, rest, document, now))
    except ImpossibleAction as error:
        return _wrong(409, str(error))
    except (KeyError, TypeError, ValueError) as error:
        return _wrong(400, f"{type(error).__name__}: {error}")


def _hand(discord: SimulatedDiscord, act: str, document: Any, now: datetime) -> Any:
    if act not in _ACTS:
        raise ValueError(f"no such act: {act}")
    arguments = dict(document)
    if act == "add_archived_threads":
        pattern = arguments.pop("name", "thread {}")
        arguments.setdefault("newest", now)
        arguments["name_of"] = pattern.format
        arguments["step"] = timedelta(seconds=arguments.pop("step_seconds", 60))
    if act not in _TIMELESS:
        arguments["now"] = now
    return {"result": getattr(discord.people, act)(**arguments)}


def _build(discord: SimulatedDiscord, act: str, document: Any, now: datetime) -> Any:
    if act not in _WORLD:
        raise ValueError(f"no such act: {act}")
    return {"result": getattr(discord, act)(**document)}


def _look(discord: SimulatedDiscord, rest: str, document: Any, now: datetime) -> Any:
    seeing = discord.fork()
    seeing.switch(message_content=True)
    state = seeing.state
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


def _wrong(status: int, words: str) -> Response:
    return json_response(status, {"error": words})


_SUBJECTS: Final[dict[tuple[str, str], Callable[[SimulatedDiscord, str, Any, datetime], Any]]] = {
    ("POST", "people"): _hand,
    ("POST", "world"): _build,
    ("GET", "world"): _look,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _clear_calls,
    ("POST", "interactions"): _interact,
    ("GET", "interactions"): _interaction,
}
