"""Read items that may have been edited by hand, or written by a newer version. Pure.

An item that cannot be read raises UnreadableItem where it is needed. Where many are read, it costs nobody the others. It
is not absent: nothing overwrites it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from handler.discord.snowflakes import is_snowflake
from handler.errors import UnreadableItem
from handler.runtime.clock import parse_iso

K = TypeVar("K")
V = TypeVar("V")

Item = Mapping[str, Any]
Check = tuple[str, Callable[[str], bool]]  # an attribute, and whether a text can be its value


def unreadable(item: Item) -> UnreadableItem:
    """The error for an item that cannot be read. It tells the key and no values."""
    return UnreadableItem(f"the item {item.get('pk')} {item.get('sk')} cannot be read")


def read_item(item: Item, content: Item, kind: type[V]) -> V:
    """Convert the content of an item. Raises UnreadableItem if a type, a time or an id is wrong."""
    try:
        read = msgspec.convert(content, kind)
    except msgspec.ValidationError:
        raise unreadable(item) from None
    if all(is_valid(content[name]) for name, is_valid in _checks(kind) if content.get(name) is not None):
        return read
    raise unreadable(item)


def read_items(items: Iterable[Item], read: Callable[[Item], V]) -> tuple[tuple[V, ...], tuple[Item, ...]]:
    """The items as `read` reads them, and those that cannot be read."""
    found: list[V] = []
    rest: list[Item] = []
    for item in items:
        try:
            found.append(read(item))
        except UnreadableItem:
            rest.append(item)
    return tuple(found), tuple(rest)


class Found(dict[K, V]):
    """The items that were found, by what identifies them. `unreadable`: those that are there and cannot be read."""

    def __init__(self, found: Mapping[K, V], unreadable: Iterable[K] = ()) -> None:
        super().__init__(found)
        self.unreadable = frozenset(unreadable)


_known_checks: Final[dict[type, tuple[Check, ...]]] = {}  # by kind: they are asked for with each item


def _checks(kind: Any) -> tuple[Check, ...]:
    """What the names of a kind's attributes say of their values, besides the type."""
    if kind not in _known_checks:
        names = list(_attributes(kind))
        times = [(name, _is_time) for name in names if name.endswith(("_at", "_since", "_until"))]
        _known_checks[kind] = (*times, *((name, is_snowflake) for name in names if name.endswith("_id")))
    return _known_checks[kind]


def _attributes(kind: type[msgspec.Struct]) -> Iterator[str]:
    """The names of a kind's attributes, with those of its parts: an item is flat."""
    defaults = kind.__struct_defaults__
    parts = dict(zip(kind.__struct_fields__[-len(defaults) :], defaults, strict=True)) if defaults else {}
    for field, name in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        part = parts.get(field)
        yield from part.__struct_encode_fields__ if isinstance(part, msgspec.Struct) else (name,)


def _is_time(text: str) -> bool:
    try:
        parse_iso(text)
    except (ValueError, OverflowError):
        return False
    return True
