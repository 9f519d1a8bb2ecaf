"""Lambda's guard against endless loops through queues.

Lambda docs, "Use Lambda recursive loop detection to prevent infinite loops": in the tracing header Lambda counts how often a
function was invoked in one chain of requests. AWS's SDKs pass the header on, SQS keeps it with the message. After about 16
invocations the next one is stopped, unless the function's recursive loop configuration is Allow.
"""

import re
import zlib
from typing import Any, Final
from urllib.parse import unquote

MAX_TURNS: Final = 16
VARIABLE: Final = "_X_AMZN_TRACE_ID"  # from which AWS's SDKs take the header
HEADER: Final = "x-amzn-trace-id"
ATTRIBUTE: Final = "AWSTraceHeader"  # of a message in SQS
ALLOW: Final = "Allow"
# What the invoker gets. The message comes back, and in the end becomes a dead letter.
STOPPED: Final = {"errorType": "RecursiveInvocation", "errorMessage": "stopped: a function is invoked in a loop"}
_ROOT: Final = "1-00000000-000000000000000000000000"
_LINEAGE: Final = re.compile(r"Lineage=([0-9a-f:|]*)")


def enter(event: Any, function: str) -> tuple[int, str]:
    """How often the function has been invoked in the event's chain, this time included, and this invocation's header."""
    lineage = _lineage(event)
    own = f"{zlib.crc32(function.encode()):08x}"
    lineage[own] = lineage.get(own, 0) + 1
    counts = "|".join(f"{name}:{number}" for name, number in lineage.items())
    return lineage[own], f"Root={_ROOT};Sampled=0;Lineage={counts}"


def _lineage(event: Any) -> dict[str, int]:
    records = event.get("Records", ()) if isinstance(event, dict) else ()
    headers = [str(record.get("attributes", {}).get(ATTRIBUTE, "")) for record in records]
    found = _LINEAGE.search(unquote(max(headers, key=len, default="")))
    parts = (part.partition(":") for part in found[1].split("|")) if found and found[1] else ()
    return {name: int(number) for name, _, number in parts}
