"""The setup, from the token alone to a working command, and each failure with its cure."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.exceptions import SSOTokenLoadError, TokenRetrievalError

from infra.deployment.account import explained
from infra.deployment.errors import OperatorError
from infra.deployment.saved import SavedConfiguration
from tests.infra.deployment.account import ENDPOINT
from tests.infra.deployment.operated import APPLICATION, TOKEN_PARAMETER, Operator
from tests.infra.simulator.client import GUILD
from tests.kit.secrets import BOT_TOKEN

FIRST = ["= application", "= account", "✓ token", "✓ stack", "✓ table", "✓ endpoint", "✓ commands", "✓ invitation"]


class Run(Operator):
    """What was printed by each run of the setup."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self.resources.table = {"DeletionProtectionEnabled": False}  # as the template leaves it

    def marks(self) -> list[str]:
        return [line[:2] + line[2:14].strip() for line in self.out.splitlines() if line[:2] in ("= ", "✓ ", "~ ", "✗ ")]

    def failure(self, *arguments: str, **how: Any) -> tuple[str, str]:
        """Why the setup failed, and what to do."""
        assert self.set_up(*arguments, **how) != 0
        text, _, cure = (self.out + self.err).partition("→ ")
        return text, cure


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, capsys, monkeypatch)


def test_one_run_sets_everything_up_and_a_second_one_changes_nothing(run: Run) -> None:
    assert run.set_up() == 0, run.out
    assert run.marks() == FIRST
    assert run.account.parameters == {TOKEN_PARAMETER: {"Type": "SecureString", "Value": BOT_TOKEN, "Key": ""}}
    given = run.account.stacks["onethread"]
    assert (given["DiscordApplicationId"], given["DiscordPublicKey"]) == (APPLICATION, "0" * 64)
    assert (given["DiscordBotTokenParameter"], given["Stage"]) == (TOKEN_PARAMETER, "production")
    assert run.application()["interactions_endpoint_url"] == ENDPOINT
    assert {c["name"] for c in run.bot.get(f"/applications/{APPLICATION}/commands")} >= {"session", "session-admin"}
    assert f"client_id={APPLICATION}&scope=bot+applications.commands&permissions=" in run.out

    assert run.set_up() == 0
    assert run.marks() == [f"= {line[2:]}" for line in FIRST]
    assert "nothing was changed" in run.out


def test_one_setting_is_changed_by_one_more_run_and_stays(run: Run) -> None:
    run.set_up()
    assert run.set_up("--set", 'SessionNamePrefix=Ticket "x" ') == 0
    assert [line for line in run.marks() if line[0] != "="] == ["✓ stack"]
    assert run.set_up() == 0
    assert "nothing was changed" in run.out
    saved = SavedConfiguration(run.saved, "prod")
    assert saved.parameters["SessionNamePrefix"] == 'Ticket "x" '
    assert (saved.stack, saved.region) == ("onethread", "eu-central-1")


def test_any_changed_setting_has_new_versions_of_the_functions_published(run: Run) -> None:
    """SAM does not do so for parameters alone, and the alias would go on with the old value."""
    revisions = []
    for value in (APPLICATION, "", APPLICATION):
        run.set_up("--set", f"AllowedGuilds={value}")
        revisions.append(run.account.stacks["onethread"]["Revision"])
    assert revisions[0] == revisions[2] != revisions[1]
    assert SavedConfiguration(run.saved, "prod").parameters["Revision"] == revisions[2]


def test_two_environments_have_stacks_and_settings_of_their_own(run: Run) -> None:
    assert run.set_up("--env", "dev", "--set", "LogLevel=DEBUG", "--guild", GUILD) == 0
    assert run.set_up("--take-over") == 0
    assert {name: stack["Stage"] for name, stack in run.account.stacks.items()} == {
        "onethread-dev": "dev",
        "onethread": "production",
    }
    assert "LogLevel" not in run.account.stacks["onethread"]
    assert SavedConfiguration(run.saved, "dev").parameters["LogLevel"] == "DEBUG"


def test_a_dry_run_changes_nothing(run: Run) -> None:
    assert run.set_up("--dry-run") == 0
    assert {line[0] for line in run.marks()} == {"=", "~"}
    assert run.out.endswith("Dry run: nothing was changed.\n")
    assert (run.account.sam, run.account.parameters, run.saved.exists()) == ([], {}, False)
    assert run.application()["interactions_endpoint_url"] is None


def test_the_report_can_be_read_by_a_program(run: Run) -> None:
    assert run.set_up("--json") == 0
    report = json.loads(run.out)
    assert (report["ok"], [step["state"] for step in report["steps"]][2:]) == (True, ["changed"] * 6)
    run.account.status = "ROLLBACK_COMPLETE"
    assert run.set_up("--json") == 1
    assert "delete-stack" in json.loads(run.out)["steps"][-1]["cure"]
    assert run.set_up("--json", token="a b") == 1
    assert json.loads(run.out).keys() == {"ok", "error", "cure"}


