"""The slow twin: one profile's memberships from its full history. It shares no evaluation with the core.

Everything that happened is kept for ever, in the order in which it was applied; each leaf is judged
from all of it at every instant at which the clock alone might matter, whenever a definition came.

- `define` says what the segments are from now on.
- `recount` carries out the retractions that came before it; an event that comes after its own doesn't count.
- `adopt` judges the profile under the definitions as they are; before that, they can change again.

A profile is there from its first event on.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from graphlib import TopologicalSorter
from typing import Any

from msgspec import Struct

from livesegments.core.definition import Bucket, Computed, Node, Occurrence, SegmentRef, Sequence
from livesegments.core.definition import Event as EventNode
from livesegments.core.event import PROFILE, RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED, Cause, Event, Kind
from livesegments.core.oracle import computed
from livesegments.core.oracle.calendar import calendar
from livesegments.core.oracle.compare import passes
from livesegments.core.oracle.evidence import EventLeaf, Evidence, evidence, inside
from livesegments.core.oracle.leaves import (
    SEGMENT_EVENTS,
    Step,
    holds,
    in_bucket,
    instants,
    leaves,
    looks_at,
    profile_leaf,
    steps,
)
from livesegments.core.oracle.most import MOST, too_much
from livesegments.core.oracle.registers import derived, registers, versioned

EVENT_LEAVES = (EventNode, Occurrence, Sequence)


class Flip(Struct, frozen=True):
    """What the core calls a transition. `event_id` is that of the causing event, `computed` the values of the
    computed attributes that the definition asks about."""

    segment: str
    kind: Kind
    at_ms: int
    cause: Cause
    event_id: str | None = None
    computed: dict[str, Any] | None = None


class Oracle:
    """`dedup_window_ms`, `dedup_max_ids`: an event id is known that long, and if among that many.

    `most` of what a profile may have; `refused` says of what the event applied last would have been too much.
    `profile` is the id.
    """

    def __init__(
        self,
        timezone: str,
        dedup_window_ms: int = 7 * 86_400_000,
        dedup_max_ids: int = 1_000,
        most: Mapping[str, int] | None = None,
        profile: str = "p",
    ) -> None:
        self._profile = profile
        self._calendar = calendar(timezone)
        self._dedup = dedup_window_ms, dedup_max_ids
        self._most = MOST if most is None else most
        self.refused: str | None = None
        self._definitions: dict[str, Node | None] = {}
        self._versions: dict[str, int] = {}
        self._order: list[str] = []
        self._exists = False
        self._arrivals: list[tuple[str, int]] = []
        self._happened: list[Event] = []
        self._retractions: list[Event] = []
        self._waiting: list[Event] = []
        self._changes: list[Event] = []
        self._registers = registers([])
        self._members: set[str] = set()
        self._known: dict[tuple[str, int], tuple[int, Evidence]] = {}
        self.clock_ms = -(10**15)

    # -- definitions

    def define(
        self,
        definitions: Mapping[str, Node | None],
        versions: Mapping[str, int] | None = None,
    ) -> None:
        """What the segments are from now on; None is a static one. `versions` are all 1 if not given."""
        self._definitions = dict(definitions)
        self._versions = {
            segment: versions[segment] if versions else 1
            for segment, root in definitions.items()
            if root is None
        }
        self._known = {}
        everyone = set(definitions)
        needs = {
            segment: looks_at(root, segment, everyone) if root else set()
            for segment, root in definitions.items()
        }
        self._order = list(TopologicalSorter(needs).static_order())

    def adopt(self, now: int, cause: Cause = "definition") -> list[Flip]:
        """Judges the profile under the definitions as they are now."""
        assert now >= self.clock_ms
        self.clock_ms = now
        self._changes = [versioned(event, self._versions) for event in self._changes]
        self._registers = registers(self._changes)
        return self._judge(cause, None) if self._exists else []

    # -- what happens

    def apply(self, event: Event, now: int) -> list[Flip]:
        """An event that arrives when the partition's clock comes to `now` (≥ its own time)."""
        assert now >= event.time_ms
        flips = self.advance(now)
        self.refused = None
        if self._repeats(event, now):
            return flips
        if event.name == PROFILE:
            self.refused = too_much(self._changes, self._registers, event, self._most)
            if self.refused is not None:
                return flips
        self._exists = True
        self._arrivals.append((event.id, now))
        if event.name != PROFILE:
            self._happen(event)
            return flips + self._judge("event", event.id)
        before = self._registers
        self._changes.append(versioned(event, self._versions))
        self._registers = registers(self._changes)
        self._happened += derived(before, self._registers, event)
        return flips + self._judge("attribute", event.id)

    def recount(self, now: int) -> list[Flip]:
        """What came before its retraction counts no more."""
        assert now >= self.clock_ms
        self.clock_ms = now
        waiting, self._waiting = self._waiting, []
        ids = {event.id for event in self._happened}
        found = [event for event in waiting if event.properties["event_id"] in ids] or waiting
        self._happened = [event for event in self._happened if not self._is_taken(event)]
        self._known = {}
        return self._judge("retraction", found[-1].id) if found else []

    def leave(self, event: Event, now: int) -> list[Flip]:
        """The profile goes into another: it leaves every segment, and of what happened it keeps nothing."""
        flips = self.advance(now)
        self._arrivals.append((event.id, now))
        flips += [Flip(each, "exited", now, "merge", event.id) for each in sorted(self._members)]
        self._happened, self._changes, self._members = [], [], set()
        self._retractions, self._waiting = [], []
        self._registers, self._known, self._exists = registers([]), {}, False
        return flips

    def take(
        self, events: list[Event], now: int, merge_id: str, fresh: bool = False
    ) -> tuple[list[Flip], list[Event]]:
        """Events that another profile hands over, all at once; and those that are too much.

        A repeat counts no more (`fresh`: there is none), but the ids are not known because of this (`know`
        says which are).
        """
        flips = self.advance(now)
        self._exists, refused = True, []
        for event in events:
            if not fresh and self._repeats(event, now):
                continue
            if event.name == PROFILE:
                if too_much(self._changes, self._registers, event, self._most) is not None:
                    refused.append(event)
                    continue
                before = self._registers
                self._changes.append(versioned(event, self._versions))
                self._registers = registers(self._changes)
                self._happened += derived(before, self._registers, event)
            else:
                self._happen(event)
        return flips + self._judge("merge", merge_id), refused

    def know(self, other: list[tuple[str, int]], now: int) -> None:
        """The ids that another profile has seen, with the instants of their arrival, are known here, too."""
        both = [(id_, min(at, now)) for id_, at in [*self._arrivals, *other]]
        self._arrivals = sorted(both, key=lambda each: each[1])

    def come_back(self) -> None:
        """It is there again, as if it had seen nothing."""
        self._arrivals = []

    @property
    def exists(self) -> bool:
        """Whether anything happened to it, and it has not gone into another."""
        return self._exists

    @property
    def arrivals(self) -> list[tuple[str, int]]:
        """The ids that it has seen, with the instants of their arrival."""
        return list(self._arrivals)

    def repeats(self, event: Event, now: int) -> bool:
        """Whether the event is known. If it isn't, it is from now on: it goes on to another profile."""
        known = self._repeats(event, now)
        if not known:
            self._arrivals.append((event.id, now))
        return known

    def advance(self, until: int) -> list[Flip]:
        """The clock alone goes on to `until`, stopping wherever anything might change."""
        flips: list[Flip] = []
        while self._exists:
            coming = self._instants(until)
            if not coming:
                break
            happened = len(self._happened)
            for instant in coming:
                self.clock_ms = instant
                flips += self._judge("clock", None)
                if len(self._happened) > happened:
                    break
        self.clock_ms = max(self.clock_ms, until)
        return flips

    # -- questions

    def members(self) -> set[str]:
        """The segments that the profile is a member of."""
        return set(self._members)

    def next_changes(self, until: int) -> dict[str, int]:
        """By segment, the first instant up to `until` at which the clock alone flips its membership."""
        ahead = copy(self)
        ahead._happened, ahead._members, ahead._known = [*self._happened], {*self._members}, {**self._known}
        first: dict[str, int] = {}
        for flip in ahead.advance(until):
            first.setdefault(flip.segment, flip.at_ms)
        return first

    # -- inside

    def _happen(self, event: Event) -> None:
        if event.name == RETRACT:
            if not any(event.properties == other.properties for other in self._retractions):
                self._waiting.append(event)
            self._retractions.append(event)
        if not self._is_taken(event):
            self._happened.append(event)

    def _is_taken(self, event: Event) -> bool:
        return not event.name.startswith("$") and any(
            each.properties["event_id"] == event.id for each in self._retractions
        )

    def _repeats(self, event: Event, now: int) -> bool:
        window_ms, newest = self._dedup
        return any(event.id == known and now - at < window_ms for known, at in self._arrivals[-newest:])

    def _judge(self, cause: Cause, event_id: str | None) -> list[Flip]:
        """Every segment once, those that others look at first."""
        flips: list[Flip] = []
        gone = sorted(self._members - self._definitions.keys())
        for segment in [*gone, *self._order]:
            if self._true(segment) == (segment in self._members):
                continue
            entered = segment not in self._members
            self._members ^= {segment}
            kind: Kind = "entered" if entered else "exited"
            flips.append(Flip(segment, kind, self.clock_ms, cause, event_id, self._told(segment)))
            name = SEGMENT_ENTERED if entered else SEGMENT_EXITED
            id_ = f"{event_id or cause}~segment~{segment}"
            self._happened.append(Event(id_, "", "", name, self.clock_ms, {"segment": segment}))
        return flips

    def _true(self, segment: str) -> bool:
        root = self._definitions.get(segment)
        if root is None:
            return self._registers.lists.get(segment) == (self._versions.get(segment), True)
        return holds(root, lambda leaf: self._leaf(segment, leaf))

    def _leaf(self, segment: str, leaf: Node) -> bool:
        if isinstance(leaf, SegmentRef):
            return leaf.id in self._members
        if isinstance(leaf, Bucket):
            return in_bucket(leaf, self._profile)
        if isinstance(leaf, EVENT_LEAVES):
            return self._evidence(segment, leaf)[0](self.clock_ms)
        if isinstance(leaf, Computed):
            return self._computed(leaf)[0](self.clock_ms)
        return profile_leaf(leaf, self._registers, self._calendar, self.clock_ms)

    def _evidence(self, segment: str, leaf: EventLeaf) -> Evidence:
        """Worked out anew after every event (and remembered until the next)."""
        key = segment, id(leaf)
        known = self._known.get(key)
        if known is None or known[0] != len(self._happened):
            matching = [self._matching(segment, step) for step in steps(leaf)]
            known = self._known[key] = len(self._happened), evidence(leaf, matching, self._calendar)
        return known[1]

    def _computed(self, leaf: Computed) -> Evidence:
        """It is one for all segments, so it sees the transitions of every one."""
        key = "", id(leaf)
        known = self._known.get(key)
        if known is None or known[0] != len(self._happened):
            found = computed.computed(leaf, self._matching("", leaf), self._calendar)
            known = self._known[key] = len(self._happened), found
        return known[1]

    def value(self, leaf: Computed) -> Any:
        """What a computed attribute comes to now."""
        counted = [
            each
            for each in self._matching("", leaf)
            if inside(self._calendar.span(leaf.window, each.time_ms), self.clock_ms)
        ]
        return computed.value(leaf.measure, counted, self._calendar)

    def _told(self, segment: str) -> dict[str, Any] | None:
        root = self._definitions.get(segment)
        asked = {
            leaf.asked.name.removeprefix("computed:"): leaf
            for leaf in (leaves(root) if root else ())
            if isinstance(leaf, Computed) and leaf.asked is not None
        }
        values = {id_: computed.shown(leaf.measure, self.value(leaf)) for id_, leaf in asked.items()}
        return {id_: each for id_, each in values.items() if each is not None} if asked else None

    def _matching(self, segment: str, step: Step) -> list[Event]:
        return [
            event
            for event in self._happened
            if event.name in (step.names or [step.name])
            and not (event.name in SEGMENT_EVENTS and event.properties["segment"] == segment)
            and passes(step.where, event.properties, self._calendar, event.time_ms)
        ]

    def _instants(self, until: int) -> list[int]:
        """Every instant from the clock (exclusive) to `until` at which a leaf might change, ascending."""
        found: set[int] = set()
        for segment, root in self._definitions.items():
            for leaf in leaves(root) if root else ():
                if isinstance(leaf, EVENT_LEAVES):
                    found.update(self._evidence(segment, leaf)[1])
                elif isinstance(leaf, Computed):
                    found.update(self._computed(leaf)[1])
                    matching = self._matching("", leaf)
                    found.update(computed.instants(leaf, matching, self._calendar, self.clock_ms, until))
                else:
                    found.update(instants(leaf, self._registers, self._calendar, self.clock_ms, until))
        return sorted(instant for instant in found if self.clock_ms < instant <= until)
