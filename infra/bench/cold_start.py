"""One cold start in a bare interpreter: prints the processor time of its parts, in milliseconds, as JSON.

    python -S -E cold_start.py DIRECTORY floor                   the libraries alone, as a bare script needs them
    python -S -E cold_start.py DIRECTORY webhook | worker | …    a function, from the artifact

It is run with the Python of the artifact, and imports nothing of `infra`.
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_began = time.process_time()
_parts: dict[str, float] = {}


def _end_part(name: str) -> None:
    global _began
    _parts[name] = (time.process_time() - _began) * 1000
    _began = time.process_time()


def _floor() -> None:
    import nacl.signing  # noqa: F401

    build_client: Callable[..., object]
    try:
        import boto3

        build_client = boto3.client
    except ImportError:  # the artifact has none
        import botocore.session

        build_client = botocore.session.Session().create_client
    import httpx

    _end_part("imports")
    kept = httpx.AsyncClient(), build_client("dynamodb")
    _end_part("clients")
    del kept


def _function(name: str) -> None:
    import os

    import handler  # noqa: F401 - on Lambda: the collector of garbage is off from here on

    runtime = os.environ.pop("AWS_LAMBDA_RUNTIME_API")
    module = __import__(f"handler.{name}", fromlist=["handle"])
    _end_part("imports")
    os.environ["AWS_LAMBDA_RUNTIME_API"] = runtime
    kind = getattr(module, f"{name.capitalize()}Config")
    module.bootstrap.prepare(kind)
    _end_part("clients")
    _connect(module.bootstrap, kind)


def _connect(bootstrap: object, kind: object) -> None:
    """Two calls to AWS and two to Discord, all over TLS: the second ones use the connections of the first ones."""
    with bootstrap.environment(kind) as used:  # type: ignore[attr-defined]  # a module
        for number in ("first", "second"):
            if hasattr(used.config, "event_bus_name"):
                from handler.aws.event_bus import Entry

                used.run(used.event_bus.put([Entry("source", "type", "{}")]))
            else:
                used.run(used.dynamodb("get_item", TableName="sessions", Key={"pk": "A", "sk": "1"}))
            _end_part(f"{number} call to AWS")
        if "http" in used.__dict__:
            for number in ("first", "second"):
                used.run(used.http.get(used.config.api_url))
                _end_part(f"{number} call to Discord")


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    _floor() if sys.argv[2] == "floor" else _function(sys.argv[2])
    import json
    import os

    print(json.dumps(_parts), flush=True)
    os._exit(0)  # INIT ends here; the end of a process is no part of it
