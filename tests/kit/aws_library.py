"""AWS in place of botocore's calls: a function answers each operation, with plain parameters and a plain answer.

The parameters have passed botocore's own validation. Nothing goes on to the wire.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from boto3.session import Session

Answers = Mapping[str, Callable[..., dict[str, Any]]]  # by "lambda.GetFunctionConfiguration", for example
Find = Callable[[str], Callable[..., dict[str, Any]]]


class Refused(Exception):
    """What AWS answers instead: its error code, and its text."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.error = {"Code": code, "Message": text}


def answer_calls(session: Session, find: Find) -> None:
    """Let the clients that this session makes be answered by the functions that are found. They may raise Refused."""

    def note(params: Any, context: dict[str, Any], **_: object) -> None:
        context["given"] = params

    def reply(model: Any, context: dict[str, Any], **_: object) -> Any:
        answer = find(f"{model.service_model.service_id.hyphenize()}.{model.name}")
        try:
            answered = answer(**context["given"])
        except Refused as refused:
            metadata = {"HTTPStatusCode": 400}
            return SimpleNamespace(status_code=400), {"Error": refused.error, "ResponseMetadata": metadata}
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {"HTTPStatusCode": 200}, **answered}

    session.events.register("before-parameter-build", note)
    session.events.register("before-call", reply)
