"""template.yaml as the local stack needs it: functions with their variables, queues, and what invokes what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra import cloudformation
from infra.cloudformation import Intrinsics
from infra.local.functions import Function
from infra.local.recursion import ALLOW
from infra.local.roles import FUNCTION, Roles

QUEUE: Final = "AWS::SQS::Queue"
DEFAULT_TIMEOUT: Final = 3  # seconds, of a function that sets none (SAM docs, "AWS::Serverless::Function")
# Queue properties of CloudFormation that are attributes of the same name in SQS.
_ATTRIBUTES: Final = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")
Values = Mapping[str, str]


@dataclass(frozen=True)
class QueueSource:
    """A queue that invokes a function."""

    queue: str
    function: str
    batch_size: int
    reports_failures: bool
    max_concurrency: int


@dataclass(frozen=True)
class StreamSource:
    """A function that the table's stream invokes. `patterns`: of the records of which it wants to know."""

    function: str
    batch_size: int
    patterns: tuple[dict[str, Any], ...]


class Template:
    """template.yaml, read once."""

    def __init__(self, path: Path = cloudformation.TEMPLATE) -> None:
        self._document = cloudformation.read(path)

    def parameters(self) -> dict[str, str]:
        """The defaults of the parameters that have one, and what CloudFormation itself gives."""
        declared = self._document["Parameters"].items()
        given = {name: str(parameter["Default"]) for name, parameter in declared if "Default" in parameter}
        return {**cloudformation.PSEUDO_PARAMETERS, **given}

    def functions(self, values: Values, always: Mapping[str, str]) -> dict[str, Function]:
        """All functions, by logical id. `values`: what !Ref refers to; `always`: the variables that Lambda itself sets."""
        return {name: self._function(name, values, always) for name in self._of_type(FUNCTION)}

    def roles(self, values: Values) -> Roles:
        """What the functions may do. `values`: what !Ref refers to."""
        return Roles(self._document, values)

    def queues(self) -> dict[str, dict[str, str]]:
        """The queues' attributes as SQS takes them, by logical id."""
        return {name: _attributes(self._properties(name)) for name in self._of_type(QUEUE)}

    def dead_letters(self) -> dict[str, tuple[str, int]]:
        """By the queue's logical id: its dead-letter queue, and after how many receives messages go there."""
        policies = {name: self._properties(name).get("RedrivePolicy") for name in self._of_type(QUEUE)}
        return {
            name: (_attribute_of(policy["deadLetterTargetArn"]), int(policy["maxReceiveCount"]))
            for name, policy in policies.items()
            if policy
        }

    def queue_sources(self, values: Values) -> list[QueueSource]:
        """Which queues invoke which functions. `values`: what !Ref refers to."""
        return [
            _queue_source(name, event["Properties"], Intrinsics(self._document, values))
            for name in self._of_type(FUNCTION)
            for event in self._properties(name).get("Events", {}).values()
            if event["Type"] == "SQS"
        ]

    def stream_sources(self) -> list[StreamSource]:
        """Which functions the table's stream invokes."""
        return [
            StreamSource(name, int(event["Properties"]["BatchSize"]), _patterns(event["Properties"]))
            for name in self._of_type(FUNCTION)
            for event in self._properties(name).get("Events", {}).values()
            if event["Type"] == "DynamoDB"
        ]

    def _of_type(self, kind: str) -> list[str]:
        return [name for name, resource in self._document["Resources"].items() if resource["Type"] == kind]

    def _properties(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self._document["Resources"][name].get("Properties", {})
        return properties

    def _function(self, name: str, values: Values, always: Mapping[str, str]) -> Function:
        properties = {**self._document["Globals"]["Function"], **self._properties(name)}
        declared = {**_variables(self._document["Globals"]["Function"]), **_variables(self._properties(name))}
        resolved = Intrinsics(self._document, values).evaluate(declared)
        variables = {key: str(value) for key, value in resolved.items()}
        variables |= {
            **always,
            "AWS_ACCESS_KEY_ID": name,  # of its role: the emulated AWS knows by it what it may do
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties.get("MemorySize", 128)),
            "_HANDLER": properties["Handler"],
        }
        timeout = float(properties.get("Timeout", DEFAULT_TIMEOUT))
        return Function(name, properties["Handler"], timeout, variables, properties.get("RecursiveLoop") == ALLOW)


def _variables(properties: Mapping[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables


def _attributes(properties: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(properties[name]) for name in _ATTRIBUTES if name in properties}


def _queue_source(function: str, properties: Mapping[str, Any], intrinsics: Intrinsics) -> QueueSource:
    return QueueSource(
        queue=_attribute_of(properties["Queue"]),
        function=function,
        batch_size=int(properties.get("BatchSize", 10)),
        reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
        max_concurrency=int(intrinsics.evaluate(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 1000))),
    )


def _patterns(properties: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """What the filters of a stream let through."""
    return tuple(json.loads(one["Pattern"]) for one in properties["FilterCriteria"]["Filters"])


def _attribute_of(value: Any) -> str:
    """The resource in `!GetAtt Resource.Arn`."""
    return str(value["Fn::GetAtt"][0])
