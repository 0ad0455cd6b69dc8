"""The bodies of requests and answers. Names are snake_case, instants ISO 8601 in UTC, ids as given."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from livesegments.api import times
from livesegments.api.problems import FAULTS, VARIANT
from livesegments.core.check import MAX_BYTES, check
from livesegments.core.definition import Node

ID_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NO_NUL = "^[^\\x00]*$"
DYNAMIC, STATIC = f"{VARIANT}dynamic", f"{VARIANT}static"
CONDITION = {"$condition": True}
"""Becomes a reference to the condition language's schema (module `openapi`)."""

INSTANT = {
    "anyOf": [
        {"type": "integer", "minimum": times.MIN_MS, "maximum": times.MAX_MS},
        {"type": "string", "format": "date-time", "maxLength": 40},
    ]
}

Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=64, examples=["newsletter"])]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern="^[^\\x00-\\x1f]*\\S[^\\x00-\\x1f]*$")
]
Description = Annotated[str, Field(max_length=2_000, pattern=NO_NUL)]
Label = Annotated[str, Field(min_length=1, max_length=100, pattern="^[^\\x00-\\x1f]+$")]
Labels = Annotated[list[Label], Field(max_length=50)]
ProfileId = Annotated[str, Field(min_length=1, max_length=300, pattern="^[^\\x00]+$", examples=["ada"])]
ProfileIds = Annotated[list[ProfileId], Field(min_length=1, max_length=1_000)]
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T09:30:00.000Z"])
]
State = Literal["building", "ready"]
KeyScope = Literal["ingest", "read", "write", "operate"]


class Known(NamedTuple):
    """What a definition is checked against: see `check`."""

    timezone: str
    others: Mapping[str, Node | None]
    segment: str | None


known: ContextVar[Known | None] = ContextVar("known", default=None)
"""Set by a route before its body is read, so that a definition's own faults, those against the other segments
and the rest of the body's are told at once. (What is written is checked again on the newest snapshot.)"""


def _definition(document: Any) -> Any:
    faults = definition_faults(document)
    if faults:
        raise PydanticCustomError("definition", "the definition has faults", {FAULTS: faults})
    return document


def definition_faults(document: Any) -> list[tuple[str, str, str]]:
    """(pointer within the definition, code, message)."""
    size = len(msgspec.json.encode(document))
    if size > MAX_BYTES:
        return [("", "too_long", f"{size} bytes; at most {MAX_BYTES} are allowed")]
    against = known.get()
    _, faults = check(
        document,
        timezone=against.timezone if against else "UTC",
        others=against.others if against else None,
        segment_id=against.segment if against else None,
    )
    return [(fault.pointer, fault.code, fault.message) for fault in faults]


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError
        raise PydanticCustomError("timezone", "not an IANA time zone") from error
    return name


def _instant(value: Any) -> int:
    try:
        ms = times.parse(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        ms = None
    if type(ms) is not int or not times.MIN_MS <= ms <= times.MAX_MS:
        raise PydanticCustomError("instant", "neither an ISO 8601 instant nor milliseconds UTC")
    return ms


Definition = Annotated[Any, AfterValidator(_definition), WithJsonSchema(CONDITION)]
Timezone = Annotated[
    str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_+/-]+$", examples=["Europe/Berlin"]),
    AfterValidator(_timezone),
]  # fmt: skip


class In(BaseModel):
    """A request's body: no coercion, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class NewWorkspace(In):
    name: Name
    id: Id | None = Field(None, description="Chosen by us where it isn't given.")
    timezone: Timezone = "UTC"


class WorkspaceOut(BaseModel):
    id: Id
    name: str
    timezone: str
    created_at: Instant


class Workspaces(BaseModel):
    workspaces: list[WorkspaceOut]
    next_cursor: str | None = None


class NewKey(In):
    name: Name
    scopes: list[KeyScope] = Field(
        min_length=1,
        max_length=4,
        description="`operate` moves the clock of all workspaces (mode `log`): for those who run it.",
    )


class KeyOut(BaseModel):
    """`id` is the beginning of the key's digest."""

    id: str
    name: str
    scopes: list[str]
    created_at: Instant


class MadeKey(KeyOut):
    key: str = Field(description="The secret. It is shown this once: only its SHA-256 is kept.")


class Keys(BaseModel):
    keys: list[KeyOut]


