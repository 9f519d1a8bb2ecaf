"""The AWS account: who asks, how the stack is, and the parameter with the bot's token."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from infra.deployment.errors import NotAllowed, OperatorError

if TYPE_CHECKING:
    from boto3.session import Session

# The template's outputs.
ENDPOINT_OUTPUT: Final = "InteractionsEndpoint"
TABLE_OUTPUT: Final = "SessionsTableName"
POLICY_OUTPUT: Final = "ApiCallersPolicyArn"
RECONCILER_OUTPUT: Final = "ReconcilerFunctionName"

# States of a stack that CloudFormation does not update (CloudFormation docs, "Stack status codes").
_FAILED_AT_BIRTH: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})
RESERVED_FOR_PEOPLE: Final = 4  # functions at once that are left to the webhook and to programs
_AT_ONCE: Final = {"WorkerConcurrency": "4", "ReconcilerConcurrency": "2"}  # with the template's defaults

_EXPIRED_TEXT: Final = "The AWS credentials have expired."
_SIGN_IN: Final = "Sign in again, for example with: aws sso login."
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_INVALID: Final = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})


def functions_at_once(parameters: Mapping[str, str]) -> int:
    """How many functions may have to run at once with these parameters."""
    asked = max(RESERVED_FOR_PEOPLE, int(parameters.get("WebhookReserved", "0")))
    return asked + sum(int(parameters.get(name, default)) for name, default in _AT_ONCE.items())


class Account:
    """The account and region of the AWS credentials. Raises OperatorError."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._clients: dict[str, Any] = {}  # reading a large API's description takes a tenth of a second

    @property
    def region(self) -> str:
        if self._session.region_name is None:
            raise OperatorError("No AWS region is chosen.", "Add --region, for example --region eu-central-1.")
        return str(self._session.region_name)

    def check(self) -> str:
        """The account's id."""
        with explained("sts", "GetCallerIdentity"):
            return str(self.client("sts").get_caller_identity()["Account"])

    def concurrency(self) -> int:
        """How many functions may run at once in the account."""
        with explained("lambda", "GetAccountSettings"):
            return int(self.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])

    def stack(self, name: str) -> "Stack | None":
        """The stack; None if there is none."""
        client = self.client("cloudformation")
        with explained("cloudformation", "DescribeStacks"):
            try:
                found = client.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as refusal:
                if "does not exist" in (refusal.response["Error"].get("Message") or ""):
                    return None
                raise
        return Stack(name, self.region, found)

    def first_failure(self, stack: str) -> str | None:
        """Why the last deployment failed: the first resource that did, with CloudFormation's reason."""
        with explained("cloudformation", "DescribeStackEvents"):
            events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        failure = None
        for event in events:  # the newest first
            if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"].endswith(
                "_IN_PROGRESS"
            ):
                if "ROLLBACK" not in event["ResourceStatus"]:
                    break  # the deployment's beginning
            elif event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get(
                "ResourceStatusReason", ""
            ):
                failure = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        return failure

    def resources(self, stack: str) -> list[tuple[str, str]]:
        """The type and the physical id of each resource of the stack."""
        client = self.client("cloudformation")
        with explained("cloudformation", "ListStackResources"):
            pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
            return [
                (found["ResourceType"], found["PhysicalResourceId"])
                for page in pages
                for found in page["StackResourceSummaries"]
                if "PhysicalResourceId" in found
            ]

    def kept_token(self, parameter: str) -> "KeptToken | None":
        """The token that is kept there; None if there is none."""
        client = self.client("ssm")
        with explained("ssm", "GetParameter"):
            try:
                found = client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
            except client.exceptions.ParameterNotFound:
                return None
        return KeptToken(parameter, self.region, str(found["Type"]), str(found["Value"]))

    def token(self, parameter: str) -> str | None:
        """The same, as text. Raises OperatorError if it is kept unencrypted."""
        kept = self.kept_token(parameter)
        if kept is None:
            return None
        kept.require_encrypted()
        return kept.value

    def keep_token(self, parameter: str, token: str, *, key: str | None) -> None:
        """Put the token there, encrypted with that KMS key, or with the account's own key for SSM."""
        given: dict[str, Any] = {"KeyId": key} if key else {}
        with explained("ssm", "PutParameter"):
            self.client("ssm").put_parameter(
                Name=parameter,
                Value=token,
                Type="SecureString",
                Overwrite=True,
                Description="Onethread's bot token",
                **given,
            )

    def is_protected(self, table: str) -> bool:
        """Whether the table is protected against deletion."""
        with explained("dynamodb", "DescribeTable"):
            found = self.client("dynamodb").describe_table(TableName=table)["Table"]
        return bool(found.get("DeletionProtectionEnabled"))

    def protect(self, table: str) -> None:
        """Protect the table against deletion."""
        with explained("dynamodb", "UpdateTable"):
            self.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=True)

    def client(self, api: str) -> Any:
        """boto3's client of one of AWS's services, made once."""
        if api not in self._clients:
            with explained(api, "connect"):
                self._clients[api] = self._session.client(api, region_name=self.region)  # type: ignore[call-overload]
        return self._clients[api]


