"""Ask people in Discord and wait for the answer. Killed? Run it again: the same question has the same one answer.

answer = Onethread(arn).ask("deploy 42", channel, "Ship it?", choices=["yes", "no"])["choice"]
python examples/ask.py "deploy 42" "Ship it?" yes no      (with ONETHREAD_FUNCTION and ONETHREAD_CHANNEL)
    exits with 0: answered, 1: an error, 2: a wrong command line, 3: nobody answered in time, 4: withdrawn"""

import argparse
import hashlib
import json
import os
import time
from typing import Any

import boto3
from botocore.config import Config

PAUSES = (0, 1, 2, 5, 10, 30, 60, 60, 60)  # seconds before each attempt: every request may be repeated


class Onethread:
    def __init__(self, function: str) -> None:
        config = Config(read_timeout=70, retries={"mode": "standard", "total_max_attempts": 8})  # a request: 60 s
        region = function.split(":")[3] if ":" in function else None
        self._function, self._lambda = function, boto3.client("lambda", region_name=region, config=config)

    def call(self, operation: str, **fields: Any) -> dict[str, Any]:
        """The answer of an operation. Raises RuntimeError with the error."""
        request, error = json.dumps({"operation": operation, **fields}), dict[str, Any]()
        for pause in PAUSES:
            time.sleep(max(pause, error.get("retry_after", 0)))
            response = self._lambda.invoke(FunctionName=self._function, Payload=request)  # botocore repeats it, too
            answer: dict[str, Any] = json.load(response["Payload"])
            error = answer if "FunctionError" in response else answer.get("error", {})
            if not error:
                return answer
            if not error.get("retryable", True):
                break
        raise RuntimeError(json.dumps(error, ensure_ascii=False))

    def ask(self, session: str, channel: str, text: str, choices: Any = (), request_id: str = "", **how: Any) -> Any:
        """The `state` in which the question ended; with an answer, `choice`, `values` or `text`, and `by`."""
        how["choices"] = [c if isinstance(c, dict) else {"id": c, "label": c} for c in choices or ()] or None
        asked = {"session_name": session, "parent_channel_id": channel, "question": text, **how}
        content = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()  # the same when run again
        now = self.call("ask", **asked, request_id=request_id or content)["question"]
        while now["state"] == "open":
            now = self.call("await", question_id=now["id"])["question"]
        return {"state": now["state"], **now.get("answer", {})}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("session", "text", "--request-id"):
        parser.add_argument(name)
    parser.add_argument("choices", nargs="*")
    parser.add_argument("--expires-in", type=int, metavar="SECONDS")
    options = {**vars(parser.parse_intermixed_args()), "channel": os.environ["ONETHREAD_CHANNEL"]}
    answer = Onethread(os.environ["ONETHREAD_FUNCTION"]).ask(**options)
    print(answer.get("choice") or answer.get("text") or answer["state"])
    raise SystemExit({"answered": 0, "expired": 3, "cancelled": 4}[answer["state"]])
