"""Definitions, with their size, state and progress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client import request
from livesegments.client.common import Done, Warned
from livesegments.client.request import Pages, Request, get, patch, post
from livesegments.core.fault import Fault

Kind = Literal["dynamic", "static"]
State = Literal["building", "ready", "archived"]
MADE_S = 120.0
"""Creating thousands of segments at once may take this long."""


class TestExpected(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """What is so at an instant, after all that happens at it."""

    at: datetime
    """The instant."""
    is_in: bool
    """Whether the profile is in the segment then."""


class TestEvent(Struct, kw_only=True, frozen=True):
    """An event with a name, or a change of the profile."""

    time: datetime
    """When it happens."""
    name: str | None = None
    """The event's name; without it the profile is changed."""
    properties: dict[str, Any] = {}
    """Of the event."""
    attributes: dict[str, Any] = {}
    """Name → value; null removes it."""
    tags: Switched | None = None
    """Tags that come and go."""
    consent: list[TestConsent] = []
    """Consents that are given."""
    lists: Lists | None = None
    """Static segments it is put on, or taken from."""
    score: float | None = None
    """The score that it has from then on."""


class TestConsent(Struct, kw_only=True, frozen=True):
    """One consent, as it is given or taken back."""

    state: str
    """What is given."""
    channel: str | None = None
    """The channel; without it all of them."""
    topic: str | None = None
    """The topic; without it all of them."""


class Switched(Struct, kw_only=True, frozen=True):
    """What comes and what goes."""

    add: list[str] = []
    """What comes."""
    remove: list[str] = []
    """What goes."""


class Lists(Struct, kw_only=True, frozen=True):
    """Static segments that the profile is put on and taken from."""

    add: list[str] = []
    """Ids of static segments."""
    remove: list[str] = []
    """Ids of static segments."""


class DefinitionTest(Struct, kw_only=True, frozen=True):
    """A profile's timeline, and when it is in the segment. Nothing of it has happened before."""

    name: str
    """What it shows, in words."""
    events: list[TestEvent]
    """In any order."""
    expect: list[TestExpected]
    """In any order."""
    profile: str | None = None
    """Its id: buckets depend on it."""


class Users(Struct, kw_only=True, frozen=True):
    """All that needs a segment: as long as there is any, the segment is not deleted."""

    used_by: list[User]
    """Segments first, by id."""


class User(Struct, kw_only=True, frozen=True):
    """Something that needs the segment."""

    kind: str
    """What it is."""
    id: str
    """Its id."""
    name: str
    """Its name; empty where it has only an id."""
    archived: bool
    """Whether it is an archived segment: it forbids deleting only."""


class Segments(Struct, kw_only=True, frozen=True):
    """A page of segments."""

    segments: list[Segment]
    """The segments of this page."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""


class Segment(Struct, kw_only=True, frozen=True):
    """A segment: what its author wrote, and its size and state."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    type: str
    """The kind of segment."""
    description: str
    """What its author says of it."""
    tags: list[str]
    """Labels."""
    folder: str
    """The folder that it lies in, as a path: `Campaigns/Spring`, say. Empty: in none."""
    topics: list[str]
    """What sends to it are about, as subscribers know it: `newsletter`, say."""
    tests: list[DefinitionTest]
    """Timelines that the definition is tried on at each edit: one that fails refuses it."""
    definition: dict[str, Any] | None
    """Null for a static segment."""
    version: int
    """Counts every edit; the ETag."""
    definition_version: int
    """Counts edits of the definition; transitions carry it."""
    created_at: datetime
    """When it was created."""
    updated_at: datetime
    """When it was last edited."""
    archived_at: datetime | None
    """Since when it is put aside; null: it isn't."""
    count: int
    """Members now."""
    state: str
    """`building` while profiles are still evaluated, then `ready`; `archived`: it is put aside."""
    progress: Done
    """How far the evaluation of the segment is."""
    complete_since: datetime | None
    """Events are counted from then on; null: all there ever were."""
    rule: str | None
    """The id of the rule that made it, or whose own it is (`/v1/segment-rules`); null: none."""


class EditedSegment(Struct, kw_only=True, frozen=True):
    """A segment that was created or edited, with the warnings of its definition."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    type: str
    """The kind of segment."""
    description: str
    """What its author says of it."""
    tags: list[str]
    """Labels."""
    folder: str
    """The folder that it lies in, as a path: `Campaigns/Spring`, say. Empty: in none."""
    topics: list[str]
    """What sends to it are about, as subscribers know it: `newsletter`, say."""
    tests: list[DefinitionTest]
    """Timelines that the definition is tried on at each edit: one that fails refuses it."""
    definition: dict[str, Any] | None
    """Null for a static segment."""
    version: int
    """Counts every edit; the ETag."""
    definition_version: int
    """Counts edits of the definition; transitions carry it."""
    created_at: datetime
    """When it was created."""
    updated_at: datetime
    """When it was last edited."""
    archived_at: datetime | None
    """Since when it is put aside; null: it isn't."""
    count: int
    """Members now."""
    state: str
    """`building` while profiles are still evaluated, then `ready`; `archived`: it is put aside."""
    progress: Done
    """How far the evaluation of the segment is."""
    complete_since: datetime | None
    """Events are counted from then on; null: all there ever were."""
    rule: str | None
    """The id of the rule that made it, or whose own it is (`/v1/segment-rules`); null: none."""
    warnings: list[Warned]
    """What may be meant otherwise; empty if nothing is noticed."""


