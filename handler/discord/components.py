"""Components of messages and modals, as Discord takes them. Pure.

Discord docs, "Components" (types, limits). What is made here fits: labels are cut, and who gives more rows, buttons or
options than Discord allows gets an error of Python's, which a test would meet.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from handler.discord.fitting import MAX_LABEL
from handler.discord.markdown import shorten

# Types (the same page).
ACTION_ROW: Final = 1
BUTTON: Final = 2
SELECT: Final = 3  # of texts
TEXT_INPUT: Final = 4
SECTION: Final = 9
TEXT: Final = 10
CONTAINER: Final = 17
LABEL: Final = 18

# Styles of buttons (the same page).
PRIMARY: Final = 1  # blue, for what most people want
SECONDARY: Final = 2  # grey
SUCCESS: Final = 3  # green
DANGER: Final = 4  # red, for an action that cannot be undone
LINK: Final = 5  # opens a URL and sends no interaction

SHORT: Final = 1  # a text input of one line
PARAGRAPH: Final = 2  # of several

MAX_ROW: Final = 5  # buttons in an action row
MAX_OPTIONS: Final = 25  # of a select
MAX_OPTION_TEXT: Final = 100  # characters of an option's label, value and description, and of a placeholder
MAX_TITLE: Final = 45  # characters of a modal's title, and of a field's label

Component = dict[str, Any]


class Modal(msgspec.Struct, frozen=True):
    """A form that pops up. Only a first answer can show it, and never the answer to another modal."""

    title: str
    custom_id: str
    fields: Sequence[Component]


def button(label: str, custom_id: str, *, style: int = SECONDARY, disabled: bool = False) -> Component:
    made = {"type": BUTTON, "style": style, "label": shorten(label, MAX_LABEL), "custom_id": custom_id}
    return {**made, "disabled": True} if disabled else made


def link_button(label: str, url: str) -> Component:
    return {"type": BUTTON, "style": LINK, "label": shorten(label, MAX_LABEL), "url": url}


def row(*components: Component) -> Component:
    """An action row: up to five buttons, or one select."""
    return {"type": ACTION_ROW, "components": list(components)}


def option(label: str, value: str, *, description: str | None = None, chosen: bool = False) -> Component:
    """One of a select. `value` has at most 100 characters."""
    made: Component = {"label": shorten(label, MAX_OPTION_TEXT), "value": value}
    if description:
        made["description"] = shorten(description, MAX_OPTION_TEXT)
    return {**made, "default": True} if chosen else made


def select(
    custom_id: str, options: Sequence[Component], *, placeholder: str | None = None, fewest: int = 1, most: int = 1
) -> Component:
    """A select of up to 25 options, of which the user chooses so many."""
    made: Component = {"type": SELECT, "custom_id": custom_id, "options": list(options)}
    made |= {"min_values": fewest, "max_values": most}
    return {**made, "placeholder": shorten(placeholder, MAX_OPTION_TEXT)} if placeholder else made


def text(content: str) -> Component:
    """Text with markdown; mentions are as the message allows them."""
    return {"type": TEXT, "content": content}


def section(content: str, accessory: Component) -> Component:
    """Text with a button beside it."""
    return {"type": SECTION, "components": [text(content)], "accessory": accessory}


def container(*components: Component) -> Component:
    return {"type": CONTAINER, "components": list(components)}


def text_field(
    custom_id: str,
    label: str,
    *,
    value: str = "",
    style: int = SHORT,
    required: bool = True,
    most: int,
    description: str = "",
) -> Component:
    """A labelled field of a modal into which people type up to `most` characters."""
    field: Component = {"type": TEXT_INPUT, "custom_id": custom_id, "style": style, "required": required}
    field |= {"max_length": most} | ({"value": value} if value else {})
    return field_label(label, field, description=description)


def field_label(label: str, component: Component, *, description: str = "") -> Component:
    """The label of a field of a modal, around its text input or select."""
    made: Component = {"type": LABEL, "label": shorten(label, MAX_TITLE), "component": component}
    return {**made, "description": shorten(description, MAX_OPTION_TEXT)} if description else made
