"""DynamoDB's attribute values: ``{"S": …}`` on the wire, plain Python here.

    str   S      int   N      bool  BOOL      None  NULL      list  L      dict  M

Nothing else is written. A number that is not whole is read as a Decimal; a value of another type as the wire has it,
because somebody else's attribute in an item must not stop a read.
"""

from decimal import Decimal
from typing import Any

WireValue = dict[str, Any]


def to_attribute(value: Any) -> WireValue:
    """The value as the wire has it. Raises TypeError for a type that is not written, such as a float."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):  # before int, which it is, too
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, list):
        return {"L": [to_attribute(element) for element in value]}
    if isinstance(value, dict):
        return {"M": {name: to_attribute(element) for name, element in value.items()}}
    raise TypeError(f"DynamoDB is given no {type(value).__name__}")


def from_attribute(value: WireValue) -> Any:
    """The plain value."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            number = Decimal(content)
            return int(number) if number == number.to_integral_value() else number
        case "NULL":
            return None
        case "L":
            return [from_attribute(element) for element in content]
        case "M":
            return {name: from_attribute(element) for name, element in content.items()}
    return content
