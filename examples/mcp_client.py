"""A client of the MCP server, as an agent's host is one: it calls `ask_human`, and shows what comes of it.

It knows the protocol's tasks, unless it is run with --no-tasks: then it waits, is sent progress, and calls again.

    make example NAME=mcp_client ARGS='"deploy 42" "Ship it?" yes no'
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Literal

import anyio
from mcp import Client, StdioServerParameters
from mcp.client import ClaimContext, ClientExtension, ResultClaim
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, Request, RequestParams, Result


class Created(Result):
    """What `tools/call` answers if the server makes a task of the call."""

    result_type: Literal["task"] = "task"
    task_id: str
    poll_interval_ms: int


class GetTaskParams(RequestParams):
    task_id: str


class GetTask(Request[GetTaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"


class Task(Result):
    """The task as it is now, with the call's result once it has one."""

    status: Literal["working", "input_required", "completed", "cancelled", "failed"]
    result: CallToolResult | None = None


class TasksClient(ClientExtension):
    """Waits for the result of a task. The task's id is all that a host needs to keep over a restart."""

    identifier = "io.modelcontextprotocol/tasks"

    def claims(self) -> Sequence[ResultClaim[Created]]:
        return [ResultClaim(result_type="task", model=Created, resolve=self._wait)]

    async def _wait(self, created: Created, context: ClaimContext) -> CallToolResult:
        print(f"task {created.task_id}", file=sys.stderr)
        while True:
            request = GetTask(params=GetTaskParams(task_id=created.task_id))
            task = await context.session.send_request(request, Task)
            if task.status == "completed" and task.result is not None:
                return task.result
            if task.status in ("cancelled", "failed"):
                return CallToolResult(content=[], structured_content={"state": task.status}, is_error=True)
            await anyio.sleep(created.poll_interval_ms / 1000)


async def show(progress: float, total: float | None, message: str | None) -> None:
    print(f"{progress:.0f} s  {message}", file=sys.stderr)


async def main(
    server: StdioServerParameters | MCPServer, arguments: dict[str, Any], extensions: Sequence[ClientExtension]
) -> None:
    """Ask until the question is over. `server`: how it is started; or the server itself, in this process."""
    state = "open"
    async with Client(server, extensions=extensions) as client:
        while state == "open":
            result = await client.call_tool("ask_human", arguments, progress_callback=show)
            state = (result.structured_content or {}).get("state", "failed")
            print(json.dumps(result.structured_content or [part.model_dump() for part in result.content]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("session", "question"):
        parser.add_argument(name)
    parser.add_argument("choices", nargs="*")
    parser.add_argument("--no-tasks", action="store_true")
    options = vars(parser.parse_intermixed_args())
    known = [] if options.pop("no_tasks") else [TasksClient()]
    started = StdioServerParameters(command=sys.executable, args=["-m", "examples.mcp_server"], env=dict(os.environ))
    anyio.run(main, started, options, known)
