"""Which root certificates AWS's endpoints are trusted by, over real TLS with a made-up authority."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import botocore
import pytest
import trustme

from handler.aws.clients import CallFailed, build_client
from handler.aws.parameter_store import BotTokenParameter
from handler.aws.session import open_session
from infra.artifact.aws_data import amazon_roots
from infra.local.aws import EmulatedAws
from infra.loopback import Loopback
from infra.table.memory_table import MemoryTable
from tests.kit.secrets import BOT_TOKEN, MARK, made_up

BUNDLE = Path(botocore.__file__).with_name("cacert.pem")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def aws(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    served = Loopback(EmulatedAws(MemoryTable("sessions"), {"/token": BOT_TOKEN}).answer, authority=authority)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", served.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", MARK)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made_up("key"))
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):  # botocore knows both
        monkeypatch.delenv(name, raising=False)
    yield served
    served.close()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files of certificates that connections have parsed."""
    parsed: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def note(context: ssl.SSLContext, cafile: Any = None, *more: Any, **named: Any) -> None:
        parsed.append(Path(cafile).name)
        load(context, cafile, *more, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", note)
    return parsed


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Path:
    """amazon.pem: Amazon's roots; made.pem: these and the made-up one; whole.pem: botocore's bundle and the made-up one."""
    roots = amazon_roots(BUNDLE)
    assert roots is not None
    made = authority.cert_pem.bytes().decode()
    (tmp_path / "amazon.pem").write_text(roots)
    (tmp_path / "made.pem").write_text(roots + made)
    (tmp_path / "whole.pem").write_text(BUNDLE.read_text() + made)
    return tmp_path


def read_token(roots: Path, times: int = 1) -> str:
    client = build_client(open_session(roots), "ssm", read_timeout=5.0, connect_timeout=5.0)
    with closing(BotTokenParameter(client, "/token")) as parameter:
        for _ in range(times):
            token = asyncio.run(parameter.read())
    return token.reveal()


@pytest.mark.usefixtures("aws")
def test_a_connection_parses_the_small_file_only(files: Path, loaded: list[str]) -> None:
    assert read_token(files / "made.pem", times=2) == BOT_TOKEN
    assert loaded == ["made.pem"], "once for the connection, which is kept"


@pytest.mark.usefixtures("aws")
def test_a_certificate_of_another_root_widens_the_trust_to_the_whole_bundle(
    files: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("botocore.httpsession.where", lambda: str(files / "whole.pem"))
    assert read_token(files / "amazon.pem", times=3) == BOT_TOKEN
    assert loaded == ["amazon.pem", "whole.pem"]
    assert capsys.readouterr().out.count("none of Amazon's roots") == 1


@pytest.mark.usefixtures("aws")
def test_a_certificate_that_nobody_vouches_for_is_refused(files: Path, loaded: list[str]) -> None:
    client = build_client(open_session(files / "amazon.pem"), "ssm", read_timeout=5.0)
    with (
        closing(BotTokenParameter(client, "/token")) as parameter,
        pytest.raises(CallFailed, match="CERTIFICATE_VERIFY"),
    ):
        asyncio.run(parameter.call("get_parameter", Name="/token"))
    assert loaded == ["amazon.pem", "cacert.pem", "cacert.pem"], "a call is made twice"


@pytest.mark.usefixtures("aws")
def test_the_operators_own_bundle_comes_first(files: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(files / "whole.pem"))
    assert read_token(files / "amazon.pem") == BOT_TOKEN
    assert loaded == ["whole.pem"]


@pytest.mark.usefixtures("aws")
def test_without_the_file_botocores_own_bundle_is_used(
    files: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.httpsession.where", lambda: str(files / "whole.pem"))
    assert read_token(files / "absent.pem") == BOT_TOKEN
    assert loaded == ["whole.pem"]


def test_a_refused_connection_widens_nothing(aws: Loopback, files: Path, loaded: list[str]) -> None:
    aws.close()
    client = build_client(open_session(files / "amazon.pem"), "ssm", read_timeout=5.0)
    with closing(BotTokenParameter(client, "/token")) as parameter, pytest.raises(CallFailed):
        asyncio.run(parameter.call("get_parameter", Name="/token"))
    assert not loaded
