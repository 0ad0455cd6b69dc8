"""Lists that are kept equal to databases and files of others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client import request
from livesegments.client.request import Request, get, post, put


class Connections(Struct, kw_only=True, frozen=True):
    """What the deployment lets lists be read from. Where they lead to isn't shown."""

    connections: list[Connection]
    """By name."""


class Connection(Struct, kw_only=True, frozen=True):
    """A connection that the workspace may use."""

    name: str
    """Its name."""
    kind: str
    """What it leads to."""


class Sources(Struct, kw_only=True, frozen=True):
    """All sources of the workspace, by segment."""

    sources: list[Source]
    """All that there are."""


class Source(Struct, kw_only=True, frozen=True):
    """A source as it is now. Passwords stand in the deployment alone."""

    segment: str
    """The id of the static segment."""
    connection: str
    """As it was given; so are the others up to `most_gone`."""
    table: str
    """As it was given."""
    query: str
    """As it was given."""
    url: str
    """As it was given."""
    path: str
    """As it was given."""
    format: str
    """As it was given."""
    column: str
    """As it was given."""
    every_s: int
    """As it was given."""
    most_gone: float
    """As it was given."""
    next_at: datetime | None
    """When it is read next; null: when it is asked for."""
    now: Now | None
    """The run that is under way; null: none is."""
    last: LastRun | None
    """The last run that has ended; null: none has."""


class Now(Struct, kw_only=True, frozen=True):
    """A run that has not ended yet."""

    rows: int
    """Rows that were read so far."""
    added: int
    """Profiles that were put on the list so far."""
    removed: int
    """Profiles that were taken off it so far."""
    reason: str | None
    """Why it waits; null: it doesn't."""


class LastRun(Struct, kw_only=True, frozen=True):
    """How the last run that ended went."""

    state: str
    """`held`: more members would have gone than may, so nothing was changed."""
    begun_at: datetime
    """When it began."""
    ended_at: datetime
    """When it ended."""
    error: str | None
    """Why it was held or failed; null: it was done."""
    rows: int
    """Rows that were read."""
    odd: int
    """Rows of them whose value is no profile's id; they were passed over."""
    added: int
    """Profiles that were put on the list."""
    removed: int
    """Profiles that were taken off it."""
    gone: int
    """Of a run that was held: how many members would have gone."""


@get("/v1/connections")
def connections() -> Request[Connections]:
    """What a source may be read from."""
    ...


@get("/v1/sources")
def every() -> Request[Sources]:
    """All lists that are kept equal to something."""
    ...


@get("/v1/segments/{id}/source")
def read(id: str) -> Request[Source]:
    """What a list is kept equal to, and how its last run went."""
    ...


@put("/v1/segments/{id}/source")
def write(
    id: str,
    *,
    connection: str = "",
    table: str = "",
    query: str = "",
    url: str = "",
    path: str = "",
    format: Literal["csv", "ndjson"] = "csv",
    column: str = "",
    every_s: int = 0,
    most_gone: float = 0.5,
) -> Request[Source]:
    """Keep a list equal to it."""
    ...


@request.delete("/v1/segments/{id}/source")
def delete(id: str) -> Request[None]:
    """The list stays, and follows nothing any more."""
    ...


@post("/v1/segments/{id}/source/runs", once=True)
def run(id: str, *, may_remove: int | UnsetType = UNSET) -> Request[Source]:
    """Read it now; with `may_remove`, so many members may go."""
    ...
