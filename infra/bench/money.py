"""What opens cost on AWS, from the requests that were counted. Pure.

Prices are those of `infra.cost.prices`. INIT is billed since August 2025.
"""

import math
from typing import Final

from infra.bench.scenarios import Taken
from infra.cost import prices
from infra.cost.cycle import MONTH_SECONDS, PERIOD_SECONDS, Cycle

WEBHOOK_GB: Final = 1769 / 1024  # MemorySize in template.yaml
RECONCILER_GB: Final = 0.5
PROCESSING_SECONDS: Final = 0.01  # of our own in an open, beside the waiting
INIT_SECONDS: Final = 0.35  # with some reserve above `make bench-cold`
COLD_SHARE: Final = 0.02  # of the opens that begin with a cold start: an assumption, high for a busy bot
LOG_BYTES: Final = 1_500  # of an open: our line, those with metrics, and Lambda's


def per_million(taken: Taken) -> dict[str, float]:
    """US dollars for a million opens that took this, by what is paid for."""
    million = prices.MILLION
    seconds = taken.seconds + PROCESSING_SECONDS
    return {
        "HTTP API": million * prices.HTTP_API_REQUEST,
        "Lambda": million * (prices.LAMBDA_REQUEST + seconds * WEBHOOK_GB * prices.LAMBDA_GB_SECOND),
        "INIT": million * COLD_SHARE * INIT_SECONDS * WEBHOOK_GB * prices.LAMBDA_GB_SECOND,
        "DynamoDB": million
        * (taken.use.reads * prices.DYNAMODB_READ_UNIT + taken.use.writes * prices.DYNAMODB_WRITE_UNIT),
        "logs": million * LOG_BYTES * prices.LOG_BYTE,
    }


def idle_month(of: Cycle) -> dict[str, float]:
    """US dollars for a month in which nobody opens anything, of one server."""
    runs = math.ceil(MONTH_SECONDS / PERIOD_SECONDS)
    return {
        "reconciler": of.dollars_a_month,
        "its INIT, if every run is a cold start": runs * INIT_SECONDS * RECONCILER_GB * prices.LAMBDA_GB_SECOND,
    }
