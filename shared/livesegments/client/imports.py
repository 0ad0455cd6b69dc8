"""Profiles from a CSV file: `create`, `send` its bytes, `check` what would become of them, and `start`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.profiles import Consent
from livesegments.client.request import Request, delete, get, part, post

Empty = Literal["skip", "remove"]


class ImportRow(Struct, kw_only=True, frozen=True):
    """What becomes of a row."""

    profile: str
    """The id of the profile."""
    attributes: dict[str, Any]
    """The attributes that it sets; null takes one away."""
    tags: list[str]
    """The tags that it adds."""
    consent: list[Consent]
    """The consents that it sets."""


class ImportReason(Struct, kw_only=True, frozen=True):
    """A fault that rows have."""

    column: str
    """The column; empty: it is about whole rows."""
    code: str
    """Which fault it is."""
    rows: int
    """How many rows have it."""


class ImportFault(Struct, kw_only=True, frozen=True):
    """Why a row can't be taken."""

    row: int
    """The row, from 1; the line of the names doesn't count."""
    column: str
    """The column; empty: it is about the whole row."""
    code: str
    """Which fault it is: `wrong_type`, `bad_email`, `unreadable` and so on."""
    message: str
    """What is wrong."""


class ImportColumn(Struct, kw_only=True, frozen=True):
    """A column of the file."""

    name: str
    """Its name in the first line."""
    samples: list[str]
    """Some of its cells."""
    type: str
    """What its first cells look like."""
    declared: str | None
    """The type of the declared field of this name; null: there is none."""


class Import(Struct, kw_only=True, frozen=True):
    """An import, and how far it is."""

    id: str
    """The id of the import."""
    file_name: str
    """How people know the file."""
    state: str
    """`uploading` (it waits for the file, or to be started), `waiting`, `running` (another process goes on
    where the one that did it died), `done`: all accepted rows are applied; `failed`: `reason` says why."""
    reason: str | None
    """Why it failed, or why it waits."""
    bytes: int
    """So much of the file has come: it goes on at this `offset`."""
    segment: str | None
    """The id of the segment into which they are put."""
    done: int
    """Rows that were looked at."""
    total: int
    """Rows of the file, as far as is known."""
    accepted: int
    """Rows that were taken, or are on their way."""
    refused: int
    """Rows that are in the file of the refused ones: they can't be taken, or not as a whole."""
    refused_file: str | None
    """The path of a CSV file with the refused rows and their reasons, once it is `done`."""
    created_at: datetime
    """When it was made."""
    ended_at: datetime | None
    """When it was `done` or `failed`."""


class Imports(Struct, kw_only=True, frozen=True):
    """The workspace's imports of the last day."""

    imports: list[Import]
    """The newest first."""


class ImportCheck(Struct, kw_only=True, frozen=True):
    """What would become of the file. Nothing has been done."""

    encoding: str
    """How the file is written."""
    delimiter: str
    """What stands between its cells."""
    columns: list[ImportColumn]
    """Its columns."""
    rows: int
    """Rows that were looked at; 0 without a plan."""
    whole: bool
    """Whether these are all of them: of a long file the first 200,000."""
    accepted: int
    """Rows that would be sent to ingest."""
    refused: int
    """Rows that would be refused."""
    preview: list[ImportRow]
    """What would become of the first 10 accepted ones."""
    faults: list[ImportFault]
    """The first faults, 20 at most."""
    reasons: list[ImportReason]
    """The most frequent faults, 20 at most."""


@post("/v1/imports", once=True)
def create(
    *,
    file_name: str = "import.csv",
    encoding: str | UnsetType = UNSET,
    delimiter: str | UnsetType = UNSET,
) -> Request[Import]:
    """Begins an import; then its file is sent."""
    ...


def send(id: str, data: bytes, *, offset: int = 0) -> Request[Import]:
    """The file, or the next part of it, at most 8 MiB: the answer's `bytes` is the next `offset`."""
    return Request(
        method="PUT",
        path=f"/v1/imports/{part(id)}/file",
        answer=Import,
        query={"offset": offset},
        headers={"Content-Type": "text/csv"},
        content=data,
    )


@post("/v1/imports/{id}/columns")
def columns(id: str) -> Request[ImportCheck]:
    """The columns of the file, and what their cells look like."""
    ...


@post("/v1/imports/{id}/check")
def check(
    id: str,
    id_column: str,
    *,
    by_email: bool = False,
    columns: list[dict[str, Any]] | UnsetType = UNSET,
    empty: Empty = "skip",
    segment: str | UnsetType = UNSET,
) -> Request[ImportCheck]:
    """A dry run: what would become of the file."""
    ...


@post("/v1/imports/{id}/start")
def start(
    id: str,
    id_column: str,
    *,
    by_email: bool = False,
    columns: list[dict[str, Any]] | UnsetType = UNSET,
    empty: Empty = "skip",
    segment: str | UnsetType = UNSET,
    new_segment: str | UnsetType = UNSET,
) -> Request[Import]:
    """Takes the rows."""
    ...


@get("/v1/imports")
def read_all() -> Request[Imports]:
    """Those that are under way, and those that ended lately, the newest first."""
    ...


@get("/v1/imports/{id}")
def read(id: str) -> Request[Import]:
    """How far it is."""
    ...


@delete("/v1/imports/{id}")
def cancel(id: str) -> Request[None]:
    """Ends it before its time, or forgets it; what it has sent stays."""
    ...
