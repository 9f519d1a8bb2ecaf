"""AWS's list prices, in US dollars.

Source: AWS's public price pages for us-east-1 (API Gateway, Lambda, SQS, DynamoDB, CloudWatch, EventBridge), 2025, first tier, without the
free tier. DynamoDB's on-demand prices are those since November 2024.
"""

from typing import Final

MILLION: Final = 1_000_000

HTTP_API_REQUEST: Final = 1.00 / MILLION  # API Gateway, up to 512 KB
LAMBDA_REQUEST: Final = 0.20 / MILLION
LAMBDA_GB_SECOND: Final = 0.0000133334  # Arm
SQS_REQUEST: Final = 0.40 / MILLION  # a standard queue
SCHEDULER_INVOCATION: Final = 1.00 / MILLION
DYNAMODB_READ_UNIT: Final = 0.125 / MILLION  # on demand; 4 KB read consistently, or 8 KB eventually consistently
DYNAMODB_WRITE_UNIT: Final = 0.625 / MILLION  # 1 KB
LOG_BYTE: Final = 0.50 / 1_000_000_000  # CloudWatch Logs, ingestion
