"""What answers of several resources share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Done(Struct, kw_only=True, frozen=True):
    """`done` of `total` stored profiles are evaluated under the present definition."""

    done: int
    """How many profiles are evaluated under the present definition."""
    total: int
    """How many profiles there were to evaluate."""
    estimated_end: datetime | None = None
    """While it is built: when that ends, by the pace since that began."""


class Warned(Struct, kw_only=True, frozen=True):
    """One warning: the segment is created or edited all the same."""

    pointer: str
    """A JSON pointer into the segment, such as `/definition/of/0/name`."""
    code: str
    """Which warning it is: `always`, `never`, `unseen_event` and so on."""
    message: str
    """What the definition may not mean, as a sentence."""


class EventBehind(Struct, kw_only=True, frozen=True):
    """An event that a condition counts."""

    id: str
    """The id of the event."""
    name: str
    """The event's name."""
    time: datetime
    """When it happened."""
    properties: dict[str, Any]
    """The event's properties, as they were sent."""


class Transition(Struct, kw_only=True, frozen=True):
    """A profile entered or left a segment."""

    id: str
    """The same however often it is heard."""
    workspace: str
    """The id of the workspace."""
    segment: str
    """The id of the segment."""
    profile: str
    """The id of the profile."""
    kind: str
    """Whether the profile entered or exited."""
    at: datetime
    """When it became true."""
    sequence: int
    """Counts the transitions of this profile and segment, from 1."""
    cause: str
    """What led to it."""
    event_id: str | None
    """The id of the event that led to it; null: none did."""
    version: int
    """The version of the segment's definition that decided it."""
    computed: dict[str, str | float | bool] | None = None
    """The values at that instant of the computed attributes that the definition asks about, by their ids;
    absent where it asks about none."""