def test_the_token_is_read_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{BOT_TOKEN}\n"))
    assert run.set_up(token="") == 0
    assert run.account.parameters[TOKEN_PARAMETER]["Value"] == BOT_TOKEN
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run.set_up(token="") == 1
    assert "Copy it from the developer portal" in run.err


def test_a_new_token_takes_the_place_of_the_old_one(run: Run) -> None:
    run.account.parameters[TOKEN_PARAMETER] = {"Type": "SecureString", "Value": "old", "Key": ""}
    assert run.set_up() == 0
    assert run.account.parameters[TOKEN_PARAMETER]["Value"] == BOT_TOKEN


def test_the_endpoint_may_take_a_while(run: Run) -> None:
    run.account.answers = [0, 403, 503]
    assert run.set_up() == 0
    assert not run.account.answers


def _token_refused(run: Run) -> None:
    run.discord.state.identity = type(run.discord.state.identity)(APPLICATION, "1001", "Bot another")


def _stack_of_another_application(run: Run) -> None:
    run.account.stacks["onethread"] = {"DiscordApplicationId": "999999999999999999"}


def _other_endpoint(run: Run) -> None:
    run.bot.send("PATCH", "/applications/@me", {"interactions_endpoint_url": "https://example.org/x"})


def _plain_token(run: Run) -> None:
    run.account.parameters[TOKEN_PARAMETER] = {"Type": "String", "Value": "old", "Key": ""}


def _bucket_taken(run: Run) -> None:
    run.account.sam_fails = "Error: log group /onethread/x already exists"


def _save(text: str) -> Callable[[Run], None]:
    def arrange(run: Run) -> None:
        run.saved.write_text(text)

    return arrange


def _unwritable(run: Run) -> None:
    """It can be read as a file that is not there, and not be written."""
    run.saved.symlink_to(run.saved.parent / "missing" / "samconfig.toml")


def _refuse(action: str, code: str, text: str = "") -> Callable[[Run], None]:
    return lambda run: run.account.refusals.update({action: (code, text)})


def _set(**values: Any) -> Callable[[Run], None]:
    def arrange(run: Run) -> None:
        for name, value in values.items():
            setattr(run.account, name, value)

    return arrange


def _in_state(status: str) -> Callable[[Run], None]:
    def arrange(run: Run) -> None:
        run.account.stacks["onethread"] = {}
        run.account.status = status

    return arrange


@pytest.mark.parametrize(
    ("arrange", "why", "cure"),
    [
        (_token_refused, "does not accept this bot token", "Reset it"),
        (_stack_of_another_application, "another application's", "--stack-name"),
        (_other_endpoint, "https://example.org/x", "--take-over"),
        (lambda run: run.discord.switch(endpoint_accepted=False), "could not be verified", "enter it by hand"),
        (
            _in_state("ROLLBACK_COMPLETE"),
            "first deployment failed",
            "delete-stack --stack-name onethread --region eu-central-1",
        ),
        (_in_state("UPDATE_ROLLBACK_FAILED"), "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        (
            _in_state("DELETE_FAILED"),
            "removal was not finished",
            "teardown --stack-name onethread --region eu-central-1",
        ),
        (_in_state("UPDATE_IN_PROGRESS"), "UPDATE_IN_PROGRESS", "Wait until"),
        (_set(concurrency=8), "8 functions at once", "WorkerConcurrency=2"),
        (_save("prod = ["), "samconfig.toml cannot be read", "move it away"),
        (_save("prod = 3"), "samconfig.toml cannot be read", "move it away"),
        (_unwritable, "its settings could not be kept", "writable"),
        (_bucket_taken, "is taken already", "another --stack-name"),
        (
            _set(sam_fails="Error: Stack:arn:x is in UPDATE_IN_PROGRESS state and can not be updated."),
            "Somebody else is deploying",
            "Wait until",
        ),
        (_set(sam_fails="Error: no bucket"), "sam deploy failed.\n    Error: no bucket", "Correct what it says"),
        (_set(build_fails="Error: no pip"), "sam build failed.\n    Error: no pip", "Correct what it says"),
        (_set(answers=[500] * 200), "but: status 500", "webhook's log"),
        (_plain_token, "is not encrypted", "delete-parameter"),
        (
            _refuse("PutParameter", "AccessDeniedException", "not authorized for kms:Encrypt"),
            "KMS refused",
            "kms:Decrypt",
        ),
        (_refuse("PutParameter", "AccessDeniedException"), "does not allow you ssm:PutParameter", "permission"),
        (_refuse("GetCallerIdentity", "ExpiredToken"), "have expired", "aws sso login"),
        (_refuse("GetCallerIdentity", "InvalidClientTokenId"), "does not know", "correct the profile"),
        (_refuse("GetAccountSettings", "AccessDeniedException"), "lambda:GetAccountSettings", "permission"),
    ],
)
def test_each_failure_names_its_cure(run: Run, arrange: Callable[[Run], None], why: str, cure: str) -> None:
    arrange(run)
    text, what_to_do = run.failure()
    assert why in text
    assert cure in what_to_do


