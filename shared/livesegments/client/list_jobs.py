"""An audience is saved as the list of a static segment, added to it, or taken off it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from livesegments.client.request import Request, delete, get, post

How = Literal["append", "replace", "remove"]


class ListJob(Struct, kw_only=True, frozen=True):
    """How far a job is."""

    id: str
    """Its id."""
    segment: str
    """The id of the static segment."""
    how: str
    """As it was asked for."""
    audience: dict[str, Any]
    """As it was asked for."""
    state: str
    """`running` (another process goes on where the one that did it died), `done`: all is accepted, and
    applied within moments; `failed`: run it again."""
    reason: str | None
    """Why it failed, or why it waits while it is `running`."""
    done: int
    """How many profiles of the audience were looked at so far."""
    total: int
    """How many there were when it began."""
    added: int
    """How many were put on the list."""
    removed: int
    """How many were taken off it."""
    begun_at: datetime
    """When it began."""


class ListJobs(Struct, kw_only=True, frozen=True):
    """The workspace's jobs of the last day, the newest first."""

    jobs: list[ListJob]
    """At most 20."""


@post("/v1/list-jobs", once=True)
def create(segment: str, audience: Any, *, how: How = "append") -> Request[ListJob]:
    """Begins a job; a small one has ended when this is answered."""
    ...


@get("/v1/list-jobs")
def read_all() -> Request[ListJobs]:
    """Those that are under way, and those that ended lately, the newest first."""
    ...


@get("/v1/list-jobs/{id}")
def read(id: str) -> Request[ListJob]:
    """How far it is."""
    ...


@delete("/v1/list-jobs/{id}")
def cancel(id: str) -> Request[None]:
    """Ends a job before its time, or forgets one that has ended. What it has sent stays."""
    ...
