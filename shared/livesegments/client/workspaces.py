"""Tenants. All but `own` need an admin key."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.request import Pages, Request, get, patch, post

WeekStart = Literal["monday", "sunday"]


class Workspace(Struct, kw_only=True, frozen=True):
    """A tenant."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    timezone: str
    """The IANA time zone of the workspace's days and dates."""
    created_at: datetime
    """When it was created."""
    version: int
    """Counts every edit; the ETag."""
    quotas: Quotas
    """The most that it may have."""
    merge: bool
    """Whether `identify` with both ids, and `alias`, merge the anonymous profile into the known one."""
    history_days: int
    """For how many days the events of its history are kept, by its own value or the services' setting; 0:
    for ever."""
    week_start: str
    """On which day the weeks begin of definitions that are saved from now on: where it is Sunday, `week` is
    stored as `sunday_week`."""
    degraded: Degraded | None = None
    """Absent while nothing had to be set aside."""


class Quotas(Struct, kw_only=True, frozen=True):
    """The quotas that hold for a workspace: its own, or those of the services' settings. Null: no quota."""

    events_per_s: int | None
    """Events a second; beyond them requests are answered 429, and records of `inbound` wait."""
    segments: int
    """Beyond them creating a segment is answered 409."""
    profiles: int | None
    """Beyond them events of new profiles are in topic `rejected` as `too_many_profiles`."""
    names: int
    """Names of events that are remembered; those seen the longest ago give way."""


class Degraded(Struct, kw_only=True, frozen=True):
    """What a fault of ours keeps from being evaluated. All of it is in topic `rejected` with the code
    `internal_fault`, and can be replayed once the fault is mended. What is owed to profiles is also tried
    again by itself: when a profile is touched, its workspace's definitions change, or an evaluator
    starts."""

    events: int
    """Events set aside."""
    dues: int
    """Profiles with a due time that could not fire."""
    definitions: int
    """Profiles that could not be brought to a change of definitions, or whose history could not be
    counted."""
    last_at: datetime | None
    """The latest, by the clock of its partition."""
    plan: str | None
    """Why the newest definitions can't be compiled: the last good ones hold until then."""


class Workspaces(Struct, kw_only=True, frozen=True):
    """A page of workspaces."""

    workspaces: list[Workspace]
    """The workspaces of this page, the oldest first."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""


@get("/v1/workspace")
def own() -> Request[Workspace]:
    """The key's own workspace, or the one that an admin key names."""
    ...


@get("/v1/workspaces", items="workspaces")
def page(*, search: str = "", limit: int = 100, cursor: str | None = None) -> Pages[Workspaces, Workspace]:
    """All workspaces, the oldest first, or those with a text in their id or name."""
    ...


@get("/v1/workspaces/{id}")
def read(id: str) -> Request[Workspace]:
    """A workspace with its quotas."""
    ...


@post("/v1/workspaces", once=True)
def create(
    name: str,
    *,
    id: str | UnsetType = UNSET,
    timezone: str = "UTC",
    merge: bool = True,
    history_days: int | None = None,
    week_start: WeekStart = "monday",
) -> Request[Workspace]:
    """The api chooses an id if none is given."""
    ...


@patch("/v1/workspaces/{id}")
def edit(
    id: str,
    *,
    if_match: str | int,
    name: str | UnsetType = UNSET,
    timezone: str | UnsetType = UNSET,
    quotas: dict[str, int | None] | UnsetType = UNSET,
    merge: bool | UnsetType = UNSET,
    history_days: int | UnsetType | None = UNSET,
    week_start: WeekStart | UnsetType = UNSET,
) -> Request[Workspace]:
    """Changes what is given. `if_match`: the `version` that was read."""
    ...
