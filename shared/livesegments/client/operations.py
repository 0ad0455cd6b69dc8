"""For those who run it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Request, get, post


class CoursePoint(Struct, kw_only=True, frozen=True):
    """The most of everything that waited within one step."""

    at: datetime
    """When the step began."""
    records: int
    """Records of topic `events` not yet applied; one may hold many events."""
    due: int
    """How many due times lie before the partition's clock."""
    outbox: int
    """How many commits are not announced yet."""
    recounts: int
    """How many profiles have events that are still to be taken back."""
    inbound: int
    """Records of topic `inbound` not yet accepted or rejected."""


class Course(Struct, kw_only=True, frozen=True):
    """`Course` of OpenAPI."""

    to: datetime
    """When it was read."""
    step_s: int
    """From one point to the next, in seconds."""
    points: list[CoursePoint]
    """The oldest first; steps in which nobody looked are missing."""


class Lag(Struct, kw_only=True, frozen=True):
    """`revision`: the catalogue's newest; a partition's: the one that it has adopted."""

    partitions: list[PartitionLag]
    """The state of every partition."""
    inbound: int
    """Records of topic `inbound` not yet accepted or rejected."""
    revision: int
    """A revision of the catalogue: of a partition the one that it has adopted, else the newest."""


class PartitionLag(Struct, kw_only=True, frozen=True):
    """`end` and `applied` are next offsets of topic `events`; `outbox`: commits not yet announced; `due`:
    profiles with a due time that the partition's clock has passed and that has not fired yet; `recounts`:
    profiles with events that are still to be taken back; `handing`: commits whose merged profiles still
    hand their history over, which becomes records of other partitions."""

    partition: int
    """The number of the partition."""
    end: int
    """The offset after the last record of the partition."""
    applied: int
    """The next offset that the evaluator applies."""
    outbox: int
    """How many commits are not announced yet."""
    due: int
    """How many due times lie before the partition's clock."""
    recounts: int
    """How many profiles have events that are still to be taken back."""
    handing: int
    """Of how many commits merged profiles still hand their history over."""
    revision: int
    """A revision of the catalogue: of a partition the one that it has adopted, else the newest."""
    clock: datetime | None
    """The partition's clock; null before the first event."""


class ClockMoved(Struct, kw_only=True, frozen=True):
    """The offset after the control record, by partition."""

    to: datetime
    """The instant at which it ends; with `period`, the last period, as a number from now."""
    offsets: list[int]
    """The offset after the control record, by partition."""


class Health(Struct, kw_only=True, frozen=True):
    """`ok`."""

    status: str
    """`ok`."""


@get("/v1/lag")
def lag() -> Request[Lag]:
    """What is acknowledged, and what of that is applied and announced."""
    ...


@get("/v1/lag/course")
def lag_course() -> Request[Course]:
    """What waited over the last hour, step by step."""
    ...


@post("/v1/clock", once=True)
def move_clock(to: str | int) -> Request[ClockMoved]:
    """In mode `log`: moves the clock of all workspaces on; needs the scope `operate`."""
    ...


@get("/healthz")
def alive() -> Request[Health]:
    """The process answers."""
    ...


@get("/readyz")
def ready() -> Request[Health]:
    """Store, broker and evaluators are there."""
    ...
