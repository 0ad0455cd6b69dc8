"""Persons who go from everything that is kept."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Request, delete, get, post


class Erasure(Struct, kw_only=True, frozen=True):
    """How far an erasure is. It names nobody: keep its id with your own record of the request."""

    id: str
    """Its partition and offset in topic `events`."""
    state: str
    """`accepted`: in the log, not applied yet. `erased`: out of state and segments, and kept out; its files
    still have rows. `done`: they have none any more."""
    requested_at: datetime | None
    """When it was asked for; null while `accepted`."""
    due_at: datetime | None
    """When it will be `done` at the latest; null while `accepted`."""
    profiles: int
    """How many ids the person has, as far as is known: the one that was named, and those that it was merged
    with. The rest is about all of them."""
    segments_left: int
    """How many segments the person was in, and left."""
    archive_at: datetime | None
    """When no file of the archive had anything of it any more."""
    checkpoints_at: datetime | None
    """When no checkpoint had anything of it any more."""
    names_at: datetime | None
    """When its values were out of the names that were seen."""
    done_at: datetime | None
    """When it was `done`."""
    suppressed: bool
    """Whether later events of the profile are dropped."""


@post("/v1/erasures", once=True)
def create(profile: str, *, at_once: bool = False) -> Request[Erasure]:
    """It can't be undone."""
    ...


@get("/v1/erasures/{id}")
def read(id: str) -> Request[Erasure]:
    """How far it is."""
    ...


@delete("/v1/erasures/{id}")
def lift(id: str) -> Request[None]:
    """Later events of the person are taken in again; what was erased stays erased."""
    ...
