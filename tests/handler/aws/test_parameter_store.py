"""The bot's token in Parameter Store: read when it is needed, once, and anew when Discord refuses it."""

import asyncio
from collections.abc import Iterator

import pytest

from handler.config import ApiConfig
from handler.errors import BotTokenRefused, OnethreadError, StoreUnavailable
from handler.runtime.secrets import Secret
from infra.simulator.faults import error
from tests.kit.deployment import Deployment
from tests.kit.secrets import BOT_TOKEN, made_up


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment(parameter=True) as deployment:
        yield deployment


async def read(deployment: Deployment, *faults: str | None, value: str = BOT_TOKEN) -> Secret | OnethreadError:
    deployment.ssm.value, deployment.ssm.faults = value, list(faults)
    parameter = deployment.environment(ApiConfig).token_parameter
    assert parameter is not None
    try:
        return await parameter.read()
    except OnethreadError as error:
        return error


async def test_the_token_is_read_with_decryption(deployment: Deployment) -> None:
    assert await read(deployment) == Secret(BOT_TOKEN)
    assert deployment.ssm.reads == 1


async def test_white_space_around_it_is_no_part_of_it(deployment: Deployment) -> None:
    assert await read(deployment, value=f" {BOT_TOKEN}\n") == Secret(BOT_TOKEN)


@pytest.mark.parametrize("value", ["", " ", "two words", "Bot token", "é"])
async def test_a_parameter_without_a_token_is_a_refused_token_and_its_value_is_not_shown(
    deployment: Deployment, value: str
) -> None:
    failure = await read(deployment, value=value)
    assert isinstance(failure, BotTokenRefused)
    assert "DISCORD_BOT_TOKEN_PARAMETER" in str(failure)
    assert not value.strip() or value.strip() not in str(failure)


@pytest.mark.parametrize("code", ["ParameterNotFound", "AccessDeniedException", "InvalidKeyId"])
async def test_what_only_the_operator_can_correct_is_a_refused_token(deployment: Deployment, code: str) -> None:
    failure = await read(deployment, code)
    assert isinstance(failure, BotTokenRefused)
    assert code in str(failure)
    assert deployment.ssm.reads == 1


async def test_throttling_is_a_retryable_error(deployment: Deployment) -> None:
    assert isinstance(await read(deployment, "ThrottlingException"), StoreUnavailable)


async def test_a_connection_that_breaks_is_tried_once_more(deployment: Deployment) -> None:
    assert await read(deployment, "refused") == Secret(BOT_TOKEN)
    assert deployment.ssm.reads == 2
    assert isinstance(await read(deployment, "refused", "refused"), StoreUnavailable)
    assert deployment.ssm.reads == 4


async def test_the_token_is_read_once_for_many_requests(deployment: Deployment) -> None:
    for number in range(3):
        assert "error" not in await deployment.ensure(session_name=f"s{number}")
    assert deployment.ssm.reads == 1


async def test_the_token_is_read_at_the_same_time_as_the_table(deployment: Deployment) -> None:
    deployment.wire.fail("GetItem", "hang")
    asking = asyncio.ensure_future(deployment.ensure())
    await asyncio.sleep(1.0)
    assert deployment.ssm.reads == 1
    assert not deployment.discord.calls
    deployment.wire.hanging.release()
    assert "error" not in await asking
    assert deployment.ssm.reads == 1


async def test_a_command_that_needs_no_token_succeeds_without_one(deployment: Deployment) -> None:
    deployment.ssm.faults = ["ParameterNotFound"]
    asked = await deployment.ask(app_permissions=0)
    assert "I'm missing permissions" in asked.content


async def test_after_a_401_the_token_is_read_again_once_and_the_request_repeated(deployment: Deployment) -> None:
    deployment.ssm.value = made_up("old-token")
    environment = deployment.environment(ApiConfig)
    with pytest.raises(BotTokenRefused):
        await environment.discord.current_user_id()
    deployment.ssm.value = BOT_TOKEN
    await deployment.clock.sleep(600.0)
    assert "error" not in await deployment.ensure()
    assert deployment.ssm.reads == 3


async def test_a_program_gets_the_kind_of_error_for_a_refused_token(deployment: Deployment) -> None:
    deployment.discord.faults.inject("*", "*", error(401, 0, "401: Unauthorized"), times=100)
    answer = await deployment.ensure()
    assert answer["error"]["kind"] == "bot_token_refused"
    assert sum(deployment.discord.calls.values()) <= 2
