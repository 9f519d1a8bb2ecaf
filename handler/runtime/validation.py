"""Requests of programs: JSON objects read as structs, with every field at fault named at once. Pure."""

from typing import Any, Final, TypeVar, get_args

import msgspec

from handler.errors import InvalidRequest

MAX_NAME_SHOWN: Final = 50  # characters of an unknown field's name in the message: enough to recognise it

S = TypeVar("S", bound=msgspec.Struct)


def read_request(event: Any, kind: type[S]) -> S:
    """The request in an event. null in an optional field counts as absent. Raises InvalidRequest, naming all faults.

    The type of each field is Annotated with a Meta (or that or None). Its `description` says what the value must be; a
    `check` in its `extra`, a function that returns whether a value is valid, goes beyond what msgspec checks.
    """
    if not isinstance(event, dict):
        raise InvalidRequest("not an object", message="The request must be a JSON object.")
    fields = msgspec.structs.fields(kind)
    names = {field.name for field in fields}
    faults = [f"unknown field {str(name)[:MAX_NAME_SHOWN]!r}" for name in event if name not in names]
    values = {}
    for field in fields:
        value = event.get(field.name)
        if field.required and field.name not in event:
            faults.append(f"{field.name!r} is missing")
        elif field.required or value is not None:
            try:
                values[field.name] = _convert(value, field.type)
            except msgspec.ValidationError as error:
                faults.append(f"{field.name!r} must be {error}")
    if faults:
        text = "; ".join(faults)
        raise InvalidRequest(text, message=f"The request is malformed: {text}.")
    return kind(**values)


def _convert(value: Any, kind: Any) -> Any:
    """Raises ValidationError, saying what the value must be."""
    meta = next(part.__metadata__[0] for part in (kind, *get_args(kind)) if hasattr(part, "__metadata__"))
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise msgspec.ValidationError(meta.description) from None
    if meta.extra and not meta.extra["check"](converted):
        raise msgspec.ValidationError(meta.description)
    return converted