class CheckedAll(Struct, kw_only=True, frozen=True):
    """In the order of the request."""

    results: list[Checked]
    """One for every segment of the request."""


class Checked(Struct, kw_only=True, frozen=True):
    """What creating one of the segments would come to."""

    id: str | None
    """The id that was given; null where the api would choose one."""
    warnings: list[Warned] = []
    """As creating or editing it would answer."""
    action: str
    """`none`: the segment is there already, just as it was given."""
    errors: list[Fault]
    """Every fault; with none it would be created or edited."""


class MadeAll(Struct, kw_only=True, frozen=True):
    """In the order of the request."""

    segments: list[Made]
    """The segments of this page."""


class Made(Struct, kw_only=True, frozen=True):
    """What became of one of the segments."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    version: int
    """Counts every edit of the segment."""
    definition_version: int
    """Counts the edits of its definition; transitions carry it."""
    action: str
    """`none`: the segment was there already, just as it was given."""
    warnings: list[Warned]
    """What may be meant otherwise."""


class Cancelled(Struct, kw_only=True, frozen=True):
    """What cancelling has done."""

    cancelled: str
    """`edit`: the definition that was served is the present one again, as a version more. `segment`: it was
    new, and is deleted."""
    segment: Segment | None
    """The segment as it is now; null: it is deleted."""


class Count(Struct, kw_only=True, frozen=True):
    """A number of profiles."""

    count: int
    """How many profiles are members now."""


@get("/v1/segments", items="segments")
def page(
    *,
    search: str | None = None,
    tag: str | None = None,
    topic: str | None = None,
    folder: str | None = None,
    type: Kind | None = None,
    state: State | None = None,
    sort: Literal["name", "created", "updated", "size"] = "name",
    order: Literal["asc", "desc"] = "asc",
    limit: int = 100,
    cursor: str | None = None,
) -> Pages[Segments, Segment]:
    """Segments: searched, filtered, sorted."""
    ...


@get("/v1/segments/{id}")
def read(id: str) -> Request[Segment]:
    """A segment with its size, its state and its progress."""
    ...


@post("/v1/segments", once=True)
def create(
    name: str,
    definition: Any = None,
    *,
    id: str | UnsetType = UNSET,
    type: Kind = "dynamic",
    description: str = "",
    tags: Sequence[str] = (),
    folder: str = "",
    topics: Sequence[str] = (),
    tests: Sequence[Any] | UnsetType = UNSET,
) -> Request[EditedSegment]:
    """A dynamic segment with its definition, or with `type="static"` one without. The api chooses an id if
    none is given."""
    ...


@patch("/v1/segments/{id}")
def edit(
    id: str,
    *,
    if_match: str | int,
    if_plan_match: str | None = None,
    name: str | UnsetType = UNSET,
    definition: Any = UNSET,
    description: str | UnsetType | None = UNSET,
    tags: Sequence[str] | UnsetType | None = UNSET,
    folder: str | UnsetType | None = UNSET,
    topics: Sequence[str] | UnsetType | None = UNSET,
    tests: Sequence[Any] | UnsetType | None = UNSET,
) -> Request[EditedSegment]:
    """Changes what is given; None empties. `if_match`: the `version` that was read."""
    ...


@request.delete("/v1/segments/{id}")
def delete(id: str, *, if_match: str | int | None = None) -> Request[None]:
    """Its members leave it; profiles are untouched."""
    ...


@post("/v1/segments/check")
def check(segments: Sequence[Any], *, upsert: bool = False) -> Request[CheckedAll]:
    """What creating them one after the other would come to; nothing is created."""
    ...


@post("/v1/segments:batch", once=True, timeout_s=MADE_S)
def create_all(segments: Sequence[Any], *, upsert: bool = False) -> Request[MadeAll]:
    """All of them or none; `upsert` edits those that are there."""
    ...


@request.delete("/v1/segments/{id}/build")
def cancel_build(id: str) -> Request[Cancelled]:
    """An edited segment goes back to what it was, a new one is deleted."""
    ...


@get("/v1/segments/{id}/count")
def count(id: str) -> Request[Count]:
    """How many profiles are in it now."""
    ...


@post("/v1/segments/{id}/clone", once=True)
def clone(
    id: str, *, name: str | UnsetType = UNSET, new_id: str | UnsetType = UNSET, members: bool = False
) -> Request[EditedSegment]:
    """A new segment with its definition, or, with `members`, its list."""
    ...


@post("/v1/segments/{id}/archive")
def archive(id: str, *, if_match: str | int | None = None) -> Request[Segment]:
    """It is put aside: nothing is evaluated for it until it is taken up again."""
    ...


@post("/v1/segments/{id}/unarchive")
def unarchive(id: str, *, if_match: str | int | None = None) -> Request[Segment]:
    """It is taken up again, and built from history."""
    ...


@get("/v1/segments/{id}/used-by")
def used_by(id: str) -> Request[Users]:
    """All that needs it: as long as there is any, it is not deleted."""
    ...
