"""The bodies of requests and answers. Names are snake_case, instants ISO 8601 in UTC, ids as given."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import available_timezones

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from livesegments.api import times
from livesegments.api.problems import COMPONENT, FAULTS, VARIANT, FaultOut
from livesegments.api.texts import Description, Label, Name, ProfileId, SegmentId, fault
from livesegments.core.check import MAX_BYTES, Dependents, check
from livesegments.core.definition import Computed, Node
from livesegments.core.fault import Fault
from livesegments.core.weeks import MONDAY

DYNAMIC, STATIC = f"{VARIANT}dynamic", f"{VARIANT}static"
CONDITION = {COMPONENT: "Condition"}

INSTANT = {
    "anyOf": [
        {"type": "integer", "minimum": times.MIN_MS, "maximum": times.MAX_MS},
        {"type": "string", "format": "date-time", "maxLength": 40},
    ]
}

Labels = Annotated[list[Label], Field(max_length=50)]
ProfileIds = Annotated[list[ProfileId], Field(min_length=1, max_length=1_000)]
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T09:30:00.000Z"])
]
State = Literal["building", "ready"]
KeyScope = Literal["ingest", "read", "write", "operate"]


class Known(NamedTuple):
    """What a definition is checked against: see `check`. `revision` is that of the snapshot of `others` and
    `lists`."""

    timezone: str
    others: Mapping[str, Node | None]
    segment: str | None
    revision: str
    dependents: Dependents | None = None
    lists: Mapping[str, str] | None = None
    week_start: str = MONDAY
    computed: Mapping[str, Computed] | None = None


known: ContextVar[Known | None] = ContextVar("known", default=None)
"""Set by a route before its body is read, so that a definition's own faults, those against the other segments
and the rest of the body's are told at once. (It is checked again only if the segments have changed since.)"""


class Defined(NamedTuple):
    """A definition that was decoded and checked, at the revision of the segments."""

    document: Any
    node: Node
    revision: str


def _definition(document: Any) -> Defined:
    size = len(msgspec.json.encode(document))
    against = known.get()
    node, faults = None, [Fault("", "too_long", f"{size} bytes; at most {MAX_BYTES} are allowed")]
    if size <= MAX_BYTES:
        node, faults = check(
            document,
            timezone=against.timezone if against else "UTC",
            others=against.others if against else None,
            segment_id=against.segment if against else None,
            dependents=against.dependents if against else None,
            lists=against.lists if against else None,
            week_start=against.week_start if against else MONDAY,
            computed=against.computed if against else None,
        )
    if node is None:
        raise PydanticCustomError("definition", "the definition has faults", {FAULTS: faults})
    return Defined(document, node, against.revision if against else "")


def _timezone(name: str) -> str:
    """Files beside the zones (`localtime`, `posixrules`, `tzdata.zi`) are zones of a machine, or none."""
    if name not in _zones():
        raise fault("timezone", "is not an IANA time zone: Europe/Berlin, say, or UTC")
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def _instant(value: Any) -> int:
    try:
        ms = times.parse(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        ms = None
    if type(ms) is not int or not times.MIN_MS <= ms <= times.MAX_MS:
        raise fault("instant", "is neither an ISO 8601 instant nor milliseconds UTC")
    return ms


Definition = Annotated[Any, AfterValidator(_definition), WithJsonSchema(CONDITION)]
Timezone = Annotated[
    str,
    Field(examples=["Europe/Berlin"]),
    AfterValidator(_timezone),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_+/-]+$"}),
]


class In(BaseModel):
    """A request's body: no coercion, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


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
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    type: Literal["dynamic"] = "dynamic"
    description: Description = ""
    tags: Labels = []


class NewStatic(In):
    name: Name
    type: Literal["static"]
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
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
    estimated_end: Instant | None = Field(
        None, description="While it is built: when that ends, by the pace since the last edit."
    )


class SegmentOut(BaseModel):
    id: SegmentId
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
    """Since when and until when at most a profile is a member."""

    profile: str
    entered_at: Instant | None
    valid_until: Instant | None = Field(
        description="When the clock alone will end the membership; null: never, as things are."
    )


class MemberFields(BaseModel):
    """Values of a member."""

    profile: str
    fields: dict[str, Any] = Field(
        description="Name → value; a name that the profile has no value for is left out."
    )


class MembersOut(BaseModel):
    """A page of members."""

    members: list[str]
    times: list[MemberTimes] = Field(
        [], description="One for every member of the page, in the same order; empty without `include=times`."
    )
    next_cursor: str | None = None
    fields: list[MemberFields] = Field(
        [], description="One for every member of the page, in the same order; absent without `fields`."
    )
    warnings: list[FaultOut] = Field(
        [],
        description="The computed attributes that are still given their history, so that their values are "
        "left out (`building`); absent without `fields`.",
    )


class Membership(BaseModel):
    """`valid_until`: when the clock alone will change the answer; null: never, as things are."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None
    valid_until: Instant | None = None


class Profiles(In):
    profiles: ProfileIds


class MemberChecked(BaseModel):
    """In the order asked for."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None


class Checks(BaseModel):
    memberships: list[MemberChecked]


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


class ComputedOut(BaseModel):
    """A computed attribute of a profile."""

    value: Any = Field(description="A number, an instant, or a value of an event; null: there is none.")
    changes_at: Instant | None = Field(
        description="When the clock alone changes it, if nothing else happens; null: never."
    )


class ProfileOut(BaseModel):
    """What is known of one profile."""

    profile: str
    attributes: dict[str, Any]
    tags: list[str]
    consent: list[ConsentOut]
    groups: list[str]
    score: float | int | None
    segments: list[ProfileSegment]
    computed: dict[str, ComputedOut] = Field(
        default_factory=dict,
        description="The computed attributes by id, but for those that are still given their history.",
    )
    merged_into: str | None = Field(
        None, description="The profile that this one was merged into; then nothing else is known of it."
    )


class PartitionLag(BaseModel):
    """`end` and `applied` are next offsets of topic `events`; `outbox`: commits not yet announced; `due`:
    profiles with a due time that the partition's clock has passed and that has not fired yet; `recounts`:
    profiles with events that are still to be taken back."""

    partition: int
    end: int
    applied: int
    outbox: int
    due: int
    recounts: int
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
