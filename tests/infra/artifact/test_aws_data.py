"""What the artifact keeps of botocore's data: all that the handlers call, in all regions, and nothing else of AWS."""

import re
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from botocore.session import Session

from infra.artifact.aws_data import OPERATIONS, amazon_roots, prune, prune_model
from infra.local.aws import EmulatedAws
from infra.local.queues import create_queues
from infra.loopback import Loopback
from infra.table.memory_table import MemoryTable
from tests.kit.aws_answers import answer, error, operation_of
from tests.kit.sam_template import ROOT
from tests.kit.secrets import MARK, made_up

WHOLE: Final = Path(botocore.__file__).parent / "data"
BUNDLE: Final = WHOLE.parent / "cacert.pem"
MAX_BYTES: Final = 120_000  # of all that is left; the endpoints alone had ten times as much
KEY: Final = {"pk": {"S": "A"}, "sk": {"S": "1"}}
ITEM: Final = {**KEY, "n": {"N": "1"}, "b": {"BOOL": True}, "l": {"L": [{"S": "x"}]}}
ABSENT: Final = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
ENTRY: Final = {"Source": "onethread", "DetailType": "SessionOpened", "Detail": "{}", "EventBusName": "bus"}
SENT: Final = {"MessageBody": "{}", "MessageGroupId": "g"}


