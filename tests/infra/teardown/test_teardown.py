"""The removal of a deployment: step by step, again after any step, and the table only by its name."""

import io
import json
from collections.abc import Callable

import pytest

from infra.commands.definitions import COMMANDS
from infra.deployment.account import Account
from infra.deployment.errors import OperatorError
from infra.simulator.state import Identity
from infra.teardown.__main__ import main
from infra.teardown.removal import Removal
from tests.infra.deployment.account import ENDPOINT
from tests.infra.deployment.operated import APPLICATION, TOKEN_PARAMETER, Operated
from tests.infra.deployment.resources import TABLE
from tests.infra.simulator.client import BOT, GUILD
from tests.kit.secrets import BOT_TOKEN

ALL = ["endpoint", "commands", "policy", "stack", "token", "table"]


def tear_down(operated: Operated, *arguments: str, token: str | None = None) -> dict[str, str]:
    """What became of each step."""
    environ = {"DISCORD_BOT_TOKEN": token} if token else {}
    status = operated.run(main, "--json", *arguments, environ=environ)
    report = json.loads(operated.out)
    assert status == (0 if report["ok"] else 1)
    return {step["name"]: step["state"] for step in report["steps"]}


def test_everything_goes_but_the_table_and_a_second_run_finds_nothing(operated: Operated) -> None:
    operated.register(COMMANDS, GUILD)
    operated.resources.policies += [("Role", "ci"), ("User", "agent")]
    done = tear_down(operated)
    assert list(done) == ALL
    assert [name for name, state in done.items() if state == "changed"] == ALL[:-1]
    assert operated.application()["interactions_endpoint_url"] is None
    assert (operated.registered(), operated.registered(GUILD)) == ([], [])
    assert (operated.account.stacks, operated.account.parameters) == ({}, {})
    assert operated.resources.deleted == ["attachment", "attachment", "stack"]

    assert set(tear_down(operated).values()) == {"unchanged"}
    assert set(tear_down(operated, token=BOT_TOKEN).values()) == {"unchanged"}


def test_a_dry_run_says_the_same_and_changes_nothing(operated: Operated) -> None:
    before = operated.discord.fingerprint()
    done = tear_down(operated, "--dry-run", "--delete-table", TABLE)
    assert {name: state for name, state in done.items() if state != "would change"} == {"policy": "unchanged"}
    assert operated.discord.fingerprint() == before
    assert operated.resources.deleted == []
    assert set(operated.account.parameters) == {TOKEN_PARAMETER}


def test_the_table_goes_if_its_name_is_given(operated: Operated) -> None:
    assert tear_down(operated, "--delete-table", TABLE)["table"] == "changed"
    assert operated.resources.deleted == ["stack", "table"]
    assert tear_down(operated, "--delete-table", TABLE)["table"] == "unchanged"


def test_a_table_that_was_kept_can_be_deleted_later(operated: Operated) -> None:
    tear_down(operated)
    assert tear_down(operated, "--delete-table", TABLE)["table"] == "changed"


def test_with_another_tables_name_nothing_at_all_is_removed(operated: Operated) -> None:
    assert list(tear_down(operated, "--delete-table", "onethread-SessionsTable-2")) == ["teardown"]
    assert operated.application()["interactions_endpoint_url"] == ENDPOINT


def test_a_table_of_something_else_is_never_deleted(operated: Operated) -> None:
    tear_down(operated)
    operated.resources.table = {"GlobalSecondaryIndexes": []}
    assert tear_down(operated, "--delete-table", TABLE)["teardown"] == "failed"
    assert "is not Onethread's" in operated.out


def test_without_a_terminal_the_tables_name_has_to_be_given(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TABLE))
    assert operated.run(main, "--delete-table") == 2
    assert "--delete-table NAME" in operated.err


def test_an_endpoint_of_another_stack_stays_with_its_commands(operated: Operated) -> None:
    operated.bot.send("PATCH", "/applications/@me", {"interactions_endpoint_url": "https://example.org/x"})
    done = tear_down(operated)
    assert (done["endpoint"], done["stack"]) == ("unchanged", "changed")
    assert operated.application()["interactions_endpoint_url"] == "https://example.org/x"
    assert len(operated.registered()) == len(COMMANDS)


def _stack_stays(operated: Operated) -> None:
    """Somebody attaches the policy again at that moment."""
    operated.resources.policies.append(("Role", "late"))
    operated.account.resources._detach = lambda *_, **__: {}  # type: ignore[method-assign]  # it comes back at once


@pytest.mark.parametrize(
    ("arrange", "text", "done"),
    [
        (_stack_stays, "Cannot delete a policy attached", ["endpoint", "commands", "policy", "teardown"]),
        (lambda o: setattr(o.account, "status", "UPDATE_IN_PROGRESS"), "Wait until", [*ALL[:3], "teardown"]),
        (
            lambda o: o.account.refusals.update(DeleteParameter=("AccessDeniedException", "")),
            "ssm:DeleteParameter",
            [*ALL[:4], "teardown"],
        ),
    ],
)
def test_what_was_removed_stays_removed_and_the_next_run_goes_on(
    operated: Operated, arrange: Callable[[Operated], None], text: str, done: list[str]
) -> None:
    arrange(operated)
    assert list(tear_down(operated)) == done
    assert text in operated.out
    operated.account.refusals.clear()
    operated.resources.policies.clear()
    operated.account.status = "CREATE_COMPLETE"
    tear_down(operated)
    assert (operated.account.stacks, operated.account.parameters) == ({}, {})


def test_a_refused_token_stops_before_anything_is_removed(operated: Operated) -> None:
    assert list(tear_down(operated, token="revoked")) == ["teardown"]
    assert operated.account.stacks


async def test_a_stack_that_is_still_leaving_is_waited_for_half_an_hour(operated: Operated) -> None:
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    operated.account.status = "DELETE_IN_PROGRESS"
    account = Account(operated.account.session())
    stack = account.stack("onethread")
    assert stack is not None
    with pytest.raises(OperatorError, match="still being deleted"):
        await Removal(account, sleep).delete_stack(stack)
    assert sum(waited) == 1800


def test_a_token_that_discord_refuses_can_be_replaced_or_given_up(operated: Operated) -> None:
    """Discord refuses it also where the application was deleted."""
    operated.discord.state.identity = Identity(APPLICATION, BOT, "Bot another")
    assert operated.run(main) == 1
    assert "Set DISCORD_BOT_TOKEN" in operated.out
    assert f"aws ssm delete-parameter --name {TOKEN_PARAMETER} --region eu-central-1" in operated.out
    assert not operated.resources.deleted
    operated.account.parameters.clear()
    assert operated.run(main) == 0
    assert operated.resources.deleted == ["stack"]
