"""A schedule as people read it: who makes which call, and what came of it, a step a line."""

import re
from typing import Any, Final

import msgspec

from handler.discord.http import Request
from handler.discord.rest import Response
from handler.sessions.model import Opened
from infra.table.memory_table import MemoryTable
from tests.explorer.bounds import Violation
from tests.explorer.execution import CHANNEL, Question
from tests.explorer.search import Found, Label, Search, State

SNOWFLAKE: Final = re.compile(r"\d{15,}")
CALLS: Final = {
    "POST /channels/{channel}/messages": "posts a source message",
    "POST /channels/{channel}/messages/{message}/threads": "starts the thread of message {message}",
    "DELETE /channels/{channel}/messages/{message}": "deletes message {message}",
    "GET /channels/{channel}/messages/{message}": "reads message {message}",
    "GET /channels/{channel}": "reads thread {channel}",
    "PATCH /channels/{channel}": "changes thread {channel}",
    "GET /guilds/{guild}/threads/active": "lists the active threads",
    "GET /channels/{channel}/threads/archived/public": "lists the archived threads",
    "GET /channels/{channel}/threads/search": "searches the threads",
    "GET /guilds/{guild}/audit-logs": "reads the audit log",
}
ITEMS: Final = {
    "SESSION": "the session",
    "CHANNEL": "the channel's item",
    "THREAD": "the pointer",
    "NAMESAKE": "a namesake",
    "GUILD": "the server's item",
}
SHOWN: Final = ("status", "generation", "lease_owner", "source_message_id", "discord_thread_id", "session_key")


def timeline(search: Search, found: Found) -> tuple[tuple[str, ...], str]:
    """The steps that lead to the violation, from the beginning of the scenario, and it; ids as #1, #2 in their order."""
    state, number = search.beginning, _Numbers()
    lines = list[str]()
    for label in (*search.head, *found.path):
        then = _taken(search, state, label)
        lines.append(f"{len(lines) + 1:3}  {number(_step(label)):58}  {number(_outcome(state, label, then))}".rstrip())
        state = then or state
    return tuple(lines), number(found.violation or "")


class _Numbers:
    """Ids as numbers, in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return SNOWFLAKE.sub(lambda found: self._numbers.setdefault(found[0], f"#{len(self._numbers) + 1}"), text)


def _taken(search: Search, state: State, label: Label) -> State | None:
    """Where the step leads; None if it is the violation."""
    try:
        return next(make for known, make in search.steps(state) if known == label)()
    except Violation:
        return None


def _step(label: Label) -> str:
    if len(label) == 1:
        return f"{'':9} {label[0]}"
    who, what, *how = label
    if who == "late":
        who, what, how = f"{what}, late", how[0], []
    lost = " (no answer)" if how == ["no answer"] else ""
    return f"{who:9} {_call(what) if isinstance(what, Question) else what}{lost}"


def _call(question: Question) -> str:
    if isinstance(request := question.what, Request):
        if request.path == f"/channels/{CHANNEL}":
            return "reads the channel"
        parts = zip(request.route.split()[1].split("/"), request.path.split("/"), strict=True)
        named = {name.strip("{}"): value for name, value in parts if name.startswith("{")}
        return CALLS.get(request.route, request.route).format(**named)
    if question.kind == "sleep":
        return "looks again after a pause"
    operation, parameters = question.what
    if operation == "query":
        return f"queries {parameters.get('IndexName', 'the table')}"
    if operation == "batch_get_item":
        ((_, wanted),) = parameters["RequestItems"].items()
        return f"reads {', '.join(_item(key) for key in wanted['Keys'])}"
    if operation == "transact_write_items":
        changed = [next(iter(part.values())) for part in parameters["TransactItems"]]
        return f"writes {' and '.join(_item(each.get('Key') or each['Item']) for each in changed)}"
    return f"{'reads' if question.reads else 'writes'} {_item(parameters.get('Key') or parameters['Item'])}"


def _item(key: dict[str, Any]) -> str:
    kind, _, rest = key["sk"].partition("#")
    name = ITEMS.get(kind, key["sk"])
    if kind == "THREAD":
        return f"{name} of {key['pk'].partition('#')[2]}"
    return f"{name} of {rest}" if rest else name


def _outcome(state: State, label: Label, then: State | None) -> str:
    """What came of the step: of a write, what it has changed; of a request, Discord's answer."""
    question = next((part for part in label if isinstance(part, Question)), None)
    if then is None or question is None or question.kind == "sleep":
        return "✗" if then is None else ""
    if question.kind == "table" and question.changes:
        came = _difference(state.place.world.table, then.place.world.table) or "nothing: the condition does not hold"
    else:
        moved = state.place.moves.get((label[0], question.key))
        came = "" if moved is None or isinstance(moved, Violation) else _answer(moved[1].value)
    ended = [node.result for node in then.nodes if node not in state.nodes and node.result is not None]
    return f"{came}; {_end(ended[0])}" if ended else came


def _end(result: object) -> str:
    return f"answers with {result.thread_id}" if isinstance(result, Opened) else f"ends: {result}"


def _answer(value: object) -> str:
    if isinstance(value, Response):
        return _response(value)
    return _read(value) if isinstance(value, dict) else ""


def _difference(before: MemoryTable, after: MemoryTable) -> str:
    old = {(item["pk"], item["sk"]): item for item in before.items()}
    new = {(item["pk"], item["sk"]): item for item in after.items()}
    parts = []
    for key in old | new:
        then, now = old.get(key, {}), new.get(key, {})
        if then != now:
            name = ITEMS.get(key[1].partition("#")[0], key[1])
            parts.append(f"{name}: {_attributes(then, now) if now else 'removed'}")
    return "; ".join(parts)


def _attributes(then: dict[str, Any], now: dict[str, Any]) -> str:
    changed = [name for name in SHOWN if then.get(name) != now.get(name)]
    return ", ".join(f"{name} {now.get(name, '–')}" for name in changed) or "other attributes"


def _response(response: Response) -> str:
    if response.status >= 300 or not response.body:
        code = f", {found[1].decode()}" if (found := re.search(rb'"code":(\d+)', response.body)) else ""
        return f"{response.status}{code}"
    body = msgspec.json.decode(response.body)
    if isinstance(body, dict) and "threads" in body:
        return ", ".join(thread["id"] for thread in body["threads"]) or "none"
    return f"{response.status}, {body['id']}" if isinstance(body, dict) and "id" in body else str(response.status)


def _read(answer: dict[str, Any]) -> str:
    if "Items" in answer:
        return ", ".join(_item(item) for item in answer["Items"]) or "none"
    if "Responses" in answer:
        return ", ".join(_item(item) for items in answer["Responses"].values() for item in items) or "none"
    item = answer.get("Item")
    if item is None:
        return "none"
    return ", ".join(f"{name} {item[name]}" for name in SHOWN[:-1] if name in item) or "found"
