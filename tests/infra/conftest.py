from pathlib import Path

import pytest

from tests.infra.deployment.operated import Operated


@pytest.fixture
def operated(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operated:
    return Operated(tmp_path, capsys, monkeypatch)
