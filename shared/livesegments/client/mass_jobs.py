"""One change of many profiles: `count` gives the token with which `begin` starts it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.request import Request, delete, get, post

Action = Literal["update", "delete", "reset_score"]


class MassJob(Struct, kw_only=True, frozen=True):
    """How far a job is."""

    id: str
    """The id of the job."""
    action: str
    """What it does."""
    state: str
    """`running` (another process goes on where the one that did it died), `done`: all is accepted, and
    applied within moments."""
    reason: str | None
    """Why it failed, or why it waits."""
    done: int
    """So many profiles were changed so far."""
    total: int
    """So many were confirmed; no more are changed."""
    audience: dict[str, Any] | None
    """Whom it is about; null: a list of ids."""
    begun_at: datetime
    """When it was begun."""
    ended_at: datetime | None
    """When it was `done` or `failed`."""


class MassJobs(Struct, kw_only=True, frozen=True):
    """The workspace's mass jobs of the last day."""

    jobs: list[MassJob]
    """The newest first."""


class MassCount(Struct, kw_only=True, frozen=True):
    """How many profiles it would be about. Nothing has been done."""

    count: int
    """How many profiles there are now."""
    confirm: str
    """Begins just this job (`POST /v1/mass-jobs`), once, of no more profiles than these."""
    expires_at: datetime
    """Until then."""


@post("/v1/mass-jobs/count")
def count(
    action: Action,
    *,
    audience: Any = UNSET,
    profiles: list[str] | UnsetType = UNSET,
    attributes: dict[str, Any] | UnsetType = UNSET,
    tags: dict[str, list[str]] | UnsetType = UNSET,
    reason: str | UnsetType = UNSET,
    keep_out: bool | UnsetType = UNSET,
) -> Request[MassCount]:
    """How many profiles it would be about; `confirm` of the answer begins just this."""
    ...


@post("/v1/mass-jobs", once=True)
def begin(
    action: Action,
    confirm: str,
    *,
    audience: Any = UNSET,
    profiles: list[str] | UnsetType = UNSET,
    attributes: dict[str, Any] | UnsetType = UNSET,
    tags: dict[str, list[str]] | UnsetType = UNSET,
    reason: str | UnsetType = UNSET,
    keep_out: bool | UnsetType = UNSET,
) -> Request[MassJob]:
    """Begins what was counted."""
    ...


@get("/v1/mass-jobs")
def read_all() -> Request[MassJobs]:
    """Those that are under way, and those that ended lately, the newest first."""
    ...


@get("/v1/mass-jobs/{id}")
def read(id: str) -> Request[MassJob]:
    """How far it is."""
    ...


@delete("/v1/mass-jobs/{id}")
def cancel(id: str) -> Request[None]:
    """Ends it before its time, or forgets it; what it has changed stays changed."""
    ...
