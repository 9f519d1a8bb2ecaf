"""Attribute values: read and written as boto3 does it, for all that the Store holds."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.aws.attribute_values import from_attribute, to_attribute

SCALARS: Any = st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text()
VALUES: Any = st.recursive(SCALARS, lambda of: st.lists(of) | st.dictionaries(st.text(), of), max_leaves=8)


@settings(max_examples=50)
@given(VALUES)
def test_values_are_written_as_boto3_writes_them_and_read_back(value: Any) -> None:
    written: Any = to_attribute(value)
    assert written == TypeSerializer().serialize(value)
    assert from_attribute(written) == value == TypeDeserializer().deserialize(written)


@pytest.mark.parametrize("digits", ["1", "1E+3", "-0", "1.50", "123456789012345678901234567890.5"])
def test_a_number_is_an_int_if_it_is_whole(digits: str) -> None:
    number = from_attribute({"N": digits})
    assert number == Decimal(digits)
    assert isinstance(number, int) == (Decimal(digits) == Decimal(digits).to_integral_value())


@pytest.mark.parametrize("value", [1.5, b"x", {"a", "b"}, ("a",), Decimal(1), [0.5]])
def test_a_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="DynamoDB is given no"):
        to_attribute(value)


@pytest.mark.parametrize("attribute", [{"SS": ["a", "b"]}, {"B": b"x"}, {"NS": ["1"]}])
def test_somebody_elses_attribute_does_not_stop_a_read(attribute: dict[str, Any]) -> None:
    assert from_attribute(attribute) == next(iter(attribute.values()))
