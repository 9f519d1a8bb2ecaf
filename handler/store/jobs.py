"""Job items: which message of a job may work on it.

SQS delivers messages twice, and a send whose answer was lost is repeated. So a job has an item, and its messages are
numbered: the webhook's has number 0, each put-back has the next. Of the messages of one number one works on the job at a
time, and none once a higher number has begun or the job is finished: the others are repeats, and let go.

Whatever dies leaves a message in the queue that may go on: one is deleted only when its work is done, or another message is
certainly in the queue. What is not recorded in time costs no more than a repeat of the command.
"""

from datetime import datetime, timedelta
from typing import Final

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import job_item_key
from handler.store.table import Table

KEPT: Final = timedelta(hours=1)  # beyond the life of the token: longer than any message of the job is in the queue


class JobStore:
    """The jobs that are worked on. A job's id is the same in all its messages."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def claim(
        self, job_id: str, put_backs: int, *, owner: str, now: datetime, until: datetime, expiry: datetime
    ) -> bool:
        """Whether this message may work on the job until then. False: it is a repeat.

        `put_backs`: its number. `owner`: the message's id, which SQS keeps when it delivers it again.
        """
        lease = {"lease_owner": owner, "lease_expires_at": iso(until)}
        return await self._table.try_update(
            job_item_key(job_id),
            condition=clauses.JOB_CLAIMABLE,
            sets={"put_backs": put_backs, **lease, "expires_at": int((expiry + KEPT).timestamp())},
            values={"now": iso(now)},
        )

    async def put_back(self, job_id: str, put_backs: int) -> None:
        """A message with this number is certainly in the queue: no lower one is needed any more."""
        await self._table.try_update(
            job_item_key(job_id),
            condition=clauses.JOB_BELOW,
            sets={"put_backs": put_backs},
            removes=["lease_owner", "lease_expires_at"],
        )

    async def finish(self, job_id: str, *, now: datetime) -> None:
        """The user has the final answer: every message of the job that still comes is a repeat."""
        await self._table.try_update(
            job_item_key(job_id), condition="attribute_exists(pk)", sets={"finished_at": iso(now)}
        )
