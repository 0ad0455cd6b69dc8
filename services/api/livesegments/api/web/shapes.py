"""What bodies of several resources share. Names are snake_case, instants ISO 8601 in UTC, ids as given."""

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
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from livesegments.api.web import times
from livesegments.api.web.problems import COMPONENT, FAULTS
from livesegments.api.web.texts import Label, ProfileId, fault
from livesegments.core.check import MAX_BYTES, check
from livesegments.core.circle import Dependents
from livesegments.core.declared import Declarations
from livesegments.core.definition import Computed, Node
from livesegments.core.fault import Fault
from livesegments.core.weeks import MONDAY

CONDITION = {COMPONENT: "Condition"}

Labels = Annotated[list[Label], Field(max_length=50)]
ProfileIds = Annotated[list[ProfileId], Field(min_length=1, max_length=1_000)]
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T09:30:00.000Z"])
]


def instant(text: str) -> str:
    try:
        times.parse(text)
    except (ValueError, OverflowError) as error:
        raise fault("bad_date", "must be an instant in ISO 8601, such as 2026-01-31T09:30:00Z") from error
    return text


Since = Annotated[
    str,
    AfterValidator(instant),
    Field(max_length=40, json_schema_extra={"format": "date-time"}, examples=["2026-01-31T09:30:00Z"]),
]
State = Literal["building", "ready", "archived"]


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
    declared: Declarations | None = None


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
            declared=against.declared if against else None,
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


class Done(BaseModel):
    """`done` of `total` stored profiles are evaluated under the present definition."""

    done: int
    total: int
    estimated_end: Instant | None = Field(
        None, description="While it is built: when that ends, by the pace since that began."
    )


class Profiles(In):
    profiles: ProfileIds


class Accepted(BaseModel):
    """Acknowledged by the broker; applied within moments."""

    accepted: int
