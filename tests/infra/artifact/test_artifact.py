"""What is shipped is complete, small, and fit for Lambda's processor and Python.

Lambda's native modules do not load on this machine. So the same recipe is used twice: by ``sam build`` for Lambda, looked
at file by file, and for this machine, imported in an empty environment with nothing else on the path.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest

from infra.artifact.aws_data import OPERATIONS
from infra.artifact.build import LAMBDA_PLATFORM, build, compile_bytecode, find_runtime
from tests.kit.sam_template import ROOT, template

SAM: Final = Path(sys.executable).with_name("sam")
MAX_BYTES: Final = 32 * 2**20  # a third more than it is: Lambda fetches and unpacks it on each cold start
MACHINE: Final = slice(18, 20)  # of an ELF header, e_machine
AARCH64: Final = (183).to_bytes(2, "little")
BYTECODE_FLAGS: Final = slice(4, 8)  # of a .pyc's header (PEP 552)
UNCHECKED_HASH: Final = (1).to_bytes(4, "little")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def for_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``sam build`` makes of the template's first function."""
    if not SAM.exists():
        pytest.skip("aws-sam-cli is not installed in this environment")
    folder = tmp_path_factory.mktemp("lambda")
    environment = {**without_make(), "SAM_CLI_TELEMETRY": "0", "PYTHON": sys.executable}
    built = folder / "built"
    command = [str(SAM), "build", "WebhookFunction", f"--build-dir={built}", f"--template={ROOT / 'template.yaml'}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return built / "WebhookFunction"


@pytest.fixture(scope="module")
def for_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same recipe, for this machine and this Python. What is imported from it is compiled then."""
    folder = tmp_path_factory.mktemp("host")
    with patch("infra.artifact.build.compile_bytecode"):
        build(folder, platform=())
    return folder


def without_make() -> dict[str, str]:
    """This environment, as if no make had started the tests: its own settings would reach the make that is tried."""
    return {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON")
    }


def alone(artifact: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` with no environment, and nothing but the standard library and the artifact on the path."""
    prepared = f"import sys; sys.path.insert(0, {str(artifact)!r})\n{code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", prepared], env={}, cwd="/", capture_output=True, text=True
    )


def handlers() -> Iterator[str]:
    for resource in template()["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            yield resource["Properties"]["Handler"]


@pytest.mark.parametrize("handler", list(handlers()))
def test_each_handler_imports_from_the_artifact_alone(for_host: Path, handler: str) -> None:
    module, function = handler.rsplit(".", 1)
    done = alone(for_host, f"from {module} import {function}; assert callable({function})")
    assert done.returncode == 0, done.stderr


def test_the_artifact_brings_all_that_it_imports(for_host: Path) -> None:
    names = [
        path.relative_to(for_host).with_suffix("").as_posix().replace("/", ".")
        for path in (for_host / "handler").rglob("*.py")
    ]
    imports = "\n".join(f"import {name.removesuffix('.__init__')}" for name in names)
    done = alone(
        for_host, f"{imports}\nimport botocore, httpx, nacl\nprint(botocore.__file__, httpx.__file__, nacl.__file__)"
    )
    assert done.returncode == 0, done.stderr
    assert all(path.startswith(str(for_host)) for path in done.stdout.split())


def test_a_client_can_be_built_for_each_service_that_is_kept_and_for_no_other(for_host: Path) -> None:
    build_client = "import botocore.session; botocore.session.Session().create_client({!r}, region_name='us-east-1')"
    done = alone(for_host, "\n".join(map(build_client.format, sorted(OPERATIONS))))
    assert done.returncode == 0, done.stderr
    assert "UnknownServiceError" in alone(for_host, build_client.format("s3")).stderr


def test_the_artifact_for_lambda_holds_what_the_recipe_makes_and_nothing_of_the_tree_beside_handler(
    for_lambda: Path,
) -> None:
    assert (for_lambda / "handler" / "config.py").read_bytes() == (ROOT / "handler" / "config.py").read_bytes()
    assert not {"tests", "infra", "docs", "template.yaml", "Makefile", "bin"} & {
        path.name for path in for_lambda.iterdir()
    }
    assert not {"boto3", "s3transfer"} & {path.name for path in for_lambda.iterdir()}
    assert (for_lambda / "handler" / "aws" / "amazon_roots.pem").read_text().count("BEGIN CERTIFICATE") == 5
    assert {path.name for path in (for_lambda / "botocore" / "data").iterdir() if path.is_dir()} == {*OPERATIONS}
    assert sum(path.stat().st_size for path in for_lambda.rglob("*") if path.is_file()) < MAX_BYTES


def test_native_modules_are_for_lambdas_processor(for_lambda: Path) -> None:
    native = list(for_lambda.rglob("*.so"))
    assert {path.name.split(".")[0] for path in native} >= {"_sodium", "_core", "_cffi_backend"}
    assert {path.read_bytes()[MACHINE] for path in native} == {AARCH64}


def test_everything_is_compiled_for_lambdas_python_and_never_checked_against_times(for_lambda: Path) -> None:
    if find_runtime() is None:
        pytest.skip("no python3.13 on this machine: the artifact is built without bytecode, and says so")
    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in for_lambda.rglob("*.cpython-313.pyc")}
    assert compiled == set(for_lambda.rglob("*.py"))
    assert {path.read_bytes()[BYTECODE_FLAGS] for path in for_lambda.rglob("*.pyc")} == {UNCHECKED_HASH}


def test_lambdas_python_is_found_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's emulator starts it without our PATH."""
    monkeypatch.setattr("infra.artifact.build.runtime_candidates", lambda: ["nothing", "python"])
    monkeypatch.setattr("infra.artifact.build.RUNTIME", sys.version_info[:2])
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    found = find_runtime()
    assert found is not None
    assert Path(found).is_absolute()


def test_bytecode_lies_beside_its_source_wherever_the_builder_keeps_his_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "elsewhere"))
    source = tmp_path / "artifact" / "module.py"
    source.parent.mkdir()
    source.touch()
    compile_bytecode(source.parent, sys.executable)
    assert [path.parent for path in tmp_path.rglob("*.pyc")] == [source.parent / "__pycache__"]


def test_all_four_functions_share_one_recipe() -> None:
    dry_run = ["make", "--dry-run", "--no-print-directory", "ARTIFACTS_DIR=/there", "PYTHON=python"]
    recipes = set()
    for name, resource in template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            said = subprocess.run(
                [*dry_run, f"build-{name}"], cwd=ROOT, env=without_make(), capture_output=True, text=True
            )
            recipes.add(said.stdout)
    assert recipes == {"'python' -m infra.artifact '/there'\n"}


def test_without_lambdas_python_the_recipe_says_what_that_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.artifact.build.install", lambda into, platform: None)
    monkeypatch.setattr("infra.artifact.aws_data.prune", lambda data: None)
    monkeypatch.setattr("infra.artifact.aws_data.amazon_roots", lambda bundle: None)
    monkeypatch.setattr("infra.artifact.build.find_runtime", lambda: None)
    build(tmp_path / "artifact", LAMBDA_PLATFORM)
    said = capsys.readouterr().err
    assert "no python3.13 here" in said
    assert "lacks a root of Amazon's" in said
    assert not list(tmp_path.rglob("*.pyc"))
