"""A run without Discord's OpenAPI description says what it did not check."""

import pytest

TESTS = """
    import pytest
    from tests.kit import openapi

    @pytest.mark.parametrize("number", range(3))
    def test_a_check(number, monkeypatch, tmp_path):
        monkeypatch.setattr(openapi, "ROOT", tmp_path / "project")
        openapi.description.__wrapped__()

    def test_another():
        pytest.skip("for another reason")
"""


@pytest.mark.parametrize("chosen", ["", "another"], ids=["with checks", "without"])
def test_one_line_says_how_many_checks_were_skipped_and_how_to_have_them_run(
    pytester: pytest.Pytester, chosen: str
) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-q", "-p", "tests.kit.openapi", "-k", chosen)
    said = [line for line in result.outlines if "OpenAPI" in line]
    assert said == (
        []
        if chosen
        else [
            "3 tests were skipped: Discord's OpenAPI description is not at ../shared/discord/openapi.json. "
            "Put it there from https://github.com/discord/discord-api-spec/blob/main/specs/openapi.json"
        ]
    )
