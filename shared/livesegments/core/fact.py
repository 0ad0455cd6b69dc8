"""Facts: the state that is kept per profile for a leaf of a definition, keyed by exactly what it depends on.

Equal leaves of different segments share one fact. Thresholds (`op`, `value`) are not part of the key,
but the depth to which a sliding count must be kept is, in classes, so that "at least once" and
"at least three times" share, and a threshold beyond what has been kept starts a fact of its own.
"""

from __future__ import annotations

from datetime import tzinfo
from hashlib import blake2b
from math import ceil, floor
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from livesegments.core.absent import Absent, Awaited
from livesegments.core.chain import Begun, Chain, Present
from livesegments.core.definition import Computed, Event, Filter, Occurrence, Sequence
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.core.exact import exact
from livesegments.core.frame import Frame, frame
from livesegments.core.frame import canonical as canonical_window
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.measure import measure_kind
from livesegments.core.occurrence import Occurrence as OccurrenceKind
from livesegments.core.same import Same, Step
from livesegments.core.trail import Trail
from livesegments.core.where import Handle, Predicate, canonical, compile_where, handles, path_of
from livesegments.core.window import Shift, parse_duration, plus
from livesegments.core.words import WHOLE

EventLeaf: TypeAlias = Event | Occurrence | Sequence | Computed

DEPTHS = (4, 32, 256, 2_048, MAX_ENTRIES)
"""How many a sliding count, days or distinct values are kept; `check` lets no threshold need more."""


class FactKey(Struct, frozen=True, array_like=True):
    """Everything that a fact's state depends on, and nothing else.

    kind      a measure's name, `first`, `last`, `sequence`, `trail` (a sequence's later step) or `same` (a
              sequence whose steps share a value)
    names     event names, one a step (several are joined by NUL); `where` the canonical filters of each,
              and `has`
    window    canonical; `zone` for calendar durations, days and dates without an offset
    path      what is measured, or shared; `depth` how many are kept (0 where that doesn't arise)
    within    canonical duration and `absent`, of a sequence
    owner     the segment whose own transitions it ignores, of `$segment_…` events; "" for none
    """

    kind: str
    names: tuple[str, ...]
    where: tuple[tuple[bytes, ...], ...]
    window: tuple[object, ...]
    zone: str
    path: str | None = None
    depth: int = 0
    within: tuple[int, int] | None = None
    absent: bool = False
    owner: str | None = None

    def digest(self) -> int:
        """63 bits of BLAKE2b over the key's msgpack: the id under which the state is stored."""
        return int.from_bytes(blake2b(msgspec.msgpack.encode(self), digest_size=8).digest()) >> 1


class Feed(Struct, frozen=True):
    """One way in which events reach a fact: by their names, and by an equality if there is one to hash by.

    `simple`: the equality is the only filter, so every event that its hash leads here is accepted.
    """

    names: tuple[str, ...]
    handles: tuple[Handle, ...]
    accepts: Predicate | None
    simple: bool = False


class Fact(Struct, frozen=True):
    """Ready to keep state. `trails` are the facts of a sequence's steps 2, 3, …"""

    id: int
    kind: Kind[Any]
    feed: Feed
    owner: str | None
    trails: tuple[Fact, ...] = ()


def key_of(leaf: EventLeaf, zone: str, segment: str = "") -> FactKey:
    """The identity of the fact for a leaf in `segment`, in a workspace with that zone."""
    steps = leaf.steps if isinstance(leaf, Sequence) else (leaf,)
    own = any(_sees_segments(step.called) for step in steps)
    names = tuple("\0".join(step.called) for step in steps)
    where = tuple(canonical(step.where) for step in steps)
    window = canonical_window(leaf.window, ZoneInfo(zone))
    owner = segment if own else None
    match leaf:
        case Event() | Computed():
            measure = leaf.measure
            depth = _depth(leaf)
            if isinstance(leaf, Computed) and own:
                owner = ""  # it is one for all segments
            return FactKey(measure.of, names, where, window, zone, measure.property, depth, owner=owner)
        case Occurrence():
            if leaf.has:
                where = (*where, canonical(leaf.has))
            return FactKey(leaf.which, names, where, window, zone, owner=owner)
    within = parse_duration(leaf.within)
    absent = leaf.steps[-1].absent
    kind = "sequence" if leaf.same is None else "same"
    return FactKey(kind, names, where, window, zone, leaf.same, 0, (within.months, within.ms), absent, owner)


