"""Requests of programs: JSON objects read as structs, with every field at fault named at once. Pure."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args

import msgspec

from handler.errors import InvalidRequest

MAX_NAME_SHOWN: Final = 50  # characters of an unknown field's name in the message: enough to recognise it

# A text can be encoded, unlike the halves of characters that JSON's escapes allow.
CHARACTERS: Final = r"^[^\ud800-\udfff]*\Z"

S = TypeVar("S", bound=msgspec.Struct)


def text_field(most: int, *, least: int = 0) -> msgspec.Meta:
    """What is said of a field that holds a text of so many characters."""
    length = f"{least} to {most}" if least else f"at most {most}"
    description = f"a string of {length} characters"
    return msgspec.Meta(min_length=least or None, max_length=most, pattern=CHARACTERS, description=description)


def read_request(event: Any, kind: type[S]) -> S:
    """The request in an event. null in an optional field counts as absent. Raises InvalidRequest, naming all faults.

    The type of each field is a struct, or Annotated with a Meta (or one of these or None). The Meta's `description` says
    what the value must be; a `check` in its `extra`, a function that returns whether a value is valid, goes beyond what
    msgspec checks. A list of structs is Annotated, too. If each field is valid, `faults` of the struct, if it has that
    method, says what is wrong with the whole.
    """
    if not isinstance(event, dict):
        raise InvalidRequest("not an object", message="The request must be a JSON object.")
    name = kind.__struct_config__.tag_field
    faults: list[str] = []
    request = _read_struct({key: value for key, value in event.items() if key != name}, kind, "", faults)
    if faults or request is None:
        raise invalid(faults)
    return request


def invalid(faults: list[str]) -> InvalidRequest:
    """The error for a request with these faults."""
    text = "; ".join(faults)
    return InvalidRequest(text, message=f"The request is malformed: {text}.")


def _read_struct(given: Mapping[str, Any], kind: type[S], path: str, faults: list[str]) -> S | None:
    fields = msgspec.structs.fields(kind)
    names = {field.name for field in fields}
    found = [f"unknown field {path + str(name)[:MAX_NAME_SHOWN]!r}" for name in given if name not in names]
    values = {}
    for field in fields:
        value, where = given.get(field.name), path + field.name
        if field.required and field.name not in given:
            found.append(f"{where!r} is missing")
        elif field.required or value is not None:
            values[field.name] = _read_value(value, field.type, where, found)
    if found:
        faults += found
        return None
    struct = kind(**values)
    faults += [f"{path}{fault}" for fault in getattr(struct, "faults", list)()]
    return struct


def _read_value(value: Any, kind: Any, path: str, faults: list[str]) -> Any:
    """The value of a field, read as its type says; its faults are added."""
    kind = next((part for part in get_args(kind) if _is_struct(part) or hasattr(part, "__metadata__")), kind)
    if _is_struct(kind):
        if isinstance(value, dict):
            return _read_struct(value, kind, f"{path}.", faults)
        faults.append(f"{path!r} must be an object")
        return None
    meta = kind.__metadata__[0]
    entry = next(filter(_is_struct, get_args(kind.__origin__)), None)
    if entry is None:
        return _convert(value, kind, meta, path, faults)
    if not isinstance(value, list) or not meta.min_length <= len(value) <= meta.max_length:
        faults.append(f"{path!r} must be {meta.description}")
        return None
    return tuple(_read_value(part, entry, f"{path}[{n}]", faults) for n, part in enumerate(value))


def _convert(value: Any, kind: Any, meta: msgspec.Meta, path: str, faults: list[str]) -> Any:
    try:
        converted = msgspec.convert(value, kind)
        if converted is not None and (not meta.extra or meta.extra["check"](converted)):
            return converted
    except (msgspec.ValidationError, UnicodeEncodeError):  # half of a character cannot even be compared
        pass
    faults.append(f"{path!r} must be {meta.description}")
    return None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
