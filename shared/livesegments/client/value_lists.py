"""Values that conditions name by reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Pages, Request, delete, get, put


class ValueLists(Struct, kw_only=True, frozen=True):
    """All value lists of the workspace, by id."""

    value_lists: list[ValueList]
    """Sorted by their ids."""


class ValueList(Struct, kw_only=True, frozen=True):
    """A value list without its values."""

    id: str
    """The id by which conditions name it."""
    version: int
    """Counts its contents."""
    count: int
    """How many different values it has."""
    bytes: int
    """What they take as JSON."""
    created_at: datetime
    """When it was made."""
    updated_at: datetime
    """When it got its present values."""
    used_by_count: int
    """How many segments name it."""


class ValueListWithUsers(Struct, kw_only=True, frozen=True):
    """A value list with the segments that name it."""

    id: str
    """The id by which conditions name it."""
    version: int
    """Counts its contents."""
    count: int
    """How many different values it has."""
    bytes: int
    """What they take as JSON."""
    created_at: datetime
    """When it was made."""
    updated_at: datetime
    """When it got its present values."""
    used_by_count: int
    """How many segments name it."""
    used_by: list[str]
    """Their ids, sorted; the first 1,000."""


class ValuesPage(Struct, kw_only=True, frozen=True):
    """A page of a list's values."""

    values: list[str | float]
    """In an order that depends on the values alone."""
    next_cursor: str | None = None
    """For the next page; null: this is the last."""


@get("/v1/value-lists")
def read_all() -> Request[ValueLists]:
    """Every list, without its values."""
    ...


@get("/v1/value-lists/{id}")
def read(id: str) -> Request[ValueListWithUsers]:
    """A list with the segments that name it."""
    ...


@put("/v1/value-lists/{id}")
def put_list(id: str, values: Sequence[str | float]) -> Request[ValueListWithUsers]:
    """Makes a list, or replaces all its values."""
    ...


@delete("/v1/value-lists/{id}")
def delete_list(id: str) -> Request[None]:
    """Refused while segments name it."""
    ...


@get("/v1/value-lists/{id}/values", items="values")
def values(id: str, *, limit: int = 1_000, cursor: str | None = None) -> Pages[ValuesPage, str | float]:
    """The values, in an order that depends on them alone."""
    ...
