"""What people do while a program waits for them."""

import threading

from tests.handler.questions.acts import PERSON, cards, reply
from tests.kit.deployment import Deployment

MAX_SECONDS = 5.0  # of real time, until a test that has gone wrong ends


async def press(deployment: Deployment, label: str = "yes") -> None:
    """Somebody presses the button of that label below the newest question."""
    await deployment.press_card(cards(deployment)[-1].id, label, user=PERSON)


async def answer_by_text(deployment: Deployment) -> None:
    """Somebody replies to the newest question."""
    card = cards(deployment)[-1]
    reply(deployment, {"message_id": card.id, "thread": card.channel_id})


async def nothing(deployment: Deployment) -> None:
    """Nobody answers during this request."""


class Pause:
    """A request that is not answered until the program has given it up, in real time."""

    def __init__(self) -> None:
        self.over = threading.Event()

    async def __call__(self, deployment: Deployment) -> None:
        assert self.over.wait(MAX_SECONDS)
