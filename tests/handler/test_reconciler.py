"""The reconciler's entrance, before there is a reconciler."""

from types import SimpleNamespace
from typing import Any

import pytest

from handler import bootstrap, reconciler
from handler.errors import ConfigurationError
from tests.kit.deployment import Deployment

CONTEXT = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)


@pytest.mark.parametrize("event", [{}, {"Records": []}])
def test_it_says_that_it_is_not_built_and_returns(event: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with Deployment() as deployment:
        for name, value in {**deployment.environ(), "RECONCILE_QUEUE_URL": "https://sqs.example/q"}.items():
            monkeypatch.setenv(name, value)
        assert reconciler.lambda_handler(event, CONTEXT) == {"status": "not_built"}
        bootstrap.close_all()
    assert "not built yet" in capsys.readouterr().out


def test_it_knows_its_environment_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILE_QUEUE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="RECONCILE_QUEUE_URL"):
        reconciler.lambda_handler({}, CONTEXT)
