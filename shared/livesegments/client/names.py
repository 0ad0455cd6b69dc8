"""The events and attributes that were seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from livesegments.client.request import Request, get


class SeenNames(Struct, kw_only=True, frozen=True):
    """What definitions in this workspace may name."""

    events: list[SeenEvent]
    """By name, those that the evaluator makes last."""
    attributes: list[SeenPath]
    """By name."""
    attributes_complete: bool
    """Whether these are all attributes that were seen."""


class SeenEvent(Struct, kw_only=True, frozen=True):
    """An event's name, with what its properties hold."""

    name: str
    """The event's name."""
    derived: bool
    """Made by the evaluator out of changes of a profile; never sent."""
    last_seen: datetime | None
    """The newest time of such an event; null if derived."""
    complete: bool
    """Whether these are all properties that were seen."""
    properties: list[SeenPath]
    """By name."""


class SeenPath(Struct, kw_only=True, frozen=True):
    """A property or an attribute."""

    name: str
    """The name of an attribute, or the dotted path of a property."""
    types: list[str]
    """The types of its values, the most frequent first."""
    last_seen: datetime | None
    """The time of the newest event that had it."""
    values: list[Any]
    """Frequent values in a sample, the most frequent first; no long texts or addresses."""


@get("/v1/names")
def read(*, search: str | None = None) -> Request[SeenNames]:
    """With their types and frequent values."""
    ...
