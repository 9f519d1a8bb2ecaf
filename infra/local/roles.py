"""The functions' roles as the template gives them, and what each of their requests to AWS needs.

A function has an access key of its own, which is its logical id: so the emulated AWS knows whose role a request is made with.
Lambda itself uses the role, too: to read queues and the stream, and to write the log. A stack whose roles do not allow that
does not start.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.cloudformation import Intrinsics, Unknown
from infra.lambda_events import ACCOUNT, REGION
from infra.local.iam import Need, allows, listed

FUNCTION: Final = "AWS::Serverless::Function"
_TAKE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_READ: Final = tuple(f"dynamodb:{call}" for call in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"))
_WRITE: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_PARTS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
LAMBDA: Final = "lambda.amazonaws.com"


class Roles:
    """What each function may do. `values`: what `Ref` refers to; resources have ARNs of this stack."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        self._values = {**_ids_and_arns(template, values), **values}
        self._intrinsics = Intrinsics(template, self._values)
        self.statements = {name: list(self._statements(name)) for name in self.functions()}

    def functions(self) -> list[str]:
        return [name for name, resource in self._resources.items() if resource["Type"] == FUNCTION]

    def role_of(self, function: str) -> str:
        """The logical id of a function's role."""
        return str(self._resources[function]["Properties"]["Role"]["Fn::GetAtt"][0])

    def policies(self, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The policy documents of a role, each with the logical id of the resource that has it."""
        properties = self._resources[role]["Properties"]
        yield from ((role, policy["PolicyDocument"]) for policy in properties.get("Policies", ()))
        managed = [policy["Ref"] for policy in properties.get("ManagedPolicyArns", ())]
        for name, resource in self._resources.items():
            held = resource.get("Properties", {})
            attached = resource["Type"] == "AWS::IAM::RolePolicy" and held["RoleName"] == {"Ref": role}
            if (name in managed or attached) and self._is_made(resource):
                yield name, held["PolicyDocument"]

    def evaluate(self, value: Any) -> Any:
        """The value in this deployment."""
        return self._intrinsics.evaluate(value)

    def _is_made(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._intrinsics.holds(resource["Condition"])

    def _statements(self, function: str) -> Iterator[dict[str, Any]]:
        role = self.role_of(function)
        if not any(
            _trusts(one) for one in self._resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        ):
            return  # Lambda cannot assume it
        for _, document in self.policies(role):
            yield from self._intrinsics.evaluate(document["Statement"])

    def refuse(self, function: str, needs: list[Need]) -> Need | None:
        """The first of these needs that the function's role does not allow."""
        return next((need for need in needs if not allows(self.statements[function], need)), None)

    def lacking_for_lambda(self) -> str | None:
        """What keeps Lambda from its work: it shows in no request of a function."""
        for function in self.functions():
            if (need := self.refuse(function, self.needs_of_lambda(function))) is not None:
                return f"{function}'s role does not allow {need.action} on {need.resource}, which Lambda needs."
        return None

    def needs_of_lambda(self, function: str) -> list[Need]:
        """What Lambda itself does with the function's role."""
        properties = self._resources[function]["Properties"]
        group = self._values[f"{properties['LoggingConfig']['LogGroup']['Ref']}.Arn"]
        needs = [Need(action, f"{group.removesuffix('*')}log-stream:any") for action in _WRITE]
        for event in properties.get("Events", {}).values():
            given = self._intrinsics.evaluate(event["Properties"])
            if event["Type"] == "SQS":
                needs += [Need(action, given["Queue"]) for action in _TAKE]
            elif event["Type"] == "DynamoDB":
                needs += [Need(action, given["Stream"]) for action in _READ]
                needs.append(Need("sqs:SendMessage", given["DestinationConfig"]["OnFailure"]["Destination"]))
        return needs


def needs_of(api: str, operation: str, request: Mapping[str, Any], *, token_key: str = "") -> list[Need]:
    """What a request of a function needs. `token_key`: ARN of the KMS key of SSM's parameters; empty: aws/ssm."""
    match api, operation:
        case "dynamodb", _:
            return [
                Need(f"dynamodb:{action}", _arn("dynamodb", f"table/{place}"))
                for action, place in _items(operation, request)
            ]
        case "sqs", _:
            queue = _arn("sqs", str(request["QueueUrl"]).rpartition("/")[2])
            return [Need(f"sqs:{operation.removesuffix('Batch')}", queue)]
        case "ssm", "GetParameter":
            needs = [Need("ssm:GetParameter", _arn("ssm", f"parameter{request['Name']}"))]
            via = {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}
            return [*needs, Need("kms:Decrypt", token_key, via)] if token_key else needs
        case "events", "PutEvents":
            buses = dict.fromkeys(str(entry["EventBusName"]) for entry in request["Entries"])
            return [Need("events:PutEvents", _arn("events", f"event-bus/{bus}")) for bus in buses]
        case "states", _:
            return [Need(f"states:{operation}", _arn("states", "stateMachine:any"))]
    raise Unknown(f"{api} {operation} is not known here")


def _items(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions of a request to DynamoDB, each with the table or index (DynamoDB docs, "API permissions")."""
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in request["TransactItems"]:
            ((part, given),) = item.items()
            yield _PARTS.get(part, "GetItem"), given["TableName"]
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        yield from ((operation, table) for table in request["RequestItems"])
    else:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield operation, f"{request['TableName']}{index}"


def _trusts(statement: Mapping[str, Any]) -> bool:
    return (
        statement["Effect"] == "Allow"
        and LAMBDA in listed(statement["Principal"].get("Service", []))
        and "sts:AssumeRole" in listed(statement["Action"])
    )


def _ids_and_arns(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """What `Ref` and `GetAtt` give for the template's resources."""
    found: dict[str, str] = {}
    for name, resource in template["Resources"].items():
        own = str(values.get(name, name))
        match resource["Type"]:
            case "AWS::SQS::Queue":
                arn = _arn("sqs", name)
            case "AWS::DynamoDB::Table":
                arn = _arn("dynamodb", f"table/{own}")
                found[f"{name}.StreamArn"] = f"{arn}/stream/2026-11-29T00:00:00.000"
            case "AWS::Events::EventBus":
                arn = _arn("events", f"event-bus/{own}")
            case "AWS::Logs::LogGroup":
                own = str(Intrinsics(template, values).evaluate(resource["Properties"]["LogGroupName"]))
                arn = f"{_arn('logs', f'log-group:{own}')}:*"
            case _:
                arn = f"arn:{name}"
        found |= {name: own, f"{name}.Arn": arn}
    return found


def _arn(api: str, resource: str) -> str:
    return f"arn:aws:{api}:{REGION}:{ACCOUNT}:{resource}"


def refusal(need: Need) -> dict[str, str]:
    """What AWS answers, with status 400 (IAM docs, "Troubleshoot access denied error messages")."""
    text = f"the role's policies do not allow {need.action} on {need.resource}"
    return {"__type": "AccessDeniedException", "message": text}


def read_request(body: bytes) -> Mapping[str, Any]:
    """The request in a body of AWS's JSON protocols; empty if it is none."""
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
