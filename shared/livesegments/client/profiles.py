"""What is known of profiles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from livesegments.client.request import Pages, Request, get, post
from livesegments.core.fault import Fault


class Profile(Struct, kw_only=True, frozen=True):
    """What is known of one profile."""

    profile: str
    """The id of the profile."""
    attributes: dict[str, Any]
    """Name → value of every attribute that the profile has."""
    tags: list[str]
    """The tags of the profile, sorted."""
    consent: list[Consent]
    """The state of every pair of channel and topic that was ever given."""
    groups: list[str]
    """The groups that the profile is in, sorted."""
    score: float | None
    """The score of the profile; null: it has none."""
    segments: list[ProfileSegment]
    """The segments that the profile is a member of."""
    computed: dict[str, Computed] = {}
    """The computed attributes by id, but for those that are still given their history."""
    merged_into: str | None = None
    """The profile that this one was merged into; then nothing else is known of it."""


class Consent(Struct, kw_only=True, frozen=True):
    """What a profile consented to."""

    state: str
    """The last state that was given."""
    channel: str | None
    """The channel of the consent; null: of all of them."""
    topic: str | None
    """The topic of the consent; null: of all of them."""


class ProfileSegment(Struct, kw_only=True, frozen=True):
    """A segment that the profile is in."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    entered_at: datetime
    """Since when the profile is a member; null: it is none."""
    valid_until: datetime | None
    """When the clock alone will change the membership; null: never, as things are."""


class Computed(Struct, kw_only=True, frozen=True):
    """A computed attribute of a profile."""

    value: Any
    """A number, an instant, or a value of an event; null: there is none."""
    changes_at: datetime | None
    """When the clock alone changes it, if nothing else happens; null: never."""


class ReadAll(Struct, kw_only=True, frozen=True):
    """In the order asked for, each profile once."""

    profiles: list[Read]
    """The ids of profiles."""
    unknown: list[str]
    """Ids that are no profile's."""
    warnings: list[Fault]
    """The computed attributes that are still given their history (`building`)."""


class Read(Struct, kw_only=True, frozen=True):
    """What was asked for of one profile; what was not asked for is absent."""

    profile: str
    """The id of the profile."""
    fields: dict[str, Any]
    """Name → value; a name that the profile has no value for is left out."""
    tags: list[str] = []
    """Sorted."""
    consent: list[Consent] = []
    """The state of every pair of channel and topic that was ever given."""
    groups: list[str] = []
    """The groups that the profile is in, sorted."""
    segments: list[ReadSegment] = []
    """Sorted by id."""
    merged_into: str | None = None
    """The profile that this one was merged into; then nothing else is known of it."""


class ReadSegment(Struct, kw_only=True, frozen=True):
    """A segment that the profile is in."""

    id: str
    """Its id."""
    entered_at: datetime
    """Since when the profile is a member; null: it is none."""


class Timeline(Struct, kw_only=True, frozen=True):
    """A page of a timeline, newest first."""

    profile: str
    """The id of the profile."""
    moments: list[Moment]
    """What happened, the newest first."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""


class Moment(Struct, kw_only=True, frozen=True):
    """An event as it was accepted, an event that was derived from one, or a transition."""

    id: str
    """The id of the event, or of the transition."""
    name: str
    """The event's name; `$segment_entered` and `$segment_exited`: a transition."""
    time: datetime
    """When it happened."""
    applied_at: datetime
    """The partition's clock when it was applied."""
    properties: dict[str, Any]
    """The event's properties; of a transition its `segment`."""
    event_id: str | None
    """The id of the event that it followed from; null: of none."""
    cause: str | None
    """Why a transition came: `event`, `attribute`, `clock` …"""
    version: int | None
    """The version of the definition by which a transition came."""
    sequence: int | None
    """Counts the profile's transitions in the segment."""


class Merge(Struct, kw_only=True, frozen=True):
    """Acknowledged by the broker; applied within moments."""

    profile: str
    """The id of the profile that goes."""
    into: str
    """The id of the profile that stays."""


@get("/v1/profiles/{profile}")
def read(profile: str) -> Request[Profile]:
    """Attributes, tags, consent, groups, computed attributes, segments."""
    ...


@post("/v1/profiles/read")
def read_all(
    profiles: Sequence[str],
    *,
    fields: Sequence[str] = (),
    parts: Sequence[Literal["tags", "consent", "groups", "segments"]] = (),
) -> Request[ReadAll]:
    """Chosen values of up to 1,000 profiles."""
    ...


@post("/v1/merges", once=True)
def merge(profile: str, into: str) -> Request[Merge]:
    """Lets a profile go into another, for good; applied within moments."""
    ...


@get("/v1/timelines/{profile}", items="moments")
def timeline(
    profile: str, *, event: str | None = None, limit: int = 100, cursor: str | None = None
) -> Pages[Timeline, Moment]:
    """Events, changes and transitions of a profile, the newest first."""
    ...