def test_without_a_region_it_says_how_to_choose_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert "--region" in run.failure(session=run.account.session(region=None))[1]


def test_without_credentials_it_says_how_to_get_some(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    why, cure = run.failure(session=Session(region_name="eu-central-1"))
    assert "no AWS credentials" in why
    assert "aws configure" in cure


def test_a_failed_deployment_tells_the_first_resource_that_failed(run: Run) -> None:
    run.set_up()
    run.account.sam_fails = "Error: Failed to create/update the stack"
    run.account.events = [
        ("WorkerFunction", "CREATE_FAILED", "Resource creation cancelled"),
        ("SessionsTable", "CREATE_FAILED", "Table limit exceeded"),
    ]
    assert "SessionsTable: Table limit exceeded" in run.failure()[0]


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("Colour=red", "no parameter Colour"),
        ("OpenPolicy=nobody", "must be one of permitted, everyone"),
        ("ReconcileMinutes=0", "from 1 to 480"),
        ("AllowedGuilds=my server", "must be ids"),
    ],
)
def test_a_setting_that_the_template_refuses_is_refused_at_once(run: Run, setting: str, why: str) -> None:
    assert why in run.failure("--set", setting)[0]
    assert not run.account.sam


@pytest.mark.parametrize("setting", ["WebhookReserved=1", "ProvisionedWebhooks=1"])
def test_places_that_aws_would_not_reserve_are_refused_at_once(run: Run, setting: str) -> None:
    run.account.concurrency = 100
    why, cure = run.failure("--set", setting)
    assert "it would refuse 1" in why
    assert "to 0" in cure
    run.account.concurrency = 101
    assert run.set_up("--set", setting) == 0


@pytest.mark.parametrize("setting", ["OpenPolicy", "=x", "1x=2"])
def test_a_malformed_setting_is_refused_by_the_command_line(run: Run, setting: str) -> None:
    with pytest.raises(SystemExit) as left:
        run.set_up("--set", setting)
    assert left.value.code == 2


def test_a_run_that_was_stopped_after_the_token_goes_on_where_it_was(run: Run) -> None:
    run.account.sam_fails = "Error: no network"
    run.failure()
    run.account.sam_fails = None
    assert run.set_up() == 0
    assert run.marks() == ["= application", "= account", "= token", *FIRST[3:]]


def test_the_token_goes_where_a_deployment_by_sam_alone_expects_it(run: Run) -> None:
    """Its samconfig.toml says that the parameter is empty, which means the template's own default."""
    empty = '[prod.deploy.parameters]\nstack_name = "mine"\nparameter_overrides = "DiscordBotTokenParameter=\\"\\""\n'
    run.saved.write_text(empty)
    assert run.set_up() == 0, run.out
    assert list(run.account.parameters) == ["/onethread/mine/discord-bot-token"]


def test_another_key_encrypts_the_same_token_anew(run: Run) -> None:
    """The functions may use the new key only."""
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    run.set_up()
    for value in (key, ""):
        assert run.set_up("--set", f"DiscordBotTokenKeyArn={value}") == 0
        assert run.account.parameters[TOKEN_PARAMETER]["Key"] == value
        assert "with another key" in run.out


def test_on_another_machine_the_settings_of_the_stack_hold(run: Run) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    run.account.concurrency = 1000
    run.set_up("--set", f"DiscordBotTokenKeyArn={key}", "--set", "WorkerConcurrency=500")
    before = run.account.stacks["onethread"]
    run.saved.unlink()
    run.account.concurrency = 100
    assert "these settings need 506" in run.failure()[0]
    run.account.concurrency = 1000
    assert run.set_up() == 0
    assert run.account.parameters[TOKEN_PARAMETER]["Key"] == key
    assert "= token" in run.marks()
    assert run.account.stacks["onethread"].items() >= {k: v for k, v in before.items() if k != "Revision"}.items()


def test_ctrl_c_and_ctrl_d_end_it_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(error: type[BaseException]) -> Callable[..., Any]:
        def pressed(*_: object) -> None:
            raise error

        return pressed

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", press(EOFError))
    assert run.set_up(token="") == 1
    assert "There is no bot token" in run.err
    monkeypatch.setattr("getpass.getpass", press(KeyboardInterrupt))
    assert run.set_up(token="") == 130
    assert run.err == "\nStopped. What is done stays done: run it again to go on.\n"


@pytest.mark.parametrize(
    "error", [SSOTokenLoadError(error_msg="x"), TokenRetrievalError(provider="sso", error_msg="x")]
)
def test_a_sign_in_that_has_expired_is_named(error: Exception) -> None:
    with pytest.raises(OperatorError, match="have expired") as stopped, explained("sts", "GetCallerIdentity"):
        raise error
    assert "aws sso login" in stopped.value.cure
