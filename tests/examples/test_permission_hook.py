"""The permission hook: a tool runs only if somebody allowed it."""

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from examples import permission_hook
from infra.local.functions import Result
from tests.examples.acts import answer_by_text, nothing, press
from tests.handler.questions.acts import PERSON, cards
from tests.kit.lambda_endpoint import Act, LambdaEndpoint
from tests.kit.sam_template import ROOT

CALL: Final[dict[str, Any]] = json.loads((ROOT / "examples" / "tool_call.json").read_text())
REFUSED: Final = Result({"error": {"kind": "missing_access", "message": "…", "retryable": False}})
Hook = Callable[..., tuple[str, str]]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hook:
    """Run the hook as Claude Code does: the decision, and its reason."""

    def run(text: str | None = None, **change: Any) -> tuple[str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({**CALL, **change}) if text is None else text))
        permission_hook.main()
        output = json.loads(capsys.readouterr().out.splitlines()[-1])["hookSpecificOutput"]
        assert set(output) == {"hookEventName", "permissionDecision", "permissionDecisionReason"}
        assert output["hookEventName"] == "PreToolUse"
        return output["permissionDecision"], output["permissionDecisionReason"]

    return run


@pytest.mark.parametrize(
    ("acts", "decision", "reason"),
    [
        ([nothing, partial(press, label="Allow")], "allow", f"Allowed by user {PERSON}"),
        ([partial(press, label="Deny")], "deny", f"Denied by user {PERSON}"),
        ([answer_by_text], "deny", f"user {PERSON} in Discord says: a flaky test"),
        ([nothing] * 20, "ask", "Nobody in Discord decided: the question is expired"),
    ],
)
def test_what_somebody_presses_or_writes_is_the_decision(
    endpoint: LambdaEndpoint, hook: Hook, acts: list[Act], decision: str, reason: str
) -> None:
    endpoint.before_await = acts
    decided, why = hook()
    assert decided == decision
    assert reason in why


def test_run_again_for_the_same_call_it_finds_the_same_question(endpoint: LambdaEndpoint, hook: Hook) -> None:
    endpoint.faults = [None, REFUSED]
    assert hook()[0] == "ask"
    endpoint.run(press(endpoint.deployment, "Allow"))
    assert hook()[0] == "allow"
    assert len(cards(endpoint.deployment)) == 1
    endpoint.before_await = [partial(press, label="Deny")]
    assert hook(tool_use_id="another")[0] == "deny"


@pytest.mark.parametrize("fallback", ["ask", "deny"])
def test_whatever_fails_nothing_is_allowed(
    endpoint: LambdaEndpoint, hook: Hook, monkeypatch: pytest.MonkeyPatch, fallback: str
) -> None:
    monkeypatch.setenv("ONETHREAD_FALLBACK", fallback)
    endpoint.faults = [REFUSED]
    assert [hook()[0], hook("no JSON")[0], hook("{}")[0], hook(cwd=None)[0]] == [fallback] * 4
    monkeypatch.delenv("ONETHREAD_FUNCTION")
    assert hook() == (fallback, "Nobody in Discord was asked: KeyError('ONETHREAD_FUNCTION')")


def test_only_the_role_may_answer_if_there_is_one(
    endpoint: LambdaEndpoint, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONETHREAD_ROLE", "77")
    endpoint.before_await = [partial(press, label="Allow"), *[nothing] * 20]
    assert hook()[0] == "ask"
    assert endpoint.events[0]["answerers"] == {"role_ids": ["77"]}


def test_people_read_the_whole_input_or_that_it_is_cut() -> None:
    shown = permission_hook.describe({**CALL, "tool_input": {"command": "echo ```\n@everyone"}})
    assert shown == "Claude wants to use **Bash**:\n```\necho '''\n@everyone\n```"
    written = permission_hook.describe({**CALL, "tool_name": "Write", "tool_input": {"content": "x" * 5000}})
    assert written.endswith("```\n⚠️ 3518 more characters are not shown.")
    assert len(written) < 1800
    emoji = permission_hook.describe({**CALL, "tool_input": {"command": "🧵" * 5000}})
    assert emoji.endswith("🧵\n```\n⚠️ 4250 more characters are not shown.")  # Discord counts each as two
    assert len(emoji.encode("utf-16-le")) // 2 < 1800
