"""`ReconcilerFunction`: brings the table back to what Discord says. Not built yet: it says so, and returns."""

from typing import Any

from handler import bootstrap, telemetry
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A schedule's event, or messages of the queue."""
    return bootstrap.invoke(ReconcilerConfig, lambda environment: run(environment, context.aws_request_id))


async def run(environment: Environment[ReconcilerConfig], request_id: str) -> dict[str, Any]:
    """Log that there is nothing to run yet."""
    with telemetry.begin(function="reconciler", request_id=request_id, outcome="not_built"):
        telemetry.logger.warning("the reconciler is not built yet: nothing was compared, and nothing changed")
    return {"status": "not_built"}


bootstrap.prepare(ReconcilerConfig)
