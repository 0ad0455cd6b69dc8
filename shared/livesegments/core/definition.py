"""The condition language as frozen, tagged structs: exactly the JSON of a segment's `definition`.

A definition is one `Node`. `check.check` reads JSON into nodes and names every fault; nothing else
constructs a node from outside data. What each field means is in docs/conditions.md; here is only
the shape. Durations and dates stay as written (`"30d"`, `"2022-07-01"`); `window` gives them meaning.
"""

from __future__ import annotations

import builtins
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | list[Scalar] | None
"""A value of an attribute or a property; `None` removes an attribute."""

MeasureName = Literal[
    "count", "days", "weeks", "sunday_weeks", "months", "sum", "avg", "min", "max", "distinct"
]
ValueName = Literal["first", "last", "first_at", "last_at", "mode"]
"""What only computed attributes measure."""
PeriodName = Literal["day", "week", "sunday_week", "month", "quarter", "year"]
ConsentState = Literal["opted_in", "opted_out", "none"]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Any piece of a definition: frozen, hashable unless it holds lists, unknown fields refused."""


class Window(Part, frozen=True):
    """Sliding (`last`, `skip`), calendar periods (`period`, and as numbers from now `from`, `to`), absolute
    (the dates `from`, `to`), or, as `None` in its place, ever."""

    last: str | None = None
    skip: str | None = None
    period: PeriodName | None = None
    from_: str | int | None = field(default=None, name="from")
    to: str | int | None = None

    @property
    def moves(self) -> bool:
        """Whether the clock alone takes events out of it."""
        return self.last is not None or self.period is not None


class Filter(Part, frozen=True):
    """One test on a property of an event; all filters of a `where` must hold.

    `when_missing` as written; `value.when_missing` gives what holds where it is left out. `value_list` stands
    instead of a value (module `value_list`). Instead of an op there may be `item` or `no_item`: filters that
    some item, or none, of the list at the path satisfies all of, with paths within the item.
    """

    property: str
    op: str = ""
    value: Any = None
    when_missing: bool | UnsetType = UNSET
    ignore_case: bool = False
    value_list: str | None = None
    item: tuple[Filter, ...] = ()
    no_item: tuple[Filter, ...] = ()

    @builtins.property
    def inner(self) -> tuple[Filter, ...]:
        """Of `item` or `no_item`; empty where it compares by an op."""
        return self.item or self.no_item


class Measure(Part, frozen=True):
    of: MeasureName | ValueName = "count"
    property: str | None = None


class Happening(Part, frozen=True):
    """Events of one `name`, or of any of several `names`, which are counted together."""

    name: str = ""
    names: tuple[str, ...] = ()

    @property
    def called(self) -> tuple[str, ...]:
        """The names of its events, each once, in order."""
        return tuple(sorted({*self.names})) or (self.name,)


class SequenceStep(Happening, frozen=True):
    where: tuple[Filter, ...] = ()
    absent: bool = False


class All(Part, frozen=True, tag="all"):
    of: tuple[Node, ...]


class AnyOf(Part, frozen=True, tag="any"):
    of: tuple[Node, ...]


class Not(Part, frozen=True, tag="not"):
    of: Node


class Attribute(Part, frozen=True, tag="attribute"):
    name: str
    op: str
    value: Any = None
    when_missing: bool | UnsetType = UNSET
    ignore_case: bool = False
    value_list: str | None = None


class Event(Happening, frozen=True, tag="event"):
    where: tuple[Filter, ...] = ()
    window: Window | None = None
    measure: Measure = Measure()
    op: str = "gte"
    value: Any = 1


class Occurrence(Happening, frozen=True, kw_only=True, tag="occurrence"):
    which: Literal["first", "last"]
    where: tuple[Filter, ...] = ()
    has: tuple[Filter, ...] = ()
    window: Window | None = None


class Sequence(Part, frozen=True, tag="sequence"):
    """`same`: the path of a property of which all events of a chain have one value in common."""

    steps: tuple[SequenceStep, ...]
    within: str
    window: Window | None = None
    same: str | None = None


class SegmentRef(Part, frozen=True, tag="segment"):
    id: str


class Tag(Part, frozen=True, tag="tag"):
    """Without a name: any tag."""

    name: str | None = None


class Consent(Part, frozen=True, tag="consent"):
    state: ConsentState
    channel: str | None = None
    topic: str | None = None


class Near(Part, frozen=True, tag="near"):
    attribute: str
    lat: float
    lon: float
    km: float


class Bucket(Part, frozen=True, tag="bucket"):
    """A share of all profiles, in hundredths from 0 to 100; see module `bucket`."""

    salt: str
    from_: float = field(name="from")
    to: float


class Computed(Happening, frozen=True, kw_only=True, tag="computed"):
    """A computed attribute; with `asked`, a condition on one. No author writes it (module `computed`)."""

    where: tuple[Filter, ...] = ()
    window: Window | None = None
    measure: Measure = Measure()
    asked: Attribute | None = None


Node: TypeAlias = (
    All
    | AnyOf
    | Not
    | Attribute
    | Event
    | Occurrence
    | Sequence
    | SegmentRef
    | Tag
    | Consent
    | Near
    | Bucket
    | Computed
)