EXAMPLE: JsonDict = {
    "name": "Recent buyers",
    "definition": {"type": "event", "name": "order_placed", "window": {"last": "30d"}},
}


class NewDynamic(In):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    definition: Definition
    id: Id | None = Field(None, description="Chosen by us where it isn't given.")
    type: Literal["dynamic"] = "dynamic"
    description: Description = ""
    tags: Labels = []


class NewStatic(In):
    name: Name
    type: Literal["static"]
    id: Id | None = Field(None, description="Chosen by us where it isn't given.")
    definition: None = None
    description: Description = ""
    tags: Labels = []


def _kind(body: Any) -> str:
    given = body.get("type") if isinstance(body, dict) else None
    return STATIC if given == "static" else DYNAMIC


NewSegment = Annotated[
    Annotated[NewDynamic, Tag(DYNAMIC)] | Annotated[NewStatic, Tag(STATIC)], Discriminator(_kind)
]


class SegmentPatch(In):
    """JSON merge patch (RFC 7396): what isn't named stays; null empties description and tags."""

    name: Name = Field(default_factory=str)
    definition: Definition = Field(default_factory=lambda: None)
    description: Description | None = None
    tags: Labels | None = None


class Done(BaseModel):
    """`done` of `total` stored profiles are evaluated under the present definition."""

    done: int
    total: int


class SegmentOut(BaseModel):
    id: Id
    name: str
    type: Literal["dynamic", "static"]
    description: str
    tags: list[str]
    definition: Annotated[Any, WithJsonSchema({"anyOf": [CONDITION, {"type": "null"}]})] = Field(
        description="Null for a static segment."
    )
    version: int = Field(description="Counts every edit; the ETag.")
    definition_version: int = Field(description="Counts edits of the definition; transitions carry it.")
    created_at: Instant
    updated_at: Instant
    count: int = Field(description="Members now.")
    state: State
    progress: Done
    complete_since: Instant | None = Field(
        description="Events are counted from then on; null: all there ever were."
    )


class Segments(BaseModel):
    segments: list[SegmentOut]
    next_cursor: str | None = None


class Count(BaseModel):
    count: int


class MemberTimes(BaseModel):
    id: str
    entered_at: Instant | None
    valid_until: Instant | None = Field(
        description="When the clock alone will end the membership; null: never, as things are."
    )


class MembersOut(BaseModel):
    """Ids; with `include=times` objects."""

    members: list[str] | list[MemberTimes]
    next_cursor: str | None = None


class Membership(BaseModel):
    """`valid_until`: when the clock alone will change the answer; null: never, as things are."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None
    valid_until: Instant | None = None


class Profiles(In):
    profiles: ProfileIds


class Checked(BaseModel):
    """In the order asked for."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None


class Checks(BaseModel):
    memberships: list[Checked]


class Accepted(BaseModel):
    """Acknowledged by the broker; applied within moments."""

    accepted: int


class ConsentOut(BaseModel):
    state: Literal["opted_in", "opted_out", "none"]
    channel: str | None
    topic: str | None


class ProfileSegment(BaseModel):
    id: str
    name: str
    entered_at: Instant
    valid_until: Instant | None


class ProfileOut(BaseModel):
    id: str
    attributes: dict[str, Any]
    tags: list[str]
    consent: list[ConsentOut]
    groups: list[str]
    score: float | int | None
    segments: list[ProfileSegment]


class PartitionLag(BaseModel):
    """`end` and `applied` are next offsets of topic `events`; `outbox`: commits not yet announced; `due`:
    profiles with a due time that the partition's clock has passed and that has not fired yet."""

    partition: int
    end: int
    applied: int
    outbox: int
    due: int
    revision: int
    clock: Instant | None


class Lag(BaseModel):
    """`revision`: the catalogue's newest; a partition's: the one that it has adopted."""

    partitions: list[PartitionLag]
    inbound: int = Field(description="Records of topic `inbound` not yet accepted or rejected.")
    revision: int


class ClockTo(In):
    """`to` is milliseconds inside."""

    to: Annotated[Any, PlainValidator(_instant), WithJsonSchema(INSTANT)] = Field(
        examples=["2026-01-31T09:30:00Z"], description="ISO 8601, or milliseconds UTC."
    )


class ClockMoved(BaseModel):
    """The offset after the control record, by partition."""

    to: Instant
    offsets: list[int]


class Health(BaseModel):
    status: Literal["ok"]
