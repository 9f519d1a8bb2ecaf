"""A token that was refused, and is renewed by its operator a little later."""

from datetime import timedelta

import pytest

from handler.discord.bot_token import REREAD_PAUSE_SECONDS, TokenSource
from handler.errors import BotTokenRefused
from handler.runtime.secrets import Secret
from tests.kit.secrets import made_up
from tests.kit.virtual_time import LoopClock, run

OLD, NEW = Secret(made_up("old-token")), Secret(made_up("new-token"))


class Parameter:
    """What SSM holds, and how often it was asked."""

    def __init__(self) -> None:
        self.value = OLD
        self.reads = 0

    async def read(self) -> Secret:
        self.reads += 1
        return self.value


def test_a_renewed_token_is_found_within_seconds_though_discord_is_left_in_peace_for_minutes() -> None:
    async def scenario() -> None:
        clock, parameter = LoopClock(), Parameter()
        source = TokenSource(None, clock=clock, read=parameter.read)
        assert await source.get() == OLD
        assert not await source.renew(OLD)
        reads = parameter.reads
        for _ in range(10):
            with pytest.raises(BotTokenRefused):
                await source.get()
        assert parameter.reads == reads, "the parameter is not hammered either"
        parameter.value = NEW
        await clock.sleep(timedelta(seconds=REREAD_PAUSE_SECONDS).total_seconds())
        assert await source.get() == NEW
        assert await source.get() == NEW
        assert parameter.reads == reads + 1

    run(scenario())
