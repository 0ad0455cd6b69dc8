"""Tests of a definition as they are written: a timeline of one profile, and when it is in the segment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from livesegments.api.web import times
from livesegments.api.web.shapes import In
from livesegments.api.web.texts import AttributeName, Label, Name, ProfileId, SegmentId, fault
from livesegments.core.event import ConsentChange, ProfileChange, ScoreChange
from livesegments.core.trial import Expected, Happening, Trial

MAX_TESTS, MAX_EVENTS, MAX_EXPECTED = 20, 100, 50
MAX_BYTES = 65_536
"""Of all tests of a segment, as JSON."""


def _at(text: str) -> str:
    """Written as all instants are."""
    try:
        return times.iso(times.parse(text))
    except (ValueError, OverflowError) as error:
        raise fault("bad_date", "is not an ISO 8601 instant: 2026-03-01T09:00:00Z, say") from error


def _value(value: Any) -> Any:
    """What an attribute may be."""
    parts = value if isinstance(value, list) else [value]
    location = isinstance(value, dict) and set(value) == {"lat", "lon"}
    if location:
        parts = list(value.values())
    scalar = all(isinstance(each, str | int | float) for each in parts)
    if (value is not None and not scalar) or (location and not all(_is_number(each) for each in parts)):
        raise fault("wrong_type", "is neither text, number, boolean, a list of them, a location, nor null")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


At = Annotated[
    str,
    AfterValidator(_at),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40}),
    Field(max_length=40, examples=["2026-03-01T09:00:00Z"]),
]
Value = Annotated[Any, AfterValidator(_value), WithJsonSchema({})]
Labels = Annotated[list[Label], Field(max_length=50)]


class Switched(In):
    """What comes and what goes."""

    add: Labels = Field([], description="What comes.")
    remove: Labels = Field([], description="What goes.")


class Lists(In):
    """Static segments that the profile is put on and taken from."""

    add: list[SegmentId] = Field([], max_length=50, description="Ids of static segments.")
    remove: list[SegmentId] = Field([], max_length=50, description="Ids of static segments.")


class TestConsent(In):
    """One consent, as it is given or taken back."""

    state: Literal["opted_in", "opted_out", "none"] = Field(description="What is given.")
    channel: Label | None = Field(None, description="The channel; without it all of them.")
    topic: Label | None = Field(None, description="The topic; without it all of them.")


class TestEvent(In):
    """An event with a name, or a change of the profile."""

    __test__ = False

    time: At = Field(description="When it happens.")
    name: Name | None = Field(None, description="The event's name; without it the profile is changed.")
    properties: dict[str, Any] = Field({}, description="Of the event.")
    attributes: dict[AttributeName, Value] = Field({}, description="Name → value; null removes it.")
    tags: Switched | None = Field(None, description="Tags that come and go.")
    consent: list[TestConsent] = Field([], max_length=50, description="Consents that are given.")
    lists: Lists | None = Field(None, description="Static segments it is put on, or taken from.")
    score: float | None = Field(None, description="The score that it has from then on.")

    @model_validator(mode="after")
    def _one_thing(self) -> TestEvent:
        changes = self.model_fields_set - {"time", "name", "properties"}
        if self.name is None and (not changes or self.properties):
            raise fault("empty", "needs a `name`, or what changes of the profile")
        if self.name is not None and (changes or self.name.startswith("$")):
            raise fault("conflict", "is either an event with a name (not `$…`) or a change of the profile")
        return self


class TestExpected(In):
    """What is so at an instant, after all that happens at it."""

    __test__ = False
    model_config = ConfigDict(populate_by_name=True)

    at: At = Field(description="The instant.")
    is_in: bool = Field(alias="in", description="Whether the profile is in the segment then.")


class DefinitionTest(In):
    """A profile's timeline, and when it is in the segment. Nothing of it has happened before."""

    name: Name = Field(description="What it shows, in words.")
    events: list[TestEvent] = Field(min_length=1, max_length=MAX_EVENTS, description="In any order.")
    expect: list[TestExpected] = Field(min_length=1, max_length=MAX_EXPECTED, description="In any order.")
    profile: ProfileId = Field("somebody", description="Its id: buckets depend on it.")


def _bounded(tests: list[DefinitionTest]) -> list[DefinitionTest]:
    size = len(msgspec.json.encode([each.model_dump() for each in tests]))
    if size > MAX_BYTES:
        raise fault("too_long", f"have {size} bytes together; at most {MAX_BYTES} are allowed")
    return tests


Tests = Annotated[list[DefinitionTest], Field(max_length=MAX_TESTS), AfterValidator(_bounded)]
TESTS = "Timelines that the definition is tried on at each edit: one that fails refuses it."


def trials(tests: list[DefinitionTest]) -> tuple[Trial, ...]:
    """As they are stored."""
    return tuple(
        Trial(
            each.name,
            tuple(_happening(event) for event in each.events),
            tuple(Expected(times.parse(one.at), one.is_in) for one in each.expect),
            each.profile,
        )
        for each in tests
    )


def shown(stored: tuple[Trial, ...]) -> list[dict[str, Any]]:
    """As they were written, without what has its default."""
    return [
        {"name": each.name}
        | ({"profile": each.profile} if each.profile != Trial("", (), ()).profile else {})
        | {
            "events": [_event(event) for event in each.events],
            "expect": [{"at": times.iso(one.at_ms), "in": one.is_in} for one in each.expect],
        }
        for each in stored
    ]


def _happening(event: TestEvent) -> Happening:
    at_ms = times.parse(event.time)
    if event.name is not None:
        return Happening(at_ms, event.name, event.properties)
    change = ProfileChange(
        attributes=event.attributes,
        tags_add=tuple(event.tags.add) if event.tags else (),
        tags_remove=tuple(event.tags.remove) if event.tags else (),
        consent=tuple(ConsentChange(each.state, each.channel, each.topic) for each in event.consent),
        score=None if event.score is None else ScoreChange(set=event.score),
        lists_add=tuple(event.lists.add) if event.lists else (),
        lists_remove=tuple(event.lists.remove) if event.lists else (),
    )
    return Happening(at_ms, properties=msgspec.json.decode(msgspec.json.encode(change)))


def _event(stored: Happening) -> dict[str, Any]:
    shown: dict[str, Any] = {"time": times.iso(stored.time_ms)}
    if stored.name:
        return (
            shown | {"name": stored.name} | ({"properties": stored.properties} if stored.properties else {})
        )
    parts = stored.properties
    for name in ("tags", "lists"):
        moved = {how: parts[f"{name}_{how}"] for how in ("add", "remove") if f"{name}_{how}" in parts}
        shown |= {name: moved} if moved else {}
    if "score" in parts:
        shown["score"] = parts["score"]["set"]
    return shown | {name: parts[name] for name in ("attributes", "consent") if name in parts}
