"""What a node of a definition saw of a profile, with the events that it counts."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from livesegments.api.web import shapes, times
from livesegments.history.asking import Seen

MOST = 50
Events = Annotated[
    int,
    Query(ge=0, le=MOST, description="The most events to show behind a condition, the newest first."),
]


class EventBehind(BaseModel):
    """An event that a condition counts."""

    id: str = Field(description="The id of the event.")
    name: str = Field(description="The event's name.")
    time: shapes.Instant = Field(description="When it happened.")
    properties: dict[str, Any] = Field(description="The event's properties, as they were sent.")


class NodeThen(BaseModel):
    """A node of the definition, as it was of the profile."""

    pointer: str = Field(description="A JSON pointer of the node within the definition; empty: the whole.")
    holds: bool = Field(description="Whether it was true of the profile.")
    value: Any = Field(
        description="What was compared: the attribute's value, or what the measure came to; else null."
    )
    events: list[EventBehind] = Field(description="The events behind it, the newest first.")


def nodes(seen: list[Seen]) -> list[NodeThen]:
    return [
        NodeThen(
            pointer=each.pointer,
            holds=each.holds,
            value=None if each.value is None else msgspec.json.decode(each.value),
            events=events(each),
        )
        for each in seen
    ]


def events(seen: Seen) -> list[EventBehind]:
    return [
        EventBehind(
            id=each.id,
            name=each.name,
            time=times.iso(each.time_ms),
            properties=msgspec.json.decode(each.properties),
        )
        for each in seen.events
    ]
