"""An MCP server that lets an agent ask people in Discord: `ask_human`, `post_update`, `session_link`.

It keeps nothing. What a tool is called with makes the request's id. So a call that was lost, or that the client gave up, is
repeated with the same arguments, and finds the same question. Clients that know the protocol's tasks get a task at once, whose
id is the question's, and read its result when they like. Others wait, and are sent progress.

    python -m examples.mcp_server        over stdin and stdout; README.md has the configuration of clients
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

import anyio.to_thread
from botocore.exceptions import BotoCoreError, ClientError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, Extension, MCPServer, MethodBinding, require_client_extension
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
    TextContent,
    ToolAnnotations,
)
from pydantic import Field

from examples.ask import Onethread

TASKS: Final = "io.modelcontextprotocol/tasks"  # the extension of protocol version 2026-07-28
WAIT_SECONDS: Final = 15  # of one request: so often a client is sent progress
CALL_SECONDS: Final = 45.0  # of one call of ask_human: many clients give a call up after 60, whatever the progress
POLL_SECONDS: Final = 5  # between two looks of a client at a task
KEPT: Final = timedelta(days=90)  # how long a question that is over is remembered
STATUS: Final = {"open": "working", "answered": "completed", "expired": "completed", "cancelled": "cancelled"}
AGAIN: Final = "Nobody has answered yet. Call ask_human again with exactly the same arguments: it is the same question."
INSTRUCTIONS: Final = "People answer in minutes or hours. Repeat a call that failed with exactly the same arguments."

Session = Annotated[str, Field(description="What this is about; one name for all that belongs together: deploy 42")]
Question = Annotated[str, Field(description="What people read: at most 1800 characters of Discord's markdown")]
Choices = Annotated[list[str] | None, Field(description="Buttons, at most 20. Without them people write their answer")]
Seconds = Annotated[int, Field(description="How long an answer is taken: 60 to 2592000 seconds")]
Attempt = Annotated[int, Field(description="Another number asks the same words once more")]
Text = Annotated[str, Field(description="What people read: at most 2000 characters of Discord's markdown")]
Key = Annotated[str | None, Field(description="The message of that key is edited, if there is one: for progress")]


class People:
    """The tools: people in one channel. `call_seconds`: how long one call of `ask_human` waits."""

    def __init__(self, onethread: Onethread, channel: str, call_seconds: float = CALL_SECONDS) -> None:
        self._onethread, self._channel, self._call_seconds = onethread, channel, call_seconds

    async def ask_human(
        self,
        session: Session,
        question: Question,
        ctx: Context,
        choices: Choices = None,
        expires_in: Seconds = 86_400,
        attempt: Attempt = 1,
    ) -> dict[str, Any]:
        """Ask people in Discord, and wait for the answer: `state`, and `choice` or `text`."""
        buttons = [{"id": choice, "label": choice} for choice in choices or ()] or None
        asked = {"question": question, "choices": buttons, "expires_in": expires_in}
        answer = await self._use("ask", session, asked, attempt=attempt)
        now, url, began = answer["question"], answer.get("thread", {}).get("url", ""), time.monotonic()
        if now["state"] == "open" and has_tasks(ctx):
            return {"task": {"resultType": "task", **describe_task(now)}}
        while now["state"] == "open" and (seconds := time.monotonic() - began) < self._call_seconds:
            await ctx.report_progress(seconds, message=f"Waiting for an answer in Discord: {url}")
            now = await self.look(now["id"], WAIT_SECONDS)
        return describe(now) if now["state"] != "open" else {"state": "open", "url": url, "next": AGAIN}

    async def post_update(self, session: Session, text: Text, key: Key = None) -> str:
        """Post a message for people in Discord, who need not answer it. Returns its link."""
        answer = await self._use("post", session, {"content": text, "message_key": key})
        return str(answer["message"]["url"])

    async def session_link(self, session: Session) -> str:
        """The link to the session's thread in Discord, which is opened if there is none."""
        answer = await self._use("ensure", session, {})
        return str(answer["thread"]["url"])

    async def look(self, question_id: str, wait: int) -> dict[str, Any]:
        """The question as it is as soon as it is over, or after so many seconds."""
        answer = await self.call("await", question_id=question_id, wait=wait)
        return dict(answer["question"])

    async def call(self, operation: str, **fields: Any) -> dict[str, Any]:
        """The answer of an operation. A client that gives up does not wait for it. Raises ToolError."""
        try:
            call = partial(self._onethread.call, operation, **fields)
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        except (RuntimeError, BotoCoreError, ClientError) as error:
            raise ToolError(str(error)) from error

    async def _use(self, operation: str, session: str, fields: dict[str, Any], **distinct: Any) -> dict[str, Any]:
        """The answer of an operation on a session. The same fields are the same request."""
        fields = {"session_name": session, "parent_channel_id": self._channel, **fields}
        content = json.dumps([operation, fields, distinct], sort_keys=True).encode()
        return await self.call(operation, request_id=hashlib.sha256(content).hexdigest(), **fields)


