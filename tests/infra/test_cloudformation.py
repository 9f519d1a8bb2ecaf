"""Reading a template as plain values."""

from pathlib import Path

import pytest
import yaml

from infra.cloudformation import read


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref Table", {"Ref": "Table"}),
        ("!GetAtt Table.Arn", {"Fn::GetAtt": ["Table", "Arn"]}),
        ("!Sub '${Table}-x'", {"Fn::Sub": "${Table}-x"}),
        ("!If [Here, !Ref A, 1]", {"Fn::If": ["Here", {"Ref": "A"}, 1]}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
    ],
)
def test_short_forms_are_written_out(tmp_path: Path, short: str, long: object) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(f"Value: {short}\n")
    assert read(path) == {"Value": long}


def test_a_form_that_is_not_used_here_is_refused_instead_of_guessed(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Value: !Transform {Name: x}\n")
    with pytest.raises(yaml.YAMLError, match="!Transform"):
        read(path)


def test_what_one_reader_changes_no_other_sees() -> None:
    read()["Resources"].clear()
    assert read()["Resources"]
