"""The bodies of requests and answers about workspaces."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from livesegments.api.web.shapes import In, Instant, Timezone
from livesegments.api.web.texts import Name, SegmentId

MERGES = "Whether `identify` with both ids, and `alias`, merge the anonymous profile into the known one."


HISTORY_DAYS = (
    "For how many days the events of its history are kept; 0: for ever; null: as the services' setting has "
    "it. Running segments are not touched by what goes."
)
MOST_DAYS = 36_525


WeekStart = Literal["monday", "sunday"]
WEEK_START = (
    "On which day the weeks begin of definitions that are saved from now on: where it is Sunday, `week` is "
    "stored as `sunday_week`."
)


class NewWorkspace(In):
    name: Name
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    timezone: Timezone = "UTC"
    merge: bool = Field(True, description=MERGES)
    history_days: int | None = Field(None, ge=0, le=MOST_DAYS, description=HISTORY_DAYS)
    week_start: WeekStart = Field("monday", description=WEEK_START)


MAX_QUOTA_NAMES = 2_000


class QuotasPatch(In):
    """JSON merge patch: what isn't named stays; null takes the workspace's own quota away, and the services'
    setting holds."""

    events_per_s: int | None = Field(None, ge=1, le=10_000_000, description="Events a second.")
    segments: int | None = Field(None, ge=1, le=20_000, description="Segments.")
    profiles: int | None = Field(None, ge=1, le=10_000_000_000, description="Profiles that are stored.")
    names: int | None = Field(
        None, ge=1, le=MAX_QUOTA_NAMES, description="Names of events that are remembered."
    )


class WorkspacePatch(In):
    """JSON merge patch (RFC 7396): what isn't named stays."""

    name: Name = Field(default_factory=str, description="How people call it.")
    timezone: Timezone = Field(default_factory=str, description="The IANA time zone of its days and dates.")
    quotas: QuotasPatch = Field(default_factory=QuotasPatch, description="The most that it may have.")
    merge: bool = Field(default_factory=bool, description=MERGES)
    history_days: int | None = Field(None, ge=0, le=MOST_DAYS, description=HISTORY_DAYS)
    week_start: WeekStart = Field(default_factory=lambda: "monday", description=WEEK_START)


class QuotasOut(BaseModel):
    """The quotas that hold for a workspace: its own, or those of the services' settings. Null: no quota."""

    events_per_s: int | None = Field(
        description="Events a second; beyond them requests are answered 429, and records of `inbound` wait."
    )
    segments: int = Field(description="Beyond them creating a segment is answered 409.")
    profiles: int | None = Field(
        description="Beyond them events of new profiles are in topic `rejected` as `too_many_profiles`."
    )
    names: int = Field(
        description="Names of events that are remembered; those seen the longest ago give way."
    )


class Degraded(BaseModel):
    """What a fault of ours keeps from being evaluated. All of it is in topic `rejected` with the code
    `internal_fault`, and can be replayed once the fault is mended. What is owed to profiles is also tried
    again by itself: when a profile is touched, its workspace's definitions change, or an evaluator starts."""

    events: int = Field(description="Events set aside.")
    dues: int = Field(description="Profiles with a due time that could not fire.")
    definitions: int = Field(
        description="Profiles that could not be brought to a change of definitions, or whose history could "
        "not be counted."
    )
    last_at: Instant | None = Field(description="The latest, by the clock of its partition.")
    plan: str | None = Field(
        description="Why the newest definitions can't be compiled: the last good ones hold until then."
    )


class WorkspaceOut(BaseModel):
    id: SegmentId
    name: str
    timezone: str
    created_at: Instant
    version: int = Field(description="Counts every edit; the ETag.")
    quotas: QuotasOut = Field(description="The most that it may have.")
    merge: bool = Field(description=MERGES)
    history_days: int = Field(
        description="For how many days the events of its history are kept, by its own value or the services' "
        "setting; 0: for ever."
    )
    week_start: str = Field(description=WEEK_START)
    degraded: Degraded | None = Field(None, description="Absent while nothing had to be set aside.")


class Workspaces(BaseModel):
    workspaces: list[WorkspaceOut]
    next_cursor: str | None = None
