"""The deferred answer of an interaction: what each refusal of an edit means, and what is done about it.

    404, while the interaction is young   not yet: Discord may not know a deferral for some seconds
    404 later, 401 with code 50027        the token is dead, or the user has dismissed the answer
    another 401, while it is young        not yet
    400                                   once more, as a short text alone; then refused
    another 4xx, 400 with code 50083      refused: no later edit succeeds
    anything else                         a later edit may succeed

Discord docs, "Opcodes and Status Codes", JSON. 50083 is answered for good where the answer stands in a thread that was
archived or locked (discord-api-docs issue 6884), and 404 at random for about ten seconds (issue 7220).
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from handler.commands import texts
from handler.discord import refusals, responses
from handler.discord.responses import Message
from handler.discord.rest import Discord
from handler.errors import DiscordRefused, OnethreadError, RateLimited
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.deadline import Deadline, run_until
from handler.runtime.metrics import Metric
from handler.runtime.secrets import Secret

YOUNG_FOR: Final = timedelta(seconds=30)  # after its receipt: three times as long as a deferral was seen to be unknown
_DEAD_STATUSES: Final = frozenset({401, 404})  # the token, or what it stands for, does not exist


class Edit(Enum):
    """What came of an edit of the deferred answer."""

    DONE = auto()
    DEAD = auto()  # the token is dead, or the user dismissed the answer
    REFUSED = auto()  # no edit of it can succeed
    FAILED = auto()  # a later one may succeed


class DeferredAnswer:
    """The answer that an interaction's token stands for. `received`: when the interaction came.

    `of_layout`: it is the message with the button, which is a layout.
    """

    def __init__(
        self, discord: Discord, clock: Clock, token: Secret, received: datetime, *, of_layout: bool = False
    ) -> None:
        self._discord = discord
        self._clock = clock
        self._token = token
        self._of_layout = of_layout
        self.young_until = received + YOUNG_FOR

    async def edit(self, answer: Message, until: Deadline, *, patient: bool = True) -> Edit:
        """Show this answer. If `patient`, try until then while the interaction is young and unknown.

        Raises RateLimited, if the edits of this answer are limited for longer than there is time.
        """
        try:
            try:
                await self._edit(answer, until, patient=patient)
            except DiscordRefused as refusal:
                shorter = responses.only_text(answer)
                if refusal.status != 400 or refusal.code == refusals.THREAD_ARCHIVED or shorter == answer:
                    raise
                telemetry.logger.error("discord refused an answer", extra={"detail": str(refusal)})
                await self._edit(shorter, until, patient=patient)
        except DiscordRefused as refusal:
            return self._judge(refusal)
        except RateLimited:
            raise
        except OnethreadError as error:
            telemetry.logger.warning("the answer could not be edited", extra={"detail": str(error)})
            return Edit.FAILED
        return Edit.DONE

    async def _edit(self, answer: Message, until: Deadline, *, patient: bool) -> None:
        unknown_until = self.young_until if patient else None
        body = responses.edit_body(answer, of_layout=self._of_layout)
        edit = self._discord.edit_original(self._token, body, unknown_until=unknown_until)
        await run_until(self._clock, until, edit)

    def _judge(self, refusal: DiscordRefused) -> Edit:
        telemetry.logger.warning("discord refused the answer", extra={"detail": str(refusal)})
        if refusal.status not in _DEAD_STATUSES:
            return Edit.REFUSED
        is_young = self._clock.now() < self.young_until
        return Edit.FAILED if is_young and refusal.code != refusals.INVALID_WEBHOOK_TOKEN else Edit.DEAD


async def explain_update(answer: DeferredAnswer, until: Deadline, *, is_last: bool) -> bool:
    """The job is for a newer version, which the next receive may meet. On the last one the user is asked to repeat it.

    Whether the job is done.
    """
    telemetry.add_metric(Metric.UNREADABLE)
    try:
        edit = await answer.edit(texts.updated_meanwhile() if is_last else texts.being_updated(), until)
    except RateLimited:
        edit = Edit.FAILED
    if is_last and edit in (Edit.DEAD, Edit.REFUSED):
        count_untellable(edit.name, dead=edit is Edit.DEAD)
    return is_last and edit is not Edit.FAILED


def count_untellable(why: str, *, dead: bool = False) -> None:
    """The user will never read this answer: say so in the log, and count it. `dead`: because the token is."""
    telemetry.logger.error("the user cannot be told", extra={"why": why})
    telemetry.add_metric(Metric.UNTOLD)
    if dead:
        telemetry.add_metric(Metric.TOKEN_DEAD)
