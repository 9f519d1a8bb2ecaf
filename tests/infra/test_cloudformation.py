"""Reading a template as plain values, and evaluating it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cloudformation import Intrinsics, Unknown, read

CONDITIONS = {
    "Empty": {"Fn::Equals": [{"Ref": "Name"}, ""]},
    "Named": {"Fn::Not": [{"Condition": "Empty"}]},
    "Few": {"Fn::And": [{"Condition": "Named"}, {"Fn::Equals": [{"Ref": "Count"}, 3]}]},
    "Either": {"Fn::Or": [{"Condition": "Empty"}, {"Condition": "Few"}]},
}
VALUES = {"Name": "onethread", "Count": "3", "AWS::Region": "eu-central-1", "Queue.Arn": "arn:queue"}


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


def evaluate(value: Any, **values: str) -> Any:
    return Intrinsics({"Conditions": CONDITIONS}, {**VALUES, **values}).evaluate(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [{"Ref": "Name"}, 1, None]}, {"a": ["onethread", 1, None]}),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::Sub": "${Name}/${AWS::Region}/${Queue.Arn}/${!Name}"}, "onethread/eu-central-1/arn:queue/${Name}"),
        ({"Fn::Sub": ["${Name}/${Own}", {"Own": {"Ref": "Count"}}]}, "onethread/3"),
        ({"Fn::Join": ["-", [{"Ref": "Name"}, 7]]}, "onethread-7"),
        ({"a": {"Fn::If": ["Empty", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ([{"Fn::If": ["Empty", {"Ref": "Nothing"}, 2]}, {"Ref": "AWS::NoValue"}], [2]),
        ({"Condition": {"StringEquals": {"a": {"Ref": "Name"}}}}, {"Condition": {"StringEquals": {"a": "onethread"}}}),
    ],
)
def test_a_function_has_its_value_and_what_has_none_is_left_out(value: Any, expected: Any) -> None:
    assert evaluate(value) == expected


def test_conditions_build_upon_each_other_and_compare_texts() -> None:
    def holding(**values: str) -> set[str]:
        intrinsics = Intrinsics({"Conditions": CONDITIONS}, {**VALUES, **values})
        return {name for name in CONDITIONS if intrinsics.holds(name)}

    assert holding() == {"Named", "Few", "Either"}
    assert holding(Count="4") == {"Named"}
    assert holding(Name="") == {"Empty", "Either"}


@pytest.mark.parametrize(
    "value", [{"Ref": "Nothing"}, {"Fn::Cidr": []}, {"Fn::If": ["Nothing", 1, 2]}, {"Fn::Sub": "${X}"}]
)
def test_what_is_unknown_is_a_fault(value: Any) -> None:
    with pytest.raises(Unknown):
        evaluate(value)
