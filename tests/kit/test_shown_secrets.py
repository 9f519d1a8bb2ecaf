"""The watch over secrets finds what it watches for: each way out is tried with a planted secret, in a run of its own."""

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.kit.secrets import MARK, made_up

ROOT: Final = Path(__file__).resolve().parents[2]

# Each test passes, and says too much.
PLANTED: Final = f"""
    import logging, subprocess, sys
    import pytest
    from handler.runtime import telemetry
    from handler.errors import DiscordUnavailable, InvalidRequest
    from handler.runtime.secrets import Secret

    SECRET = {made_up("planted")!r}

    def test_a_line_of_a_library_at_debug():
        logging.getLogger("httpcore.connection").debug("asking %s", SECRET)

    def test_an_exception_that_is_logged():
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("foreign").exception("went wrong")

    def test_a_line_of_ours():
        telemetry.logger.info("asked", extra={{"detail": [SECRET]}})

    def test_what_is_printed():
        print("so", SECRET)

    def test_what_is_printed_and_read(capsys):
        print(SECRET, file=sys.stderr)
        assert capsys.readouterr().err

    def test_an_errors_technical_text():
        with pytest.raises(DiscordUnavailable):
            raise DiscordUnavailable(f"no answer from /webhooks/1/{{SECRET}}")

    def test_an_errors_text_for_people():
        with pytest.raises(InvalidRequest):
            raise InvalidRequest(message=SECRET)

    def test_what_another_process_prints():
        subprocess.run([sys.executable, "-c", f"print('{{SECRET}}')"], capture_output=True, check=True)
"""
HARMLESS: Final = """
    def test_a_redacted_line():
        telemetry.redact(SECRET)
        telemetry.logger.info("asked %s", SECRET)

    def test_a_secret_that_is_kept():
        logging.getLogger("foreign").warning("asking as %s", Secret(SECRET))

    @pytest.mark.shows_made_up_secrets
    def test_a_program_that_shows_one_on_purpose():
        print(SECRET)
"""


@pytest.mark.shows_made_up_secrets
def test_a_planted_secret_is_found_wherever_it_gets_out(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(PLANTED + HARMLESS)
    ran = pytester.runpytest_subprocess("-p", "tests.kit.shown_secrets", "-p", "no:cacheprovider")
    planted, harmless = PLANTED.count("def test_"), HARMLESS.count("def test_")
    ran.assert_outcomes(passed=planted + harmless, errors=planted)


def test_every_secret_that_a_test_makes_up_bears_the_mark() -> None:
    unmarked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Secret"
        for value in node.args
        if isinstance(value, ast.Constant) and MARK not in str(value.value)
    ]
    assert not unmarked, "make these up with tests.kit.secrets.made_up"
