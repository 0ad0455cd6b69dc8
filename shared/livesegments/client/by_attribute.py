"""One segment for every value of an attribute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Request, post


class Values(Struct, kw_only=True, frozen=True):
    """What values an attribute has."""

    at: datetime
    """The instant that it is of."""
    values: list[Value]
    """The most frequent first."""
    more: bool
    """Whether there are more than these 1,000: then no segments are made."""


class Value(Struct, kw_only=True, frozen=True):
    """A value of the attribute."""

    value: str | float | bool
    """The value: a text, a number, or true or false."""
    count: int
    """How many profiles have it."""
    segment: str | None
    """The id of the segment of this value; null: there is none."""


class MadeOf(Struct, kw_only=True, frozen=True):
    """A segment that was made."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    value: str | float | bool
    """The value that it is of."""


class MadeByAttribute(Struct, kw_only=True, frozen=True):
    """What has been made."""

    segments: list[MadeOf]
    """The segments that are new, the most frequent value first."""
    kept: int
    """How many values had a segment already."""


@post("/v1/segments/by-attribute/preview")
def preview(attribute: str) -> Request[Values]:
    """The values with their counts, and the segments of them that there are. Nothing is created."""
    ...


@post("/v1/segments/by-attribute", once=True)
def create(
    attribute: str,
    *,
    name: str | None = None,
    description: str = "",
    tags: Sequence[str] = (),
    folder: str = "",
    topics: Sequence[str] = (),
) -> Request[MadeByAttribute]:
    """Makes the segments of all values that have none yet, at most 1,000. `name` has `{value}` in it."""
    ...
