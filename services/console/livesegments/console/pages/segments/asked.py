"""What the list of segments is asked for: the search, the filters and the order, as the page's address has
them. Example:

    /segments?search=wine&tag=geo&sort=size&order=desc

An address may hold anything; what is not known is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import asdict

from livesegments.client import segments
from livesegments.client.request import Pages
from livesegments.client.segments import Segment, Segments
from livesegments.console import paths

PAGE = 50
LONGEST = 200
STATES = {"": "Any state", "ready": "Ready", "building": "Building", "archived": "Archived"}
TYPES = {"": "Any type", "dynamic": "Dynamic", "static": "Static list"}
SORTS = ("name", "size", "created", "updated")
TEXTS = ("search", "tag", "topic", "folder")


class Asked(Struct, frozen=True):
    """Empty texts ask for nothing."""

    search: str = ""
    tag: str = ""
    topic: str = ""
    folder: str = ""
    state: str = ""
    type: str = ""
    sort: str = "name"
    order: str = "asc"

    @property
    def is_filtered(self) -> bool:
        return any((self.search, self.tag, self.topic, self.folder, self.state, self.type))

    def request(self, cursor: str | None = None) -> Pages[Segments, Segment]:
        given: dict[str, Any] = {name: value for name, value in asdict(self).items() if value}
        return segments.page(**given, limit=PAGE, cursor=cursor)

    def path(self) -> str:
        """The page's address; what is as it always is, is left out."""
        given = {name: value for name, value in asdict(self).items() if value != getattr(Asked(), name)}
        return paths.with_query(paths.SEGMENTS, **given)

    def sorted_by(self, sort: str) -> str:
        """`ascending` or `descending` where the list is in that order, as a table's head says it."""
        if sort != self.sort:
            return ""
        return "ascending" if self.order == "asc" else "descending"

    def turned(self, sort: str) -> Asked:
        """The order after the head of a column was pressed: names begin with A, all else with the most or
        newest."""
        first = "asc" if sort == "name" else "desc"
        other = "desc" if self.order == "asc" else "asc"
        return self.having(sort=sort, order=other if sort == self.sort else first)

    def having(self, **changed: str) -> Asked:
        return read({**asdict(self), **changed})


def read(query: Mapping[str, str]) -> Asked:
    texts = {name: query.get(name, "")[:LONGEST] for name in TEXTS}
    chosen = {
        "state": query.get("state", ""), "type": query.get("type", ""),
        "sort": query.get("sort", "name"), "order": query.get("order", "asc"),
    }  # fmt: skip
    known = {"state": STATES, "type": TYPES, "sort": SORTS, "order": ("asc", "desc")}
    fitting = {name: value for name, value in chosen.items() if value in cast(Any, known[name])}
    return Asked(**texts, **fitting)
