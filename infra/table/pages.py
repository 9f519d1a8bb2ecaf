"""The pages in which a query is answered."""

from collections.abc import Iterable
from typing import Final

from handler.aws.dynamodb import InvalidCall
from infra.table.requests import Parameters
from infra.table.rows import Attributes, Row
from infra.table.schema import orders
from infra.table.sorted_places import Place

MAX_PAGE_BYTES: Final = 1024 * 1024  # DynamoDB docs, "Query"


def fill_page(rows: Iterable[Row], limit: int | None) -> tuple[list[Row], bool]:
    """The rows of one page, and whether it ends because it is full. It is, too, with as many rows as the limit allows."""
    page: list[Row] = []
    size = 0
    for row in rows:
        size += row.size
        if page and size > MAX_PAGE_BYTES:
            return page, True
        page.append(row)
        if len(page) == limit:
            return page, True
    return page, False


def order_of(parameters: Parameters) -> tuple[str, ...]:
    """The attributes by which what a query asks for is in order. Raises InvalidCall."""
    index = parameters.get("IndexName")
    if index not in orders():
        raise InvalidCall(f"the table does not have the specified index: {index}")
    if index is not None and parameters.get("ConsistentRead"):
        raise InvalidCall("consistent reads are not supported on global secondary indexes")
    return orders()[index]


def place_after(start: Attributes | None, order: tuple[str, ...], partition: str) -> Place | None:
    """The place after which a page begins; None for the first page. Raises InvalidCall."""
    if start is None:
        return None
    if set(start) != set(order) or start[order[0]] != partition:
        raise InvalidCall("the provided starting key is invalid")
    return tuple(start[name] for name in order[1:])
