"""Play the state machine against the local stack, which stands in for Step Functions' tokens.

    make example NAME=step_functions ARGS='"deploy 42" "Ship it?"'

It knows of the Amazon States Language what `approve.asl.json` uses, and raises KeyError for anything else.
"""

import argparse
import json
import os
import time
import urllib.request
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import boto3
from botocore.config import Config

DEFINITION: Final = Path(__file__).with_name("approve.asl.json")
POLL_SECONDS: Final = 1.0
NOTHING: Final = object()  # at a path that leads nowhere


class Tokens(Protocol):
    """Tasks that wait: what Step Functions keeps of them."""

    def begin(self) -> str:
        """A task waits from now on. Its token."""

    def answer(self, token: str) -> dict[str, str] | None:
        """`output`, or `error` and `cause`; None: it waits."""

    def end(self, token: str) -> None:
        """The task's time is over."""


class Failed(Exception):
    """A state failed, with this error and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class Machine:
    """`invoke`: a function and its event → what it returns; raises Failed. `visited`: the states, in order."""

    def __init__(
        self,
        definition: dict[str, Any],
        *,
        name: str,
        invoke: Callable[[str, Any], Any],
        tokens: Tokens,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._definition, self._name = definition, name
        self._invoke, self._tokens, self._sleep = invoke, tokens, sleep
        self.visited: list[str] = []

    def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """The execution's output. Raises Failed."""
        data, place = given, self._definition["StartAt"]
        while True:
            self.visited.append(place)
            state = self._definition["States"][place]
            try:
                data, place = _STATES[state["Type"]](self, state, data)
            except Failed as failed:
                catcher = next((c for c in state.get("Catch", ()) if _matches(c, failed.error)), None)
                if catcher is None:
                    raise
                data = _place(data, catcher["ResultPath"], {"Error": failed.error, "Cause": failed.cause})
                place = catcher["Next"]
            if state.get("End"):
                return data

    def _pass(self, state: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        return data, state.get("Next", "")

    def _wait(self, state: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        self._sleep(state["Seconds"])
        return data, state["Next"]

    def _choose(self, state: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        return data, next((rule["Next"] for rule in state["Choices"] if _holds(rule, data)), state["Default"])

    def _fail(self, state: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        said = [state.get(name) or _read(state[f"{name}Path"], data) for name in ("Error", "Cause")]
        raise Failed(*map(str, said))

    def _task(self, state: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str]:
        waits = state["Resource"].endswith(":lambda:invoke.waitForTaskToken")
        token = self._tokens.begin() if waits else ""
        context = {"Execution": {"Name": self._name}, "Task": {"Token": token}}
        asked = _fill(state["Parameters"], data, context)
        answer = self._retry(state, asked["FunctionName"], asked["Payload"])
        result: Any = self._wait_for(token, state["TimeoutSeconds"]) if waits else {"Payload": answer}
        if "ResultSelector" in state:
            result = _fill(state["ResultSelector"], result, context)
        return _place(data, state["ResultPath"], result), state["Next"]

    def _retry(self, state: dict[str, Any], function: str, event: Any) -> Any:
        retrier = next(iter(state.get("Retry", ())), {"MaxAttempts": 0})
        for attempt in range(retrier["MaxAttempts"] + 1):
            try:
                return self._invoke(function, event)
            except Failed:
                if attempt == retrier["MaxAttempts"]:
                    raise
                self._sleep(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt)
        raise AssertionError

    def _wait_for(self, token: str, seconds: float) -> Any:
        waited = 0.0
        while (answer := self._tokens.answer(token)) is None:
            if waited >= seconds:
                self._tokens.end(token)
                raise Failed("States.Timeout", f"no answer within {seconds} seconds")
            self._sleep(POLL_SECONDS)
            waited += POLL_SECONDS
        if "error" in answer:
            raise Failed(answer["error"], answer["cause"])
        return json.loads(answer["output"])


_STATES: Final[dict[str, Callable[..., tuple[dict[str, Any], str]]]] = {
    "Pass": Machine._pass,
    "Wait": Machine._wait,
    "Choice": Machine._choose,
    "Fail": Machine._fail,
    "Task": Machine._task,
}


def _matches(catcher: dict[str, Any], error: str) -> bool:
    return error in catcher["ErrorEquals"] or "States.ALL" in catcher["ErrorEquals"]


def _holds(rule: dict[str, Any], data: Any) -> bool:
    if "And" in rule:
        return all(_holds(part, data) for part in rule["And"])
    value = _read(rule["Variable"], data)
    if "IsPresent" in rule:
        return (value is not NOTHING) is rule["IsPresent"]
    return bool(value == rule["StringEquals" if "StringEquals" in rule else "BooleanEquals"])


def _read(path: str, data: Any) -> Any:
    for name in path.split(".")[1:]:
        data = data.get(name, NOTHING) if isinstance(data, dict) else NOTHING
    return data


def _place(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The data with the value at that path."""
    name, _, rest = path.removeprefix("$.").partition(".")
    return {**data, name: _place(data.get(name, {}), f"$.{rest}", value) if rest else value}


def _fill(template: Any, data: Any, context: Any) -> Any:
    """A template with what its paths lead to."""
    if isinstance(template, list):
        return [_fill(part, data, context) for part in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, part in template.items():
        is_path = name.endswith(".$")
        read = (_read(part[1:], context) if part.startswith("$$") else _read(part, data)) if is_path else None
        filled[name.removesuffix(".$")] = read if is_path else _fill(part, data, context)
    return filled


class LocalTokens:
    """The local stack's stand-in for Step Functions."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_/tasks"

    def begin(self) -> str:
        return str(self._call("POST", ""))

    def answer(self, token: str) -> dict[str, str] | None:
        answer: dict[str, str] | None = self._call("GET", f"?token={token}")
        return answer

    def end(self, token: str) -> None:
        self._call("DELETE", f"?token={token}")

    def _call(self, method: str, query: str) -> Any:
        request = urllib.request.Request(self._url + query, method=method)  # noqa: S310 - the local stack's address
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return json.load(response)


def invoke(client: Any, function: str, event: Any) -> Any:
    """What the function returns, through Lambda's own API. Raises Failed."""
    response = client.invoke(FunctionName=function, Payload=json.dumps(event))
    answer = json.load(response["Payload"])
    if "FunctionError" in response:
        raise Failed(answer.get("errorType", "Lambda.Unknown"), answer.get("errorMessage", ""))
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.step_functions")
    for name in ("session", "question"):
        parser.add_argument(name)
    given = {**vars(parser.parse_args()), "channel": os.environ["ONETHREAD_CHANNEL"]}
    text = DEFINITION.read_text().replace("${ApiFunctionArn}", os.environ["ONETHREAD_FUNCTION"])
    tokens = LocalTokens(os.environ["AWS_ENDPOINT_URL_SFN"])
    client = boto3.client("lambda", config=Config(read_timeout=70))
    machine = Machine(json.loads(text), name=uuid.uuid4().hex, invoke=partial(invoke, client), tokens=tokens)
    try:
        output = machine.run(given)
        print(json.dumps(output["asked"]["answer"]["question"]["answer"]))
    finally:
        print(" → ".join(machine.visited))


if __name__ == "__main__":
    main()
