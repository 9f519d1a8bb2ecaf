"""From an empty folder and without a terminal: one call of the setup ends in a command that works.

`sam build` and `sam deploy` are replaced where they are started as programs; AWS and Discord end on their wires. The endpoint is the real
webhook, with the variables that the deployed stack gives it.
"""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from handler import config, webhook
from handler.bootstrap import Environment
from handler.config import WebhookConfig
from handler.runtime.clock import Clock
from infra import virtual_time
from infra.interactions import command, encode, ping, sign, text_of
from infra.lambda_events import api_gateway_event
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import LoopClock
from tests.infra.deployment.operated import APPLICATION, TOKEN_PARAMETER, Operator
from tests.infra.simulator.client import ALICE, GUILD, NOON, TEXT
from tests.kit.guild import KEY
from tests.kit.secrets import BOT_TOKEN, made_up


class Deployed(Operator):
    """What is there once the setup has run: the webhook's environment comes from the stack alone."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place, public_key=KEY.verify_key.encode().hex())
        self.account.endpoint = self._knock

    def webhook(self, clock: Clock | None = None) -> Environment[WebhookConfig]:
        (given,) = self.account.stacks.values()
        variables = {
            **self.account.resources.variables,
            "JOBS_QUEUE_URL": self.account.resources.outputs()["JobsQueueUrl"],
            "DISCORD_PUBLIC_KEY": given["DiscordPublicKey"],
        }
        to_discord = SimulatedTransport(self.discord, clock.now if clock else lambda: NOON)
        settings = config.load(WebhookConfig, variables)
        return Environment(settings, aws=self.account.session(), transport=to_discord, clock=clock)

    async def _knock(self, request: httpx.Request) -> httpx.Response:
        """API Gateway and the webhook, for the setup's forged request."""
        event = api_gateway_event(await request.aread(), dict(request.headers), now=NOON)
        answered = await webhook.handle(self.webhook(), event, "request-1", 10.0)
        return httpx.Response(answered["statusCode"])


@pytest.fixture
def deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Deployed:
    return Deployed(tmp_path, capsys, monkeypatch)


def set_up(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{BOT_TOKEN}\n"))
    return deployed.set_up(token="")


def test_one_call_ends_in_a_working_command_and_a_second_one_changes_nothing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set_up(deployed, monkeypatch) == 0, deployed.out
    assert "All is well." in deployed.out
    assert deployed.account.parameters[TOKEN_PARAMETER]["Value"] == BOT_TOKEN

    shown = virtual_time.run(_use(deployed))
    assert "1a06a43" in shown
    assert [thread.name for thread in deployed.discord.threads.values()] == ["Session 1a06a43"]
    kinds = {item["sk"].partition("#")[0] for item in deployed.account.resources.memory.items()}
    assert {"SESSION", "THREAD", "CHANNEL", "GUILD"} <= kinds

    before = deployed.discord.fingerprint(), list(deployed.account.resources.memory.items())
    assert set_up(deployed, monkeypatch) == 0
    assert "Everything is set up; nothing was changed." in deployed.out
    assert (deployed.discord.fingerprint(), list(deployed.account.resources.memory.items())) == before


async def _use(deployed: Deployed) -> str:
    """Discord's check of the endpoint, then a member's `/session open`; what the member reads."""
    clock = LoopClock()
    environment = deployed.webhook(clock)
    try:
        body = encode(ping(application_id=APPLICATION, now=clock.now()))
        event = api_gateway_event(body, sign(body, KEY, clock.now()), now=clock.now())
        assert (await webhook.handle(environment, event, "request-1", 10.0))["body"] == '{"type":1}'

        place = {"channel_id": TEXT, "guild_id": GUILD, "user_id": ALICE, "application_id": APPLICATION}
        payload = command("session open", {"name": "1a06a43"}, token=made_up("token"), now=clock.now(), **place)
        deployed.discord.begin_interaction(payload["token"], payload["id"], APPLICATION, clock.now(), channel_id=TEXT)
        body = encode(payload)
        event = api_gateway_event(body, sign(body, KEY, clock.now()), now=clock.now())
        answered = await webhook.handle(environment, event, "request-2", 10.0)
        callback = httpx.Response(200, content=answered["body"]).json()
        assert deployed.discord.answer_interaction(payload["token"], callback, clock.now())
        message = deployed.discord.original_response(payload["token"])
        assert message is not None
        return text_of(message)
    finally:
        await environment.http.aclose()
