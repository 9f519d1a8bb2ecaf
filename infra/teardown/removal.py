"""What is deleted in the AWS account. Each function looks first, and says whether there was anything. Raises OperatorError."""

from typing import Any, Final

from botocore.exceptions import ClientError

from infra.deployment.account import Account, Stack, explained
from infra.deployment.errors import OperatorError
from infra.deployment.program import Sleep

PAUSE_SECONDS: Final = 30.0  # between two looks at what is being deleted
MAX_LOOKS: Final = 60  # half an hour: a stack of this size takes a few minutes
_KINDS: Final = {"Roles": ("Role", "detach_role_policy"), "Users": ("User", "detach_user_policy"), "Groups": ("Group", "detach_group_policy")}  # fmt: skip
_GONE: Final = frozenset({"NoSuchEntity", "ResourceNotFoundException", "ParameterNotFound"})


class Removal:
    """`sleep`: how to wait."""

    def __init__(self, account: Account, sleep: Sleep) -> None:
        self._account, self._sleep = account, sleep

    def holders(self, policy: str) -> list[tuple[str, str]]:
        """Who has the managed policy: (Roles, Users or Groups; the name)."""
        found: list[tuple[str, str]] = []
        with explained("iam", "ListEntitiesForPolicy"):
            pages = self._account.client("iam").get_paginator("list_entities_for_policy").paginate(PolicyArn=policy)
            try:
                for page in pages:
                    for kind, (singular, _) in _KINDS.items():
                        found += [(kind, holder[f"{singular}Name"]) for holder in page[f"Policy{kind}"]]
            except ClientError as refusal:
                _pass_over_missing(refusal)
        return found

    def detach(self, policy: str, holder: tuple[str, str]) -> None:
        kind, name = holder
        singular, operation = _KINDS[kind]
        with explained("iam", f"Detach{singular}Policy"):
            try:
                getattr(self._account.client("iam"), operation)(**{f"{singular}Name": name, "PolicyArn": policy})
            except ClientError as refusal:
                _pass_over_missing(refusal)

    async def delete_stack(self, stack: Stack) -> None:
        """Delete it and wait until it is gone."""
        client = self._account.client("cloudformation")
        if stack.status != "DELETE_IN_PROGRESS":
            with explained("cloudformation", "DeleteStack"):
                client.delete_stack(StackName=stack.id)
        for _ in range(MAX_LOOKS):
            found = self._account.stack(stack.id)
            if found is None or found.status == "DELETE_COMPLETE":
                return
            if found.status == "DELETE_FAILED":
                reason = self._account.first_failure(stack.id)
                raise OperatorError(
                    f"The stack {stack.name} was not deleted: {reason or 'CloudFormation gives no reason'}",
                    "Correct that, then run this again.",
                )
            await self._sleep(PAUSE_SECONDS)
        raise OperatorError(f"The stack {stack.name} is still being deleted.", "Run this again in a while.")

    def delete_parameter(self, name: str) -> bool:
        client = self._account.client("ssm")
        with explained("ssm", "DeleteParameter"):
            try:
                client.delete_parameter(Name=name)
            except ClientError as refusal:
                _pass_over_missing(refusal)
                return False
        return True

    def table(self, name: str) -> Any | None:
        """The table's description; None if there is none. Raises OperatorError for one that is not Onethread's."""
        client = self._account.client("dynamodb")
        with explained("dynamodb", "DescribeTable"):
            try:
                found = client.describe_table(TableName=name)["Table"]
            except ClientError as refusal:
                _pass_over_missing(refusal)
                return None
        keys = sorted(index["IndexName"] for index in found.get("GlobalSecondaryIndexes", ()))
        if not {"WatchIndex", "DueIndex"} <= set(keys):
            raise OperatorError(f"The table {name} is not Onethread's.", "Give the name of the table of sessions.")
        return found

    async def delete_table(self, name: str, described: Any) -> None:
        """Lift its protection, and delete it."""
        client = self._account.client("dynamodb")
        if described.get("DeletionProtectionEnabled"):
            with explained("dynamodb", "UpdateTable"):
                client.update_table(TableName=name, DeletionProtectionEnabled=False)
            for _ in range(MAX_LOOKS):
                found = self.table(name)
                if found is None or found["TableStatus"] == "ACTIVE":
                    break
                await self._sleep(PAUSE_SECONDS)
        with explained("dynamodb", "DeleteTable"):
            try:
                client.delete_table(TableName=name)
            except ClientError as refusal:
                _pass_over_missing(refusal)


def _pass_over_missing(refusal: ClientError) -> None:
    """What is not there need not be removed. Raises any other refusal."""
    if refusal.response["Error"]["Code"] not in _GONE:
        raise refusal
