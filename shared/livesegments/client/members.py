"""Who is in a segment now, who was, and the lists of static segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from livesegments.client.common import EventBehind, Warned
from livesegments.client.request import Pages, Request, delete, get, post, put
from livesegments.core.fault import Fault


class Members(Struct, kw_only=True, frozen=True):
    """A page of members."""

    members: list[str]
    """The ids of profiles that are members."""
    times: list[MemberTimes] = []
    """One for every member of the page, in the same order; empty without `include=times`."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""
    fields: list[MemberFields] = []
    """One for every member of the page, in the same order; absent without `fields`."""
    warnings: list[Fault] = []
    """The computed attributes that are still given their history, so that their values are left out
    (`building`); absent without `fields`."""


class MemberTimes(Struct, kw_only=True, frozen=True):
    """Since when and until when at most a profile is a member."""

    profile: str
    """The id of the profile."""
    entered_at: datetime | None
    """Since when the profile is a member; null: it is none."""
    valid_until: datetime | None
    """When the clock alone will end the membership; null: never, as things are."""


class MemberFields(Struct, kw_only=True, frozen=True):
    """Values of a member."""

    profile: str
    """The id of the profile."""
    fields: dict[str, Any]
    """Name → value; a name that the profile has no value for is left out."""


class Accepted(Struct, kw_only=True, frozen=True):
    """Acknowledged by the broker; applied within moments."""

    accepted: int
    """How many profiles were accepted."""


class Checks(Struct, kw_only=True, frozen=True):
    """Whether profiles are members."""

    memberships: list[MemberChecked]
    """One answer for every profile that was asked for, in the same order."""


class MemberChecked(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """In the order asked for."""

    profile: str
    """The id of the profile."""
    is_in: bool
    """Whether the profile is a member now."""
    entered_at: datetime | None
    """Since when the profile is a member; null: it is none."""


class Membership(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """`valid_until`: when the clock alone will change the answer; null: never, as things are."""

    profile: str
    """The id of the profile."""
    is_in: bool
    """Whether the profile is a member now."""
    entered_at: datetime | None
    """Since when the profile is a member; null: it is none."""
    valid_until: datetime | None = None
    """When the clock alone will change the membership; null: never, as things are."""


class MembersThen(Struct, kw_only=True, frozen=True):
    """Who fulfilled one of the segment's definitions at an instant, by what was known then."""

    at: datetime
    """The instant that was asked for."""
    version: int
    """The version of the definition that was applied."""
    count: int
    """How many fulfilled it."""
    members: list[str]
    """A page of their ids, in order."""
    next_cursor: str | None
    """For the next page; null where this was the last."""
    warnings: list[Warned]
    """Windows that reach back beyond the history that is kept are counted short (`history_short`)."""


class WasMember(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """Whether a profile was a member at an instant, by the transitions that were announced."""

    profile: str
    """The profile's id."""
    at: datetime
    """The instant that was asked for."""
    is_in: bool
    """Whether it was a member then."""
    since: datetime | None
    """When that began: its newest transition up to then; null where there was none."""
    version: int | None
    """The version of the definition under which that was decided."""
    cause: str | None
    """What led to the transition: `event`, `clock` and so on."""
    event_id: str | None
    """The id of the event that led to it, if one did."""
    why_version: int
    """The version of the definition that `why` applies: that of the instant; the present one where that
    isn't kept, or names what isn't there any more. `version` is an earlier one where nothing changed for
    the profile since."""
    definition: dict[str, Any] | None
    """The definition that `why` applies; null of a static segment."""
    why: list[NodeThen]
    """Every node as of the instant, by what had arrived by then, parents before their children; empty where
    nothing was known of the profile."""


class NodeThen(Struct, kw_only=True, frozen=True):
    """A node of the definition, as it was of the profile."""

    pointer: str
    """A JSON pointer of the node within the definition; empty: the whole."""
    holds: bool
    """Whether it was true of the profile."""
    value: Any
    """What was compared: the attribute's value, or what the measure came to; else null."""
    events: list[EventBehind]
    """The events behind it, the newest first."""


class Replaced(Struct, kw_only=True, frozen=True):
    """Acknowledged by the broker; applied within moments."""

    added: int
    """How many were put on the list."""
    removed: int
    """How many were taken off it."""


@get("/v1/segments/{id}/members", items="members")
def page(
    id: str,
    *,
    fields: Sequence[str] = (),
    include: Literal["times"] | None = None,
    limit: int = 1_000,
    cursor: str | None = None,
) -> Pages[Members, str]:
    """The members; with `fields` their values, too, with `include="times"` since and until when."""
    ...


@post("/v1/segments/{id}/members/check")
def check(id: str, profiles: Sequence[str]) -> Request[Checks]:
    """Whether each of up to 1,000 profiles is a member now."""
    ...


@get("/v1/segments/{id}/members/{profile}")
def read(id: str, profile: str) -> Request[Membership]:
    """Whether a profile is a member now, since when, and until when at most."""
    ...


@post("/v1/segments/{id}/members", once=True)
def add(id: str, profiles: Sequence[str]) -> Request[Accepted]:
    """Puts up to 1,000 profiles into a static segment."""
    ...


@put("/v1/segments/{id}/members")
def replace(id: str, profiles: Sequence[str]) -> Request[Replaced]:
    """Makes up to 1,000 profiles all that a static segment has; who is in it already stays throughout."""
    ...


@post("/v1/segments/{id}/members/remove", once=True)
def remove(id: str, profiles: Sequence[str]) -> Request[Accepted]:
    """Takes up to 1,000 profiles out of a static segment."""
    ...


@delete("/v1/segments/{id}/members/{profile}")
def remove_one(id: str, profile: str) -> Request[Accepted]:
    """Takes a profile out of a static segment."""
    ...


@get("/v1/segments/{id}/as-of", items="members")
def then(
    id: str,
    at: str,
    *,
    definition: Literal["present", "served"] = "present",
    version: int | None = None,
    limit: int = 1_000,
    cursor: str | None = None,
) -> Pages[MembersThen, str]:
    """Who fulfilled its definition at an instant (ISO 8601)."""
    ...


@get("/v1/segments/{id}/was")
def was(id: str, profile: str, at: str, *, events: int = 0) -> Request[WasMember]:
    """Whether a profile was a member at an instant, as it was announced then, and why."""
    ...
