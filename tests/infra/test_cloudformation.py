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


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Value: !Transform {Name: x}\n")
    with pytest.raises(yaml.YAMLError, match="!Transform"):
        read(path)


def test_a_readers_changes_are_its_own() -> None:
    read()["Resources"].clear()
    assert read()["Resources"]
