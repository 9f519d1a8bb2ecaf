"""Jobs: what the webhook could not finish in time, as messages to the worker.

Every command can be repeated, so a job may arrive twice or late. Its messages have one id, by which a repeat is recognised:
see `handler.store.jobs`.
"""

import hashlib
import math
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec

from handler.aws import sqs_events
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.runtime.clock import iso, parse_iso
from handler.runtime.secrets import Secret

VERSION: Final = 1  # of the message's form: raised when an older worker could misread it
TOKEN_LIFE: Final = timedelta(minutes=15)  # Discord docs, "Receiving and Responding": then an answer cannot be edited
TOKEN_MARGIN: Final = timedelta(seconds=15)  # an edit takes time, and API Gateway's clock is not Discord's
TOKEN_HASH_LENGTH: Final = 16  # hexadecimal digits: enough to tell tokens apart
NO_GUILD: Final = "none"  # the group of all jobs from outside a guild
MAX_SPREAD: Final = 1 / 8  # of what is left of the token's life: a job that is alone needs most of it
MAX_CRC32: Final = 2**32 - 1  # of the checksum that spreads the jobs evenly
READ_TIMEOUT_SECONDS: Final = 0.3  # SQS answers within tens of milliseconds, and the webhook has time for two attempts


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction to finish."""

    version: int = VERSION
    interaction: Interaction
    received_at: str
    expires_at: str  # when the token is dead, however often the job is put back
    put_backs: int = 0
    # What the worker tells the user before anything else, since a deferral shows nothing.
    wait_seconds: int = 0  # the pause that Discord asks for; the job is then put back for it
    progress: dict[str, int] = {}  # of the import that the webhook began
    answer: Message | None = None  # how the command ended: nothing is left to do but to show it
    answered: bool = False  # the response has shown how it ended: nothing is left but what comes after that

    def __post_init__(self) -> None:
        try:
            parse_iso(self.received_at), parse_iso(self.expires_at)
        except ValueError:
            raise ValueError("not a time") from None

    @classmethod
    def of(cls, interaction: Interaction, received: datetime) -> "Job":
        expires = received + TOKEN_LIFE - TOKEN_MARGIN
        return cls(interaction=interaction, received_at=iso(received), expires_at=iso(expires))

    @classmethod
    def of_rest(cls, interaction: Interaction, received: datetime) -> "Job":
        """Of an interaction that is answered. Its token counts as dead, so no worker of an older version answers it again."""
        return cls(interaction=interaction, received_at=iso(received), expires_at=iso(received), answered=True)

    def with_notice(self, *, wait_seconds: int = 0, progress: Mapping[str, int] | None = None) -> "Job":
        return msgspec.structs.replace(self, wait_seconds=wait_seconds, progress=dict(progress or {}))

    @property
    def id(self) -> str:
        """What all messages of the job have in common: the interaction, and its token, hashed because it is kept."""
        token = hashlib.sha256(self.interaction.token.reveal().encode()).hexdigest()
        return f"{self.interaction.id}#{token[:TOKEN_HASH_LENGTH]}"

    @property
    def group(self) -> str:
        """What the job counts as in the fair queue: its guild."""
        return self.interaction.guild_id or NO_GUILD

    @property
    def received(self) -> datetime:
        return parse_iso(self.received_at)

    @property
    def expiry(self) -> datetime:
        return parse_iso(self.expires_at)

    def put_back(self, progress: Mapping[str, int], answer: Message | None = None) -> "Job":
        """The same job for a new message; the token's life is not prolonged. `progress`: how much of it is done."""
        interaction = msgspec.structs.replace(
            self.interaction, done_before={**self.interaction.done_before, **progress}
        )
        return msgspec.structs.replace(
            self, interaction=interaction, put_backs=self.put_backs + 1, wait_seconds=0, progress={}, answer=answer
        )


def back_off(job: Job, seconds: float, now: datetime) -> int:
    """For how long to put a job back that is to wait for so long, in SQS's unit.

    Jobs that one limit stopped would come back together, and stop each other again. So from its second wait on a job
    waits for longer, by a share of its own of a time that doubles with each wait.
    """
    if not job.put_backs:
        return whole_seconds(seconds)
    left = (job.expiry - now).total_seconds()
    spread = min(seconds * (2.0**job.put_backs - 1), MAX_SPREAD * max(0.0, left))
    share = zlib.crc32(f"{job.id} {job.put_backs}".encode()) / MAX_CRC32
    return whole_seconds(seconds + share * spread)


def whole_seconds(seconds: float) -> int:
    """A wait in SQS's unit, never shorter than asked for."""
    return max(0, math.ceil(seconds))


def encode(job: Job) -> str:
    return msgspec.json.encode(job, enc_hook=_reveal).decode()


def decode(body: str) -> Job:
    """The job in a message's body. Raises Malformed, or NewerJob if a newer version wrote it."""
    try:
        return sqs_events.decode_body(body, Job, VERSION, _conceal)
    except sqs_events.Malformed as fault:
        raise _newer(body) or fault from None


class NewerJob(sqs_events.Malformed):
    """A job that a newer version wrote. What every version writes of it tells whom to answer, and until when."""

    kind: ClassVar = "newer_version"

    def __init__(self, envelope: "_Envelope") -> None:
        super().__init__(f"version {envelope.version}, not {VERSION}")
        self.token = envelope.interaction.token
        self.received = parse_iso(envelope.received_at)


class _Receiver(msgspec.Struct, frozen=True):
    token: Secret


class _Envelope(msgspec.Struct, frozen=True):
    """What stays the same in all versions of a job."""

    version: int
    interaction: _Receiver
    received_at: str


def _newer(body: str) -> NewerJob | None:
    """The error for a job of a newer version; None for what is none."""
    try:
        envelope = msgspec.json.decode(body, type=_Envelope, dec_hook=_conceal)
        return NewerJob(envelope) if envelope.version > VERSION else None
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def _conceal(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"not a {kind.__name__}")
