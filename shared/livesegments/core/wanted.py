"""The history that the facts of new conditions need: which events, from when on, and which of their
properties.

Example: "ordered coffee twice in the last 30 days" wants events named `order`, of the last 30 days, and of
their properties only `products`. The files are read for no more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.definition import Filter, Occurrence, Sequence
from livesegments.core.event import RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.core.fact import EventLeaf, Fact
from livesegments.core.frame import Sliding, frame
from livesegments.core.plan import Plan
from livesegments.core.trail import SLACK_MS
from livesegments.core.where import path_of
from livesegments.core.window import parse_duration


class History(Struct, frozen=True):
    """`names`: event name → the properties that matter, by the first part of their paths.

    `since`: event name → no event before that instant (ms) can matter at `now_ms`; not there: any may.
    """

    names: Mapping[str, tuple[str, ...]]
    since: Mapping[str, int]


def wanted(plan: Plan, facts: Collection[int], now_ms: int) -> History:
    """Of facts that segments of the plan, served or staged, read; and always what was taken back."""
    names: dict[str, set[str]] = {RETRACT: {"event_id"}}
    known: dict[tuple[object, ...], int | None] = {}
    since: dict[str, int | None] = {}
    zone = ZoneInfo(plan.timezone)
    for leaf in _leaves(plan, facts):
        asked = leaf.window, getattr(leaf, "which", None)
        if asked not in known:
            known[asked] = earliest(leaf, zone, now_ms)
        first = known[asked]
        for name, where, path in _steps(leaf):
            before = since.setdefault(name, first)
            since[name] = None if before is None or first is None else min(before, first)
            heads = names.setdefault(name, set())
            heads.update(path_of(item.property)[0] for item in where)
            if path is not None:
                heads.add(path_of(path)[0])
            if name in (SEGMENT_ENTERED, SEGMENT_EXITED):
                heads.add("segment")
    return History(
        {name: tuple(sorted(heads)) for name, heads in names.items()},
        {name: at for name, at in since.items() if at is not None},
    )


def reads(plan: Plan) -> Iterator[tuple[Fact, EventLeaf]]:
    """The facts that segments, served or staged, read, and the conditions that they are of."""
    for item in (*plan.order, *plan.staged.values()):
        for read in item.reads:
            if read.fact is not None and isinstance(read.leaf, EventLeaf):
                yield read.fact, read.leaf


def _leaves(plan: Plan, facts: Collection[int]) -> Iterator[EventLeaf]:
    for fact, leaf in reads(plan):
        if fact.id in facts or any(trail.id in facts for trail in fact.trails):
            yield leaf


def _steps(leaf: EventLeaf) -> Iterator[tuple[str, tuple[Filter, ...], str | None]]:
    """(event name, its filters, the path that is measured or shared)."""
    if isinstance(leaf, Sequence):
        for step in leaf.steps:
            for name in step.called:
                yield name, step.where, leaf.same
    else:
        filters = (*leaf.where, *leaf.has) if isinstance(leaf, Occurrence) else leaf.where
        for name in leaf.called:
            yield name, filters, None if isinstance(leaf, Occurrence) else leaf.measure.property


def earliest(leaf: EventLeaf, zone: ZoneInfo, now_ms: int) -> int | None:
    """The earliest instant at which an event can still be, or come to be, in the leaf's window; None: any."""
    if isinstance(leaf, Occurrence) and leaf.which == "first":
        return None  # the first of all events decides, however long ago it was
    window = frame(leaf.window, zone)
    if not isinstance(window, Sliding):
        return None if leaf.window is None or leaf.window.from_ is None else window.from_ms
    if window.leave(now_ms) <= now_ms:
        return now_ms
    low, high = now_ms - _FARTHEST_MS, now_ms  # leave(low) ≤ now < leave(high)
    if window.leave(low) > now_ms:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if window.leave(middle) > now_ms else (middle, high)
    # ⊕ with months is monotone but for clipping at a month's end and clock changes
    last = leaf.window.last if leaf.window is not None else None
    return high - SLACK_MS if last is not None and parse_duration(last).months else high


_FARTHEST_MS = 5 * 366 * 86_400_000
"""Longer than any sliding window."""
