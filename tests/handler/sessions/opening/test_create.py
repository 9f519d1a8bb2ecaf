"""Something on the server deletes what the bot posts: another bot that keeps the channel clean, say."""

import pytest

from handler.errors import DiscordUnavailable
from handler.sessions.model import Outcome
from handler.sessions.opening.create import MAX_GENERATIONS
from tests.kit.journal import Call
from tests.kit.stage import Stage, staged
from tests.kit.table_view import CHANNEL

POST = "POST /channels/{channel_id}/messages"


class Cleaner:
    """Deletes each source message before its thread can be started, `times` in all."""

    def __init__(self, stage: Stage, times: int) -> None:
        self._stage, self._left, self._go_on = stage, times, stage.ends
        stage.ends = self.ends  # type: ignore[method-assign]  # the stage tells it of each call

    def ends(self, call: Call) -> None:
        if call.what == POST and self._left:
            self._left -= 1
            (message,) = self._stage.source_messages()
            self._stage.discord.people.delete_message(CHANNEL, message.id, now=self._stage.now)
        self._go_on(call)


@staged()
async def test_a_source_message_that_vanishes_before_its_thread_is_started_is_made_anew(stage: Stage) -> None:
    Cleaner(stage, times=MAX_GENERATIONS - 1)

    assert (await stage.open()).outcome is Outcome.CREATED
    assert len(stage.living_threads()) == len(stage.source_messages()) == 1


@staged()
async def test_an_opener_whose_messages_always_vanish_stops_posting_and_says_why(stage: Stage) -> None:
    Cleaner(stage, times=1000)

    with pytest.raises(DiscordUnavailable) as raised:
        await stage.open()

    assert "deleted at once" in raised.value.message
    assert sum(call.what == POST for call in stage.calls) == MAX_GENERATIONS
    stage.forget()
    begun = stage.now
    with pytest.raises(DiscordUnavailable):
        await stage.open()
    assert stage.now == begun  # the claim was let go: the next one does not wait for its lease
