"""Job items: which message of a job may work on it.

SQS delivers messages twice, and a send whose answer was lost is repeated. So a job has an item, and its messages are
numbered: the webhook's has number 0, each put-back has the next. Of the messages of one number one works on the job at a
time; a copy that comes meanwhile has to come again. Once a higher number has begun or the job is finished, all others are
repeats, and let go.

Whatever dies leaves a message in the queue that may go on: one is deleted only when its work is done, or another message is
certainly in the queue. What is not recorded in time costs no more than a repeat of the command.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Key
from handler.store.table import Lost, Table

KEPT: Final = timedelta(hours=1)  # beyond the life of the token: longer than any message of the job is in the queue


class JobClaim(Enum):
    """What a message may do about its job."""

    WON = auto()  # work on it
    BUSY = auto()  # another message does, or died over it: come again
    REPEAT = auto()  # nothing: another one did, or has a higher number


def job_item_key(job_id: str) -> Key:
    return {"pk": f"JOB#{job_id}", "sk": "JOB"}


class JobStore:
    """The jobs that are worked on. A job's id is the same in all its messages."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def claim(
        self, job_id: str, put_backs: int, *, owner: str, now: datetime, until: datetime, expiry: datetime
    ) -> JobClaim:
        """What this message may do about the job, and if it is to work on it, until when.

        `put_backs`: its number. `owner`: the message's id, which SQS keeps when it delivers it again.
        """
        lease = {"lease_owner": owner, "lease_expires_at": iso(until)}
        sets = {"put_backs": put_backs, **lease, "expires_at": int((expiry + KEPT).timestamp())}
        try:
            key, values = job_item_key(job_id), {"now": iso(now)}
            await self._table.update(key, condition=clauses.JOB_CLAIMABLE, sets=sets, values=values)
        except Lost as lost:
            job = lost.item or {}
            is_over = "finished_at" in job or job.get("put_backs", put_backs) > put_backs
            return JobClaim.REPEAT if is_over else JobClaim.BUSY
        return JobClaim.WON

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
