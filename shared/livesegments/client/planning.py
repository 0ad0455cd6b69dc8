"""What a definition would come to, and what a segment comes to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from livesegments.client.common import Warned
from livesegments.client.request import Request, get, post


class Preview(Struct, kw_only=True, frozen=True):
    """Who fulfils a definition, by the whole of history up to now."""

    at: datetime
    """The instant that it is of."""
    profiles: int
    """How many profiles there are."""
    count: int
    """How many fulfil the definition."""
    margin: int
    """0: `count` is exact. Else in 19 of 20 cases the true number is no further from it; the other counts
    are estimates as well."""
    nodes: list[NodeCount]
    """The count of every node, parents before their children."""
    sample: list[Sample]
    """Some of those who fulfil it, always the same ones."""
    lacking: list[Lacking]
    """The conditions of attributes that some profiles lack, and how many."""
    warnings: list[Warned]
    """Conditions that hold for everyone or for no one, names that were never seen, and windows that reach
    back beyond the history that is kept (`history_short`)."""
    cost: Cost | None
    """What a profile would keep for it; null of an estimate."""


class NodeCount(Struct, kw_only=True, frozen=True):
    """For how many profiles one node of the definition holds."""

    pointer: str
    """A JSON pointer of the node within the definition; empty: the whole."""
    count: int
    """For how many profiles the node holds."""


class Sample(Struct, kw_only=True, frozen=True):
    """One profile, and what decided about it."""

    profile: str
    """The profile's id."""
    conditions: list[NodeSeen]
    """The definition's conditions, in its order."""


class Lacking(Struct, kw_only=True, frozen=True):
    """A condition of an attribute that some profiles don't have."""

    pointer: str
    """A JSON pointer of the condition within the definition."""
    attribute: str
    """The attribute's name."""
    count: int
    """How many profiles lack it."""
    excluded: bool
    """Whether the condition leaves these out; a negative one, such as `neq`, holds for them."""


class Cost(Struct, kw_only=True, frozen=True):
    """What every profile would keep for the definition."""

    new_facts: int
    """How many facts would be kept that no segment reads yet."""
    bytes_a_profile: float | None
    """What these take in a profile's state on average; null where no profile was looked at."""
    looked_at: int
    """How many profiles that was measured on, drawn at random."""
    shared: list[Shared]
    """The conditions that cost nothing more, and why."""


class NodeSeen(Struct, kw_only=True, frozen=True):
    """What one condition saw of a profile."""

    pointer: str
    """A JSON pointer of the condition within the definition."""
    holds: bool
    """Whether the condition holds for the profile."""
    value: Any
    """What was compared: the attribute's value, or what the measure came to; else null."""


class Shared(Struct, kw_only=True, frozen=True):
    """A condition whose fact other segments read, too: it costs nothing more."""

    pointer: str
    """A JSON pointer of the condition within the definition."""
    segments: list[str]
    """The ids of these segments; the first 20."""
    count: int
    """How many segments there are."""


class Plan(Struct, kw_only=True, frozen=True):
    """What an edit would do if it were made now. Nothing is changed by asking."""

    plan: str
    """For `If-Plan-Match` of the edit that should do just this."""
    at: datetime
    """The instant that it is of."""
    count: int
    """How many would be members."""
    entering: int
    """How many would enter."""
    leaving: int
    """How many would leave."""
    sample_entering: list[Sample]
    """Some of those who would enter."""
    sample_leaving: list[Sample]
    """Some of those who would leave, by the conditions of the new definition."""
    dependents: list[str]
    """The ids of the segments whose members may change too, as they refer to this one."""
    subscriptions: list[str]
    """The ids of the subscriptions that hear who enters or leaves any of these segments, by the cause that
    it has: `backfill` where the definition asks about what no segment does yet, which they hear if they ask
    for it, else `definition`."""
    warnings: list[Warned]
    """Windows that reach back beyond the history that is kept are counted short (`history_short`)."""


class Forecast(Struct, kw_only=True, frozen=True):
    """From the stored states, under the definition that is served."""

    segment: str
    """The id of the segment."""
    at: datetime
    """The instant from which it looks ahead."""
    looked_at: int
    """How many profiles were looked at."""
    of: int
    """How many profiles the clock may change in that time at all."""
    ahead: list[Ahead]
    """The three times ahead, the shortest first."""


class Ahead(Struct, kw_only=True, frozen=True):
    """What happens within a time if nothing but the clock moves. In 19 of 20 cases the true number is no
    further off than its margin, which is 0 where every profile was looked at."""

    within: str
    """How far ahead: `24h`, `7d` or `30d`."""
    until: datetime
    """The instant at its end."""
    leave: int
    """How many of the present members leave."""
    leave_margin: int
    """How far `leave` may be off."""
    enter: int
    """How many others enter."""
    enter_margin: int
    """How far `enter` may be off."""


class Flow(Struct, kw_only=True, frozen=True):
    """Day by day, the oldest first, today as the last."""

    segment: str
    """The id of the segment."""
    at: datetime
    """The instant of asking."""
    days: list[Day]
    """One entry for every day, the oldest first."""


class Day(Struct, kw_only=True, frozen=True):
    """One day of the workspace's calendar."""

    day: date
    """The date in the workspace's time zone."""
    entered: int
    """How many entered; whoever did it twice counts twice."""
    exited: int
    """How many exited."""
    size: int
    """How many members there were at the day's end; today: so far."""
    causes: list[ByCause]
    """The same by cause, in alphabetical order."""


class ByCause(Struct, kw_only=True, frozen=True):
    """What one cause did on a day."""

    cause: str
    """`event`, `attribute`, `clock`, `definition`, `backfill` and so on."""
    entered: int
    """How often profiles entered for this cause."""
    exited: int
    """How often profiles left for this cause."""


class Overlap(Struct, kw_only=True, frozen=True):
    """Counts of now, partition by partition: while members come and go, of not quite one instant."""

    union: int
    """How many profiles are in at least one of the segments."""
    groups: list[Group]
    """Every group of the segments, the single ones first."""


class Group(Struct, kw_only=True, frozen=True):
    """Profiles that are in all of some segments."""

    segments: list[str]
    """The ids of the segments."""
    count: int
    """How many profiles are in all of them; others they may be in, too."""


@post("/v1/segments/preview")
def preview(definition: Any, *, sample: int = 5, estimate: bool = False) -> Request[Preview]:
    """How many profiles fulfil a definition that isn't saved, and each of its nodes."""
    ...


@post("/v1/segments/preview/prepare")
def prepare() -> Request[None]:
    """What previews need is read beforehand, in the background: so the first one comes sooner."""
    ...


@post("/v1/segments/{id}/plan")
def plan(id: str, definition: Any, *, sample: int = 5) -> Request[Plan]:
    """Who would enter and leave by an edit; `plan` of the answer is `if_plan_match` of the edit."""
    ...


@get("/v1/segments/{id}/forecast")
def forecast(id: str) -> Request[Forecast]:
    """How many members leave and enter by the clock alone."""
    ...


@get("/v1/segments/{id}/flow")
def flow(id: str, *, days: int = 30) -> Request[Flow]:
    """Who entered and left by day and cause, and the size at the end of each day."""
    ...


@get("/v1/overlap")
def overlap(segment: Sequence[str]) -> Request[Overlap]:
    """How many profiles are in all of two to five segments, and in each group of them."""
    ...
