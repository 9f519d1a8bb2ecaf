"""What Discord checks in a message's or modal's components (Discord docs, "Components", limits and anatomy)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from infra.simulator.call import read_text, utf16_length
from infra.simulator.refusals import invalid

LAYOUT: Final = 1 << 15  # flag of a message made of components alone: IS_COMPONENTS_V2 (Discord docs, "Message")
ROW, BUTTON, SELECT, TEXT_INPUT = 1, 2, 3, 4
SECTION, TEXT, SEPARATOR, CONTAINER, LABEL = 9, 10, 14, 17, 18
SELECTS: Final = (3, 5, 6, 7, 8)  # of texts, users, roles, both, channels
LINK: Final = 5  # a button's style

MAX_ROWS: Final = 5
MAX_BUTTONS: Final = 5  # of a row
MAX_OPTIONS: Final = 25
MAX_COMPONENTS: Final = 40  # of a layout, nested ones too
MAX_LAYOUT_TEXT: Final = 4000  # of all texts of a layout
MAX_SECTION_TEXTS: Final = 3
MAX_LABEL: Final = 80  # of a button
MAX_CUSTOM_ID: Final = 100
MAX_OPTION_TEXT: Final = 100
MAX_PLACEHOLDER: Final = 150
MAX_TITLE: Final = 45  # of a modal, and of its labels
MAX_FIELDS: Final = 5

_IN_LAYOUT: Final = (ROW, SECTION, TEXT, SEPARATOR, CONTAINER)


def check_components(body: dict[str, Any], *, layout: bool) -> None:
    """Refuse components that a message cannot have. `layout`: it has the flag for them."""
    parts = body.get("components") or []
    if layout and (body.get("content") or body.get("embeds")):
        raise invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with these components.")
    if not layout and len(parts) > MAX_ROWS:
        raise _bad("components", f"Must be {MAX_ROWS} or fewer in length.")
    for number, part in enumerate(parts):
        _check_part(part, f"components.{number}", _IN_LAYOUT if layout else (ROW,))
    everything = list(_all(parts))
    custom_ids = [part["custom_id"] for part in everything if "custom_id" in part]
    if len(set(custom_ids)) < len(custom_ids):
        raise invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
    if layout:
        text = sum(utf16_length(part["content"]) for part in everything if part["type"] == TEXT)
        if len(everything) > MAX_COMPONENTS or text > MAX_LAYOUT_TEXT:
            raise _bad("components", f"{len(everything)} components and {text} characters are too many.")


def check_modal(data: dict[str, Any]) -> None:
    """Refuse a modal that Discord could not show."""
    read_text(data, "title", 1, MAX_TITLE)
    read_text(data, "custom_id", 1, MAX_CUSTOM_ID)
    fields = data.get("components")
    if not isinstance(fields, list) or not 1 <= len(fields) <= MAX_FIELDS:
        raise _bad("components", f"Must be between 1 and {MAX_FIELDS} in length.")
    for number, field in enumerate(fields):
        path = f"components.{number}"
        if field.get("type") != LABEL or not isinstance(field.get("component"), dict):
            raise _bad(path, "A field needs a label.")
        read_text(field, "label", 1, MAX_TITLE, f"{path}.label")
        if "description" in field:
            read_text(field, "description", 1, MAX_OPTION_TEXT, f"{path}.description")
        _check_part(field["component"], f"{path}.component", (TEXT_INPUT, *SELECTS))


def check_choices(data: dict[str, Any]) -> None:
    """Refuse the result of an autocompletion that Discord could not show."""
    choices = data.get("choices")
    if not isinstance(choices, list) or len(choices) > MAX_OPTIONS:
        raise _bad("choices", f"Must be {MAX_OPTIONS} or fewer in length.")
    for number, choice in enumerate(choices):
        read_text(choice, "name", 1, MAX_OPTION_TEXT, f"choices.{number}.name")
        read_text(choice, "value", 1, MAX_OPTION_TEXT, f"choices.{number}.value")


def _check_part(part: Any, path: str, allowed: Sequence[int]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in allowed:
        raise invalid(f"{path}.type", "UNION_TYPE_CHOICES", f"Value of field must be one of {allowed}.")
    match kind:
        case 1:
            _check_row(part, path)
        case 2:
            _check_button(part, path)
        case 4:
            read_text(part, "custom_id", 1, MAX_CUSTOM_ID, f"{path}.custom_id")
            if part.get("style") not in (1, 2):
                raise _bad(f"{path}.style", "Must be 1 or 2.")
        case 9:
            _check_inner(part, path, 1, MAX_SECTION_TEXTS, (TEXT,))
            _check_part(part.get("accessory"), f"{path}.accessory", (BUTTON,))
        case 10:
            read_text(part, "content", 1, MAX_LAYOUT_TEXT, f"{path}.content")
        case 17:
            _check_inner(part, path, 1, MAX_COMPONENTS, (ROW, SECTION, TEXT, SEPARATOR))
        case _ if kind in SELECTS:
            _check_select(part, path)


def _check_inner(part: dict[str, Any], path: str, low: int, high: int, allowed: Sequence[int]) -> None:
    inner = part.get("components")
    if not isinstance(inner, list) or not low <= len(inner) <= high:
        raise _bad(f"{path}.components", f"Must be between {low} and {high} in length.")
    for number, component in enumerate(inner):
        _check_part(component, f"{path}.components.{number}", allowed)


def _check_row(part: dict[str, Any], path: str) -> None:
    _check_inner(part, path, 1, MAX_BUTTONS, (BUTTON, *SELECTS))
    kinds = [component["type"] for component in part["components"]]
    if len(kinds) > 1 and any(kind != BUTTON for kind in kinds):
        raise _bad(f"{path}.components", "A select stands alone in its row.")


def _check_button(part: dict[str, Any], path: str) -> None:
    if part.get("style") not in range(1, LINK + 1):
        raise _bad(f"{path}.style", f"Must be between 1 and {LINK}.")
    if "emoji" not in part:
        read_text(part, "label", 1, MAX_LABEL, f"{path}.label")
    if part["style"] != LINK:
        read_text(part, "custom_id", 1, MAX_CUSTOM_ID, f"{path}.custom_id")
    elif "custom_id" in part or not str(part.get("url", "")).startswith(("https://", "http://", "discord://")):
        raise _bad(f"{path}.url", "A link button has a URL and no custom id.")


def _check_select(part: dict[str, Any], path: str) -> None:
    read_text(part, "custom_id", 1, MAX_CUSTOM_ID, f"{path}.custom_id")
    if "placeholder" in part:
        read_text(part, "placeholder", 0, MAX_PLACEHOLDER, f"{path}.placeholder")
    options = part.get("options")
    if part["type"] == SELECT:
        if not isinstance(options, list) or not 1 <= len(options) <= MAX_OPTIONS:
            raise _bad(f"{path}.options", f"Must be between 1 and {MAX_OPTIONS} in length.")
        for number, option in enumerate(options):
            for name in ("label", "value"):
                read_text(option, name, 1, MAX_OPTION_TEXT, f"{path}.options.{number}.{name}")
            if "description" in option:
                read_text(option, "description", 1, MAX_OPTION_TEXT, f"{path}.options.{number}.description")
        values = [option["value"] for option in options]
        if len(set(values)) < len(values):
            raise invalid(f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Values must be unique.")
        if part.get("max_values", 1) > len(options):
            raise _bad(f"{path}.max_values", f"Must be {len(options)} or less.")


def _all(parts: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield part
        yield from _all([*part.get("components", ()), *([part["accessory"]] if "accessory" in part else ())])


def _bad(path: str, message: str) -> Exception:
    return invalid(path, "BASE_TYPE_BAD_LENGTH", message)
