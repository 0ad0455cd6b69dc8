"""Exports: a segment's members with chosen values as a file, which `Client.download` reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from livesegments.client import request
from livesegments.client.request import Request, get, post

Format = Literal["csv", "ndjson", "parquet"]
Included = Literal["entered_at", "valid_until", "updated_at", "tags", "consent", "groups"]


class Export(Struct, kw_only=True, frozen=True):
    """An export, and where its file is."""

    id: str
    """The id of the export."""
    segment: str
    """The id of the segment."""
    state: str
    """`waiting`, `running` (begun anew where the process that made it died), `done` with a file, or
    `failed`: then `error` says why."""
    progress: ExportProgress
    """How far it is."""
    format: str
    """The form of the file."""
    fields: list[str]
    """The chosen fields, in the order of the columns."""
    include: list[str]
    """What else is given of a member, in the order of the columns."""
    entered_since: datetime | None
    """Since when members must have entered; null: ever."""
    updated_since: datetime | None
    """Since when they must have changed; null: ever."""
    rows: int
    """Members in the file so far."""
    bytes: int
    """The size of the whole file; 0 until it is `done`."""
    building: list[str]
    """Ids of computed attributes that were still given their history: some rows lack them."""
    error: str | None
    """Why it `failed`."""
    created_at: datetime
    """When it was asked for."""
    ended_at: datetime | None
    """When it was `done` or `failed`."""
    kept_until: datetime | None
    """When the file is removed at the latest."""
    file: str | None
    """The path under which the file is read, once `done`."""


class Exports(Struct, kw_only=True, frozen=True):
    """The exports of a segment that are under way or kept."""

    exports: list[Export]
    """The newest first."""


class ExportProgress(Struct, kw_only=True, frozen=True):
    """How far an export is."""

    done: int
    """Members that were looked at."""
    total: int
    """Members that there were when it began."""


@post("/v1/segments/{id}/exports", once=True)
def create(
    id: str,
    *,
    format: Format = "csv",
    fields: Sequence[str] = (),
    include: Sequence[Included] = (),
    entered_since: str | None = None,
    updated_since: str | None = None,
) -> Request[Export]:
    """Asks for a file; read the export until its `state` is `done`."""
    ...


@get("/v1/segments/{id}/exports")
def read_all(id: str) -> Request[Exports]:
    """Those that are under way or kept, the newest first."""
    ...


@get("/v1/segments/{id}/exports/{export}")
def read(id: str, export: str) -> Request[Export]:
    """How far it is."""
    ...


@request.delete("/v1/segments/{id}/exports/{export}")
def delete(id: str, export: str) -> Request[None]:
    """Removes it and its file; one that is under way ends."""
    ...