def _sees_segments(names: tuple[str, ...]) -> bool:
    return SEGMENT_ENTERED in names or SEGMENT_EXITED in names


def _depth(leaf: Event | Computed) -> int:
    of, window = leaf.measure.of, leaf.window
    sliding = window is not None and window.moves
    if of in WHOLE and (of != "count" or sliding):
        if isinstance(leaf, Computed):
            return DEPTHS[-1]  # any number may be asked for, and all are shown
        highest = max(edges(leaf.op, leaf.value), default=0)
        return next((depth for depth in DEPTHS if depth >= highest), DEPTHS[-1])
    return 0


def edges(op: str, value: Any) -> list[int]:
    """The counts n ≥ 1 at which `op value` differs between n - 1 and n."""
    found: set[int] = set()
    low, high = (value[0], value[1]) if op == "between" else (value, value)
    if op in ("gte", "lt", "eq", "neq", "between"):
        found.add(ceil(exact(low)))
    if op in ("gt", "lte", "eq", "neq", "between"):
        found.add(floor(exact(high)) + 1)
    return sorted(edge for edge in found if edge >= 1)


def trail_key(leaf: Sequence, index: int, zone: str, segment: str = "") -> FactKey:
    """The identity of the fact for the later step `index` (from 1) of a sequence."""
    step = leaf.steps[index]
    key = key_of(leaf, zone, segment)
    owner = segment if _sees_segments(step.called) else None
    return FactKey(
        "trail",
        key.names[index : index + 1],
        (canonical(step.where),),
        key.window,
        zone,
        within=key.within,
        owner=owner,
    )


def build(leaf: EventLeaf, zone: str, segment: str = "") -> Fact:
    """The fact of a leaf, ready to keep state."""
    key = key_of(leaf, zone, segment)
    region = ZoneInfo(zone)
    window = frame(leaf.window, region)
    match leaf:
        case Event() | Computed():
            measured = measure_kind(leaf.measure, window, key.depth, region)
            return Fact(key.digest(), measured, _feed(leaf.called, leaf.where, region), key.owner)
        case Occurrence():
            has = compile_where(leaf.has, region)
            found = OccurrenceKind(window, leaf.which == "last", has)
            return Fact(key.digest(), found, _feed(leaf.called, leaf.where, region), key.owner)
    within = plus(parse_duration(leaf.within), region)
    months = _in_months(leaf)
    if leaf.same is not None:
        steps = [Step(frozenset(each.called), compile_where(each.where, region)) for each in leaf.steps]
        shape: type[Any] = Awaited if leaf.steps[-1].absent else Begun
        chain, later = _chain(leaf, window, within, months), Trail(window, within, months)
        kept = Same(shape, chain, later, steps, path_of(leaf.same))
        return Fact(key.digest(), kept, _any_step(steps), key.owner)
    trails = []
    for index, step in enumerate(leaf.steps[1:], 1):
        trail = trail_key(leaf, index, zone, segment)
        feed = _feed(step.called, step.where, region)
        trails.append(Fact(trail.digest(), Trail(window, within, months), feed, trail.owner))
    first = _feed(leaf.steps[0].called, leaf.steps[0].where, region)
    return Fact(key.digest(), _chain(leaf, window, within, months), first, key.owner, tuple(trails))


def _any_step(steps: list[Step]) -> Feed:
    """What may match some step; which one, the kind asks itself."""
    names = tuple(sorted(frozenset().union(*(step.names for step in steps))))
    accepted = [step.accepts for step in steps if step.accepts is not None]
    if len(accepted) < len(steps):
        return Feed(names, (), None)
    return Feed(names, (), lambda properties, time_ms: any(each(properties, time_ms) for each in accepted))


def _in_months(leaf: Sequence) -> bool:
    durations = [leaf.within]
    if leaf.window is not None:
        durations += [text for text in (leaf.window.last, leaf.window.skip) if text is not None]
    return any(parse_duration(text).months for text in durations)


def _chain(leaf: Sequence, window: Frame, within: Shift, months: bool) -> Chain[Any]:
    if leaf.steps[-1].absent:
        return Absent(window, within, months, between=len(leaf.steps) > 2)
    return Present(window, within, months)


def _feed(names: tuple[str, ...], where: tuple[Filter, ...], zone: tzinfo) -> Feed:
    found = tuple(handles(where))
    simple = len(where) == len(found) == 1 and not where[0].inner
    return Feed(names, found, compile_where(where, zone), simple)
