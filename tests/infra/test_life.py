"""The life of a deployment, as docs/recovery.md has it: it moves to another region, and its token is rotated."""

from infra.doctor.__main__ import main as doctor
from infra.simulator.state import Identity
from infra.teardown.__main__ import main as teardown
from infra.verify.__main__ import main as verify
from infra.virtual_time import START
from tests.infra.deployment.account import Account
from tests.infra.deployment.operated import APPLICATION, TOKEN_PARAMETER, Operated, import_again, open_all
from tests.infra.simulator.client import BOT, TEXT
from tests.kit.secrets import made_up

ELSEWHERE = "https://abc.execute-api.us-east-1.amazonaws.com/interactions"


def test_a_deployment_moves_to_another_account_and_its_sessions_keep_their_threads(operated: Operated) -> None:
    threads = open_all(operated, "one", "two")
    old, new = operated.account, Account(address=ELSEWHERE)

    operated.account, operated.resources = new, new.resources
    assert operated.set_up("--stack-name", "moved") == 1  # the endpoint is the old stack's
    assert "--take-over" in operated.out
    assert operated.set_up("--stack-name", "moved", "--take-over") == 0, operated.out
    assert operated.application()["interactions_endpoint_url"] == ELSEWHERE
    moved = ["--stack-name", "moved"]
    assert import_again(operated, "--channel", TEXT, *moved, at=START) == 0, operated.out

    operated.account, operated.resources = old, old.resources
    assert operated.run(teardown, "--stack-name", "onethread") == 0, operated.out
    assert not old.stacks
    assert operated.application()["interactions_endpoint_url"] == ELSEWHERE
    assert operated.registered()

    operated.account, operated.resources = new, new.resources
    assert operated.run(doctor, *moved) == 0, operated.out
    assert open_all(operated, "one", "two") == threads
    assert len(operated.discord.threads) == 2
    assert operated.run(verify, *moved) == 0, operated.out


def test_a_token_is_rotated_by_one_more_setup(operated: Operated) -> None:
    token = made_up("token-of-later")
    operated.discord.state.identity = Identity(APPLICATION, BOT, f"Bot {token}")
    assert operated.run(doctor) == 1
    assert "with the bot's new token" in operated.out
    assert operated.set_up(token=token) == 0, operated.out
    assert operated.account.parameters[TOKEN_PARAMETER]["Value"] == token
    assert operated.account.parameters[TOKEN_PARAMETER]["Type"] == "SecureString"
    assert token not in operated.out + operated.err
    assert operated.run(doctor) == 0, operated.out
