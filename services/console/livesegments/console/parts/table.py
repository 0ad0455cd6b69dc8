"""Tables. Example:

    with table("Companies", "Name", Column("Created"), Column("Actions", hidden=True)):
        for each in page.workspaces:
            with Tag("tr"):
                Tag("th", each.name, scope="row")
                …

A table that is wider than the page can be pushed sideways by itself; it has a name, so that a keyboard
comes to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from livesegments.console.parts.tag import Tag, icon

ARROWS = {"ascending": "arrow_upward", "descending": "arrow_downward"}


class Column(Struct, frozen=True):
    """`hidden`: its name is for screen readers. `sort`: called when its name is pressed; `sorted`:
    `ascending` or `descending` where the rows are in its order."""

    name: str
    number: bool = False
    hidden: bool = False
    sort: Callable[[], Awaitable[None] | None] | None = None
    sorted: str = ""


@contextmanager
def table(name: str, *columns: Column | str) -> Iterator[Tag]:
    """Rows go inside; the body of the table is given, so that rows may come anew (`clear`)."""
    with Tag("div", "", "scroll", role="region", aria_label=name, tabindex="0"), Tag("table"):
        with Tag("thead"), Tag("tr"):
            for each in columns:
                _head(Column(each) if isinstance(each, str) else each)
        with Tag("tbody") as body:
            yield body


def _head(column: Column) -> None:
    kind = "number" if column.number else ""
    with Tag("th", "", kind, scope="col", aria_sort=column.sorted or None):
        if column.sort is None:
            Tag("span", column.name, "visually-hidden" if column.hidden else "")
            return
        pressed = column.sort
        with Tag("button", "", "sort", type="button").on("click", lambda _: pressed(), args=[]):
            Tag("span", column.name)
            icon(ARROWS.get(column.sorted, ""))