def calls(queue: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Each operation at least once, and the refusals that the handlers read more of than their code."""
    table, put = {"TableName": "sessions"}, {"TableName": "sessions", "Item": ITEM}
    number = {"ExpressionAttributeValues": {":n": {"N": "2"}}}
    return [
        ("dynamodb", "put_item", put),
        ("dynamodb", "put_item", {**put, **ABSENT}),
        ("dynamodb", "get_item", {**table, "Key": KEY, "ConsistentRead": True}),
        ("dynamodb", "get_item", {"TableName": "another", "Key": KEY}),
        ("dynamodb", "batch_get_item", {"RequestItems": {"sessions": {"Keys": [KEY]}}}),
        (
            "dynamodb",
            "update_item",
            {
                **table,
                "Key": KEY,
                **number,
                "UpdateExpression": "SET #n = :n",
                "ExpressionAttributeNames": {"#n": "n"},
                "ReturnValues": "ALL_NEW",
            },
        ),
        (
            "dynamodb",
            "query",
            {
                **table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": "A"}},
                "Limit": 1,
            },
        ),
        ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": put}], "ClientRequestToken": "token"}),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [{"Put": {**put, **ABSENT}}], "ClientRequestToken": "other"},
        ),
        ("dynamodb", "delete_item", {**table, "Key": KEY}),
        ("events", "put_events", {"Entries": [ENTRY]}),
        ("sqs", "send_message", {"QueueUrl": queue, **SENT, "DelaySeconds": 1}),
        ("sqs", "send_message_batch", {"QueueUrl": queue, "Entries": [{"Id": "0", **SENT}]}),
        ("sqs", "get_queue_attributes", {"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"]}),
        ("sqs", "send_message", {"QueueUrl": f"{queue}-of-nobody", **SENT}),
        ("ssm", "get_parameter", {"Name": "/token", "WithDecryption": True}),
        ("ssm", "get_parameter", {"Name": "/absent", "WithDecryption": True}),
        ("stepfunctions", "send_task_success", {"taskToken": "t", "output": "{}"}),
        ("stepfunctions", "send_task_failure", {"taskToken": "t", "error": "e", "cause": "c"}),
    ]


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data of the services that are called, and of one that is not, as the artifact has it."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in WHOLE.iterdir():
        if path.is_file():
            shutil.copy(path, data)
        elif path.name in {*OPERATIONS, "sts"}:
            shutil.copytree(path, data / path.name)
    prune(data)
    return data


@pytest.fixture
def aws() -> Iterator[Loopback]:
    parameters = {"/token": made_up("token")}
    served = Loopback(EmulatedAws(MemoryTable("sessions"), parameters).answer)
    yield served
    served.close()


def session_of(data: Path) -> Session:
    session = Session()
    session.set_credentials(MARK, made_up("key"))
    session.register_component("data_loader", Loader([str(data)], include_default_search_paths=False))
    return session


def client_of(session: Session, name: str, url: str | None = None) -> Any:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return session.create_client(name, region_name="us-east-1", endpoint_url=url, config=config)


def play(data: Path, url: str) -> tuple[list[Any], list[Any]]:
    """All calls, with these data: what was sent, and what came of it."""
    sent: list[Any] = []

    def note(request: Any, **_: object) -> AWSResponse | None:
        headers = {name: request.headers[name] for name in ("X-Amz-Target", "Content-Type")}
        scope = request.headers["Authorization"].decode().partition("/")[2].partition("Signature")[0]
        sent.append((request.method, headers, scope, request.body))
        if "StepFunctions" not in str(headers["X-Amz-Target"]):
            return None
        succeeds = operation_of(request) == "SendTaskSuccess"  # the emulation has no state machines
        return answer(request.url, 200, "{}") if succeeds else error(request.url, 400, "TaskTimedOut")

    queue, session, ended = create_queues(url)["JobsQueue"], session_of(data), list[Any]()
    session.register("before-send", note)  # type: ignore[arg-type]  # events have names for their arguments
    clients = {name: client_of(session, name, url) for name in OPERATIONS}
    for name, operation, parameters in calls(queue):
        try:
            ending = getattr(clients[name], operation)(**parameters)
        except ClientError as refusal:
            ending = refusal.response
            ended.append(type(refusal).__name__)
        ending.pop("ResponseMetadata")
        ended.append(ending if name == "dynamodb" else sorted(ending))
    for client in clients.values():
        client.close()
    return sent, ended


def test_the_operations_that_are_kept_are_those_that_the_handlers_name() -> None:
    named = {name for path in (ROOT / "handler").rglob("*.py") for name in re.findall(r'"([a-z_]+)"', path.read_text())}
    whole = session_of(WHOLE)
    for name, kept in OPERATIONS.items():
        methods = {xform_name(operation): operation for operation in whole.get_service_model(name).operation_names}
        assert {methods[method] for method in named & methods.keys()} == kept, name


def test_each_operation_is_sent_and_read_as_with_all_of_the_data(pruned: Path, aws: Loopback) -> None:
    called = {(name, operation) for name, operation, _ in calls("")}
    assert called == {(name, xform_name(operation)) for name, kept in OPERATIONS.items() for operation in kept}
    with_all = play(WHOLE, aws.url)
    other = Loopback(EmulatedAws(MemoryTable("sessions"), {"/token": made_up("token")}).answer)
    sent, ended = play(pruned, other.url)
    other.close()
    assert ended == with_all[1]
    assert [(m, h, s) for m, h, s, _ in sent] == [(m, h, s) for m, h, s, _ in with_all[0]]
    assert [body.replace(other.url.encode(), b"") for *_, body in sent] == [
        body.replace(aws.url.encode(), b"") for *_, body in with_all[0]
    ]
    refused = [ending for ending in ended if isinstance(ending, str)]
    assert refused == [
        "ConditionalCheckFailedException",
        "ResourceNotFoundException",
        "TransactionCanceledException",
        "QueueDoesNotExist",
        "ParameterNotFound",
        "TaskTimedOut",
    ]


def test_items_in_refusals_are_read(pruned: Path, aws: Loopback) -> None:
    _, ended = play(pruned, aws.url)
    lost = [ending for ending in ended if isinstance(ending, dict) and "Error" in ending]
    assert lost[0]["Item"] == ITEM
    assert lost[2]["CancellationReasons"][0]["Item"] == {**ITEM, "n": {"N": "1"}}


@pytest.mark.parametrize(
    "parameters", [{}, {"TableName": "t", "Key": KEY, "Unknown": 1}, {"TableName": "t", "Key": "x"}]
)
def test_a_call_of_a_wrong_form_is_refused_before_it_is_sent(pruned: Path, parameters: dict[str, Any]) -> None:
    client = client_of(session_of(pruned), "dynamodb")
    with pytest.raises(ParamValidationError):
        client.get_item(**parameters)


def test_endpoints_are_what_they_were_in_every_region(pruned: Path) -> None:
    def read(data: Path, name: str) -> Any:
        return Loader([str(data)], include_default_search_paths=False).load_data(name)

    def endpoints(data: Path) -> dict[Any, Any]:
        resolver, found = EndpointResolver(read(data, "endpoints")), {}
        for partition in resolver.get_available_partitions():
            for name in OPERATIONS:
                regions = resolver.get_available_endpoints(name, partition, allow_non_regional=True)
                for region in (*regions, "made-up-1"):
                    found[partition, name, region] = resolver.construct_endpoint(name, region, partition)
        return found

    before = endpoints(WHOLE)
    assert endpoints(pruned) == before
    assert len({region for *_, region in before}) > 40
    assert read(pruned, "partitions") == read(WHOLE, "partitions")
    for name in OPERATIONS:
        (kept,) = pruned.glob(f"{name}/*")
        where = f"{name}/{kept.name}/endpoint-rule-set-1"
        assert read(pruned, where) == read(WHOLE, where)


def test_hardly_anything_is_left(pruned: Path) -> None:
    files = [path for path in pruned.rglob("*") if path.is_file()]
    assert {path.name for path in pruned.iterdir() if path.is_dir()} == {*OPERATIONS}
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    assert not [path for path in files if path.parent != pruned and b"<p>" in path.read_bytes()], "documentation"


def test_an_operation_that_aws_no_longer_has_fails_the_build() -> None:
    with pytest.raises(KeyError, match="Renamed"):
        prune_model({"operations": {}, "shapes": {}}, frozenset({"Renamed"}))


def test_a_member_may_be_called_documentation() -> None:
    operation = {"name": "Put", "input": {"shape": "In"}, "documentation": "<p>text</p>"}
    shapes = {"In": {"members": {"documentation": {"shape": "S", "documentation": "text"}}}, "S": {"type": "string"}}
    model = {"operations": {"Put": operation}, "shapes": {**shapes, "Other": {}}}
    kept = prune_model(model, frozenset({"Put"}))
    assert kept["operations"] == {"Put": {"name": "Put", "input": {"shape": "In"}}}
    assert kept["shapes"] == {"In": {"members": {"documentation": {"shape": "S"}}}, "S": {"type": "string"}}


def test_amazons_roots_are_those_of_its_trust_services(tmp_path: Path) -> None:
    text = amazon_roots(BUNDLE)
    assert text is not None
    (tmp_path / "roots.pem").write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tmp_path / "roots.pem")
    roots: Any = context.get_ca_certs()
    fields = [dict(field for part in root["subject"] for field in part) for root in roots]
    assert sorted((field["organizationName"], field["commonName"]) for field in fields) == [
        *(("Amazon", f"Amazon Root CA {number}") for number in (1, 2, 3, 4)),
        ("Starfield Technologies, Inc.", "Starfield Services Root Certificate Authority - G2"),
    ]


def test_a_bundle_that_lacks_one_gives_none(tmp_path: Path) -> None:
    text = amazon_roots(BUNDLE)
    assert text is not None
    (tmp_path / "few.pem").write_text(text[text.index("# Amazon Root CA 2") :])
    assert amazon_roots(tmp_path / "few.pem") is None
