"""The smallest single change that would flip a membership, and until when it would.

Example: somebody who ordered three times lacks two orders for "at least 5 in 30 days". The change is two
orders, until one of the three leaves the window: from then on it takes three.

Changes are proposed condition by condition, the small ones first, and then tried with the core on a copy of
the profile. A change that is answered has flipped that copy. Where several conditions would have to change at
once, and no proposed change does all of that, there is no single change.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from livesegments.core import exact
from livesegments.core.attribute import truth
from livesegments.core.compiled import Compiled
from livesegments.core.computed import gives
from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Computed,
    Consent,
    Event,
    Near,
    Node,
    Not,
    Occurrence,
    SegmentRef,
    Sequence,
    Tag,
)
from livesegments.core.explain import HORIZON_MS
from livesegments.core.fact import Fact, edges
from livesegments.core.fold import Bagged
from livesegments.core.kind import held
from livesegments.core.measure import read
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.same import Same
from livesegments.core.samples import LISTED, around, properties
from livesegments.core.step import on_clock
from livesegments.core.track import bound
from livesegments.core.value import COMPARE, Values, kind
from livesegments.core.whatif import Change, applied, is_in
from livesegments.core.words import MEASURE_OPS, WHOLE

MAX_EVENTS = 200
"""A change has at most this many events."""
MAX_TRIED = 2_000
"""Events that are tried at most, over all proposals."""
MAX_INSTANTS = 40
"""Instants ahead that are looked at, to learn until when a change would flip it."""
MAX_PROPOSED = 200
NEW_TAG = "tag"
"""Any tag would do."""


class Smallest:
    """The search for one profile, in one segment, at one instant (ms). The profile is left as it is."""

    def __init__(self, plan: Plan, profile_id: str, profile: Profile, segment: str, now_ms: int) -> None:
        self._plan, self._profile_id, self._segment, self._now = plan, profile_id, segment, now_ms
        self._profile = decode(encode(profile))
        self._zone = ZoneInfo(plan.timezone)

    def change(self) -> Change | None:
        """None where no single change was found."""
        wanted = not is_in(self._profile, self._segment)
        proposed, left = [], MAX_TRIED
        for number, change in enumerate(self._flipping(self._compiled(self._segment), wanted)):
            if number == MAX_PROPOSED:
                break
            proposed.append(change)
        for change in sorted(proposed, key=lambda each: each.count):
            left -= change.count
            if left < 0:
                break
            if self._flips(self._profile, change, self._now):
                return change
        return None

    def until_ms(self, change: Change) -> int | None:
        """The instant from which on it would not flip it any more, or need not; None if there is none.

        Where that is too far ahead to be looked for, an instant until which it would.
        """
        ahead, was = decode(encode(self._profile)), is_in(self._profile, self._segment)
        leaves, since = sorted(self._leaves()), self._now
        end = self._now + HORIZON_MS
        for _ in range(MAX_INSTANTS):
            wake = ahead.wake_at
            instant = min([end, *leaves[:1], *([wake] if wake is not None else [])])
            if not self._flips(ahead, change, instant - 1):
                return self._border(ahead, change, since, instant - 1)
            if instant == end:
                return None
            leaves = [each for each in leaves if each > instant]
            if wake == instant:
                on_clock(self._plan, self._profile_id, ahead, instant)
            if is_in(ahead, self._segment) != was or not self._flips(ahead, change, instant):
                return instant
            since = instant
        return since

    def _border(self, profile: Profile, change: Change, flips_ms: int, not_ms: int) -> int:
        """The instant between two (ms) at which the change no longer flips it, as a window ends there."""
        while not_ms - flips_ms > 1:
            middle = (flips_ms + not_ms) // 2
            if self._flips(profile, change, middle):
                flips_ms = middle
            else:
                not_ms = middle
        return not_ms

    # -- proposals

    def _flipping(self, compiled: Compiled, wanted: bool) -> Iterator[Change]:
        segment = compiled.segment
        if compiled.root is None:
            yield Change("list", segment.id, value=wanted)
            return
        facts = {id(read.leaf): read.fact for read in compiled.reads}
        yield from self._of(compiled.root, facts, wanted)

    def _of(self, node: Node, facts: dict[int, Any], wanted: bool) -> Iterator[Change]:
        match node:
            case All() | AnyOf():
                for child in node.of:
                    yield from self._of(child, facts, wanted)
            case Not():
                yield from self._of(node.of, facts, not wanted)
            case Attribute():
                yield from self._attribute(node, wanted)
            case Near():
                value = {"lat": node.lat, "lon": node.lon} if wanted else None
                yield Change("attribute", node.attribute, value=value)
            case Tag():
                names = [node.name] if node.name is not None else self._tags() or [NEW_TAG]
                if wanted or len(names) == 1:
                    yield Change("tag", names[0], value=wanted)
            case Consent():
                states = [node.state] if wanted else ["opted_out", "opted_in", "none"]
                for state in states:
                    yield Change("consent", value=state, channel=node.channel, topic=node.topic)
            case SegmentRef():
                if node.id in self._plan.positions:
                    yield from self._flipping(self._compiled(node.id), wanted)
            case Event():
                yield from self._measure(node, facts[id(node)])
            case Computed() if node.asked is not None:
                yield from self._computed(node, node.asked, facts[id(node)])
            case Occurrence():
                yield from self._event(node.called, (*node.where, *node.has))
            case Sequence():
                for step in reversed(node.steps):
                    for fixed in self._shared(node, facts[id(node)]):
                        yield from self._event(step.called, step.where, 1, fixed)

    def _shared(self, node: Sequence, fact: Fact) -> Iterator[tuple[str, Any] | None]:
        """The values that the event may have that the steps share: those that had an event last."""
        if node.same is None:
            yield None
            return
        assert isinstance(fact.kind, Same)
        state = held(self._profile.facts, fact.id, fact.kind)
        for value, _ in fact.kind.newest(state, LISTED):
            yield node.same, read(value)
        yield node.same, "another"

    def _tags(self) -> list[str]:
        return [name for name, register in self._profile.tags.items() if register.value is True]

    def _attribute(self, node: Attribute, wanted: bool) -> Iterator[Change]:
        register = self._profile.attributes.get(node.name)
        now = None if register is None else register.value
        holds = truth(node, self._zone)
        values = around(node.op, node.value, self._now, self._zone)
        operands = node.value.items[:LISTED] if isinstance(node.value, Values) else node.value
        if type(now) is list and isinstance(operands, list | tuple):
            values = [[*now, *operands], [item for item in now if item not in operands], *values]
        if kind(now) == "number":
            near = [value for value in values if kind(value) == "number"]
            near.sort(key=lambda value: _apart(value, now))
            values = near + [value for value in values if kind(value) != "number"]
        for value in values:
            if holds(value, self._now) == wanted and self._writable(node.name, value):
                yield Change("attribute", node.name, value=value)

    @staticmethod
    def _writable(name: str, value: Any) -> bool:
        if name == "score":
            return kind(value) == "number"
        return name != "groups" or (type(value) is list and all(type(item) is str for item in value))

    def _event(
        self,
        names: tuple[str, ...],
        where: Any,
        count: int = 1,
        fixed: tuple[str, Any] | None = None,
        varying: str | None = None,
    ) -> Iterator[Change]:
        ours = [name for name in names if not name.startswith("$")]
        if not ours or not 0 < count <= MAX_EVENTS:
            return
        made = properties(where, self._now, self._zone, fixed)
        if made is not None:
            yield Change("event", ours[0], count, made, varying)

    def _measure(self, node: Event, fact: Any) -> Iterator[Change]:
        of, path = node.measure.of, node.measure.property or ""
        amount = fact.kind.value(held(self._profile.facts, fact.id, fact.kind), self._now)
        if of in WHOLE:
            before = COMPARE[node.op](amount, bound(node))
            for edge in edges(node.op, node.value):
                if edge > amount and COMPARE[node.op](edge, bound(node)) != before:
                    count = edge - amount if of != "days" else 1
                    yield from self._event(
                        node.called, node.where, count, None, path if of == "distinct" else None
                    )
            return
        for value in around(node.op, node.value, self._now, self._zone):
            if kind(value) != "number":
                continue
            given = value
            if of == "sum":
                given = exact.stored(exact.subtract(exact.exact(value), exact.exact(amount)))
            if type(given) in (int, float):
                yield from self._event(node.called, node.where, 1, (path, given))

    def _computed(self, node: Computed, asked: Attribute, fact: Any) -> Iterator[Change]:
        path = node.measure.property
        if gives(node.measure) == "number" and asked.op in MEASURE_OPS:
            event = Event(node.name, node.names, node.where, node.window, node.measure, asked.op, asked.value)
            yield from self._measure(event, fact)
            return
        for value in around(asked.op, asked.value, self._now, self._zone) if path is not None else [None]:
            fixed = None if path is None else (path, value)
            if path is None or kind(value) in ("string", "number", "boolean"):
                yield from self._event(node.called, node.where, 1, fixed)

    # -- trials

    def _flips(self, profile: Profile, change: Change, at_ms: int) -> bool:
        after = applied(self._plan, self._profile_id, profile, change, at_ms)
        return after is not None and is_in(after, self._segment) != is_in(profile, self._segment)

    def _leaves(self) -> set[int]:
        """The instants after now at which what is counted for the segment becomes another."""
        found: set[int] = set()
        for fact in self._facts(self._segment):
            state = held(self._profile.facts, fact.id, fact.kind)
            if isinstance(state, Bagged):
                found.update(entry[0] for entry in state.inside)
                found.update(instant for entry in state.waiting for instant in entry[:2])
            elif type(state) is list or type(state) is array:
                found.update(entry for entry in state if type(entry) is int)
        return {instant for instant in found if instant > self._now}

    def _facts(self, segment: str) -> Iterator[Fact]:
        """Those of the segment and of the segments that it refers to."""
        ahead, known = [segment], {segment}
        while ahead:
            compiled = self._compiled(ahead.pop())
            yield from compiled.facts
            referred = {read.leaf.id for read in compiled.reads if isinstance(read.leaf, SegmentRef)}
            new = referred & self._plan.positions.keys() - known
            known |= new
            ahead += new

    def _compiled(self, segment: str) -> Compiled:
        return self._plan.order[self._plan.positions[segment]]


def _apart(value: Any, other: Any) -> float:
    return abs(float(exact.subtract(exact.exact(value), exact.exact(other))))