class TaskParams(RequestParams):
    """Of `tasks/get`, `tasks/update` and `tasks/cancel`."""

    task_id: str


class Tasks(Extension):
    """Questions as the protocol's tasks: the question on record is the task, so any server process answers for it."""

    identifier = TASKS

    def __init__(self, people: People) -> None:
        self._people = people

    def methods(self) -> Sequence[MethodBinding]:
        versions = frozenset({"2026-07-28"})
        served = {"tasks/get": self._get, "tasks/update": self._update, "tasks/cancel": self._cancel}
        return [MethodBinding(name, TaskParams, handler, versions) for name, handler in served.items()]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """What the client gets: the task in place of a result that has one."""
        result = await call_next(ctx)
        content = result.structured_content if isinstance(result, CallToolResult) else None
        return content["task"] if params.name == "ask_human" and content and "task" in content else result

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        question = (await self._ask(ctx, "await", question_id=params.task_id, wait=0))["question"]
        task = describe_task(question)
        if task["status"] != "completed":
            return task
        answer = describe(question)
        result = CallToolResult(content=[TextContent(text=json.dumps(answer))], structured_content=answer)
        return {**task, "result": result.model_dump(mode="json", by_alias=True, exclude_none=True)}

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        """Nothing is asked of the client, so nothing comes of what it says."""
        await self._ask(ctx, "await", question_id=params.task_id, wait=0)
        return {}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        await self._ask(ctx, "cancel", question_id=params.task_id)
        return {}

    async def _ask(self, ctx: ServerRequestContext[Any, Any], operation: str, **fields: Any) -> dict[str, Any]:
        require_client_extension(ctx, TASKS)
        try:
            return await self._people.call(operation, **fields)
        except ToolError as error:
            is_unknown = any(f'"kind": "{kind}"' in str(error) for kind in ("invalid_request", "not_found"))
            raise MCPError(code=INVALID_PARAMS if is_unknown else INTERNAL_ERROR, message=str(error)) from error


def has_tasks(ctx: Context) -> bool:
    """Whether the client said in this request that it knows tasks."""
    capabilities = ctx.client_capabilities
    return ctx.protocol_version == "2026-07-28" and TASKS in ((capabilities and capabilities.extensions) or {})


def describe(question: dict[str, Any]) -> dict[str, Any]:
    """How a question ended, as the tool's result."""
    return {"state": question["state"], **question.get("answer", {})}


def describe_task(question: dict[str, Any]) -> dict[str, Any]:
    """A question as a task."""
    asked_at, closes_at = (datetime.fromisoformat(question[name]) for name in ("asked_at", "expires_at"))
    return {
        "taskId": question["id"],
        "status": STATUS[question["state"]],
        "statusMessage": "People were asked in Discord.",
        "createdAt": question["asked_at"],
        "lastUpdatedAt": question.get("answer", {}).get("at", question["asked_at"]),
        "ttlMs": (closes_at - asked_at + KEPT) // timedelta(milliseconds=1),
        "pollIntervalMs": POLL_SECONDS * 1000,
    }


def make_server(people: People) -> MCPServer:
    """The server with its tools."""
    server = MCPServer("onethread", instructions=INSTRUCTIONS, extensions=[Tasks(people)], log_level="WARNING")
    safe = ToolAnnotations(destructive_hint=False, idempotent_hint=True)
    for tool in (people.ask_human, people.post_update, people.session_link):
        server.add_tool(tool, annotations=safe)
    return server


if __name__ == "__main__":
    environ = os.environ
    seconds = float(environ.get("ONETHREAD_CALL_SECONDS", CALL_SECONDS))
    make_server(People(Onethread(environ["ONETHREAD_FUNCTION"]), environ["ONETHREAD_CHANNEL"], seconds)).run()
