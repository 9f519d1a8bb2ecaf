"""The same with processes of the operating system, over real sockets and in real time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord
from tests.kit.guild import APPLICATION
from tests.kit.secrets import BOT_TOKEN
from tests.kit.table_view import CHANNEL, GUILD, NAME, NAMES

PROCESSES = 4
EACH = 20
PARAMETER = "/onethread/token"
TABLE = "sessions"


@pytest.mark.long
def test_four_processes_that_open_one_name_20_times_each_end_with_one_thread() -> None:
    discord = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN)
    discord.add_guild(GUILD)
    discord.add_channel(GUILD, CHANNEL)
    with _emulated_aws() as url, DiscordServer(discord) as server:
        answers = _answers(_variables(url, server.api_url))

    (thread,) = [thread for thread in discord.threads.values() if NAMES.bears(thread.name, NAME)]
    assert answers == [thread.id] * PROCESSES * EACH
    assert discord.messages.keys() == discord.threads.keys(), "a source message without a thread was left"
    assert len(discord.threads) == 2  # the processes' first one, all together, is the other


def _answers(variables: dict[str, str]) -> list[str]:
    openers = [_opener(variables, nth) for nth in range(PROCESSES)]
    try:
        for opener in openers:
            assert opener.stdout is not None
            assert opener.stdout.readline() == "ready\n"
        for opener in openers:  # all are built: now at once
            assert opener.stdin is not None
            opener.stdin.write("\n")
            opener.stdin.flush()
        return [line for opener in openers for line in opener.communicate()[0].split()]
    finally:
        for opener in openers:
            opener.kill()
            opener.wait()


def _opener(variables: dict[str, str], nth: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-m", "tests.exactly_once.opener", NAME, CHANNEL, str(EACH), f"process-{nth}"]
    environ = {**variables, "PATH": os.environ["PATH"]}
    return subprocess.Popen(arguments, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def _emulated_aws() -> Iterator[str]:
    """moto's server, one request at a time, in a process of its own. Its URL."""
    settings = {"port": 0, "table": TABLE, "bot_token": BOT_TOKEN, "bot_token_parameter": PARAMETER}
    serving = subprocess.Popen(
        [sys.executable, "-m", "infra.local.aws"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert serving.stdin is not None
    assert serving.stdout is not None
    with serving:
        serving.stdin.write(json.dumps(settings) + "\n")
        serving.stdin.flush()
        yield json.loads(serving.stdout.readline())["url"]
        serving.stdin.close()


def _variables(aws_url: str, api_url: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": aws_url,
        "AWS_ENDPOINT_URL_SSM": aws_url,
        "SESSIONS_TABLE": TABLE,
        "DISCORD_API_URL": api_url,
        "DISCORD_APPLICATION_ID": APPLICATION,
        "DISCORD_BOT_TOKEN_PARAMETER": PARAMETER,
    }