@dataclass(frozen=True, slots=True)
class KeptToken:
    """The bot's token as Systems Manager keeps it. The value is left out of the repr."""

    parameter: str
    region: str
    kind: str  # of the parameter: SecureString, or String
    value: str = field(repr=False)

    def require_encrypted(self) -> None:
        """Raise OperatorError if it is kept as plain text."""
        if self.kind != "SecureString":
            raise OperatorError(
                f"The parameter {self.parameter} is a {self.kind}: the token in it is not encrypted.",
                "Reset the token on the developer portal's Bot page, run: aws ssm delete-parameter --name "
                f"{self.parameter} --region {self.region}, then run the setup again with the new token.",
            )


class Stack:
    """A stack as CloudFormation describes it."""

    def __init__(self, name: str, region: str, described: Mapping[str, Any]) -> None:
        self.name, self._region = name, region
        self.id = str(described.get("StackId", name))
        self.status = str(described["StackStatus"])
        self.created: datetime | None = described.get("CreationTime")
        self.parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in described.get("Parameters", ())}
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", ())}

    def require_deployable(self) -> None:
        """Raise OperatorError if CloudFormation would not update it."""
        where = f"--stack-name {self.name} --region {self._region}"
        if self.status in _FAILED_AT_BIRTH:
            raise OperatorError(
                f"The stack {self.name} is in {self.status}: its first deployment failed, and it cannot be updated.",
                f"Delete it, wait a minute, then run the setup again: aws cloudformation delete-stack {where}",
            )
        if self.status == "UPDATE_ROLLBACK_FAILED":
            raise OperatorError(
                f"The stack {self.name} is in {self.status}.",
                f"Look at its events, then run: aws cloudformation continue-update-rollback {where}",
            )
        if self.status == "DELETE_FAILED":
            raise OperatorError(
                f"The stack {self.name} is in {self.status}: a removal was not finished.",
                f"Finish it, then run the setup again: python -m infra.teardown {where}",
            )
        if self.status.endswith("_IN_PROGRESS"):
            raise OperatorError(
                f"The stack {self.name} is in {self.status}.", "Wait until that is over, then run the setup again."
            )


@contextmanager
def explained(api: str, action: str) -> Iterator[None]:
    """Turn what AWS refuses into what to do about it. No value that was sent is repeated."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError):
        raise OperatorError(
            "There are no AWS credentials.", "Run: aws configure, or aws sso login, or set AWS_PROFILE."
        ) from None
    except (SSOError, TokenRetrievalError):  # the sign-in of AWS IAM Identity Center
        raise OperatorError(_EXPIRED_TEXT, _SIGN_IN) from None
    except CredentialRetrievalError as error:
        raise OperatorError(f"{error}", "Correct the profile, or set AWS_PROFILE to another one.") from None
    except NoRegionError:
        raise OperatorError("No AWS region is chosen.", "Add --region, for example --region eu-central-1.") from None
    except ClientError as refusal:
        raise _refusal(api, action, refusal) from None
    except BotoCoreError as error:
        raise OperatorError(
            f"AWS ({api}) could not be reached: {type(error).__name__}.",
            "Check the network, the profile and the region.",
        ) from None


def _refusal(api: str, action: str, refusal: ClientError) -> OperatorError:
    code, text = refusal.response["Error"]["Code"], refusal.response["Error"].get("Message") or ""
    if code in _EXPIRED:
        return OperatorError(_EXPIRED_TEXT, _SIGN_IN)
    if code in _INVALID:
        return OperatorError(
            "AWS does not know these credentials.", "Run: aws sts get-caller-identity, and correct the profile."
        )
    if "kms" in text.lower() or code.startswith("KMS"):
        return OperatorError(
            f"KMS refused to encrypt or decrypt the token ({code}).",
            "Allow your user kms:Encrypt and kms:Decrypt on the key, or leave out --set DiscordBotTokenKeyArn.",
        )
    if "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code:
        return OperatorError(
            f"Somebody deleted it by hand ({api}:{action}: {text or code}).",
            "A table: docs/recovery.md. Anything else: docs/operations.md, 'What was changed by hand'.",
        )
    if code in ("AccessDenied", "AccessDeniedException"):
        return NotAllowed(f"AWS does not allow you {api}:{action}.", "Ask for that permission, or use another profile.")
    return OperatorError(f"AWS ({api}:{action}) refused: {code}: {text}", "Correct that, then run the setup again.")
