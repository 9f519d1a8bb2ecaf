"""What the artifact keeps of botocore's descriptions of AWS, and of its root certificates.

botocore reads these files on each cold start: four hundred services in 25 MB, each with every operation and its
documentation. Of each service that the handlers call, the operations that they call are kept, with all that these refer
to; of the endpoints, all regions and partitions. So signing, validation, retries and errors are what they were.
"""

import gzip
import json
import shutil
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

# A test compares these with what the handlers name. An operation that is not here does not exist on Lambda.
OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "dynamodb": frozenset(
        {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}
    ),
    "events": frozenset({"PutEvents"}),
    "sqs": frozenset({"GetQueueAttributes", "SendMessage", "SendMessageBatch"}),
    "ssm": frozenset({"GetParameter"}),
    "stepfunctions": frozenset({"SendTaskFailure", "SendTaskSuccess"}),
}
MODEL: Final = "service-2"
KEPT_FILES: Final = (MODEL, "endpoint-rule-set-1")  # the others are for paginators, waiters and documentation

# The roots of Amazon Trust Services, by common name. Source: https://www.amazontrust.com/repository/, and AWS docs, "How to
# prepare for AWS's move to its own certificate authority".
AMAZON_ROOTS: Final = frozenset(
    {
        *(f"Amazon Root CA {number}" for number in range(1, 5)),
        "Starfield Services Root Certificate Authority - G2",
    }
)

Document = dict[str, Any]


def prune(data: Path) -> None:
    """Reduce botocore's folder of data to what the handlers call. Raises OSError, ValueError or KeyError."""
    for folder in data.iterdir():
        if not folder.is_dir():
            continue
        if folder.name in OPERATIONS:
            _prune_api(folder, OPERATIONS[folder.name])
        else:
            shutil.rmtree(folder)
    endpoints = _read(data, "endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: of for name, of in partition["services"].items() if name in OPERATIONS}
    _write(data, "endpoints", endpoints)


def _prune_api(folder: Path, operations: frozenset[str]) -> None:
    newest = max(version for version in folder.iterdir() if list(version.glob(f"{MODEL}.json*")))
    for version in folder.iterdir():
        if version != newest:
            shutil.rmtree(version)
    kept = {name: _read(newest, name) for name in KEPT_FILES}
    for file in newest.iterdir():
        file.unlink()
    kept[MODEL] = prune_model(kept[MODEL], operations)
    for name, document in kept.items():
        _write(newest, name, document)


def prune_model(model: Document, operations: frozenset[str]) -> Document:
    """The model of a service with these operations only, and without documentation. Raises KeyError if one is missing."""
    kept = {name: _without_documentation(model["operations"][name]) for name in sorted(operations)}
    for operation in kept.values():
        operation.pop("endpointdiscovery", None)  # its own operation is gone, and none of these requires it
    reached: Document = {}
    waiting = [*_shapes_in(kept)]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _without_documentation(model["shapes"][name])
            waiting += _shapes_in(reached[name])
    shapes = {name: reached[name] for name in sorted(reached)}
    return {**_without_documentation(model), "operations": kept, "shapes": shapes}


def _shapes_in(part: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for below in part.values():
            yield from _shapes_in(below)
    elif isinstance(part, list):
        for below in part:
            yield from _shapes_in(below)


def _without_documentation(part: Any) -> Any:
    """The same without texts for people. (A member of a structure may have that name, but is no text.)"""
    if isinstance(part, dict):
        return {
            name: _without_documentation(below)
            for name, below in part.items()
            if not (name == "documentation" and isinstance(below, str))
        }
    return [_without_documentation(below) for below in part] if isinstance(part, list) else part


def _read(folder: Path, name: str) -> Document:
    compressed = folder / f"{name}.json.gz"
    text = gzip.decompress(compressed.read_bytes()) if compressed.exists() else (folder / f"{name}.json").read_bytes()
    document: Document = json.loads(text)
    return document


def _write(folder: Path, name: str, document: Document) -> None:
    """Not compressed: Lambda's archive is, and so there is nothing to unpack on a cold start."""
    (folder / f"{name}.json").write_text(json.dumps(document, separators=(",", ":")))


def amazon_roots(bundle: Path) -> str | None:
    """The root certificates of Amazon that are in a bundle, as PEM; None if one is missing there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    found = {
        _root_name(described): ssl.DER_cert_to_PEM_cert(encoded)
        for described, encoded in zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True)
    }
    if not found.keys() >= AMAZON_ROOTS:
        return None
    return "".join(f"# {name}\n{found[name]}" for name in sorted(AMAZON_ROOTS))


def _root_name(described: Mapping[str, Any]) -> str:
    fields = [field for relative in described["subject"] for field in relative]
    return next((str(value) for name, value in fields if name == "commonName"), "")
