"""compile(definitions) → Plan: everything that can be worked out before an event arrives.

A plan is frozen once made. It holds the segments in topological order (a segment after all that it
refers to, by `segment` or by `$segment_…` events) and, for everything of a profile that can change,
the way from the change to the positions of just the segments that it may flip.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.attribute import Watch
from livesegments.core.definition import Attribute, Consent, Near, Node, SegmentRef, Tag
from livesegments.core.fact import EventLeaf, Fact, build, key_of
from livesegments.core.feed import NameFeeds, feeds
from livesegments.core.profile import Membership, Profile, consent_key
from livesegments.core.program import Leaf, Program, program, static
from livesegments.core.references import references
from livesegments.core.track import ChainTrack, Track, TrailTrack, track


class Limits(Struct, frozen=True):
    """Deduplication: an event id is known for `dedup_window_ms`, and only the newest `dedup_max_ids`."""

    dedup_window_ms: int = 7 * 86_400_000
    dedup_max_ids: int = 1_000


DEFAULT_LIMITS = Limits()


class Segment(Struct, frozen=True):
    """One segment as the catalogue has it; `root` is None for a static segment.

    `version` is the definition's own version (1, 2, …; transitions carry it); `revision` the
    catalogue's revision at which this definition came.
    """

    id: str
    version: int
    revision: int
    root: Node | None


class Compiled(Struct, frozen=True):
    """A segment with its program, its leaves, and the facts that they read (in the leaves' order)."""

    segment: Segment
    program: Program
    leaves: tuple[Leaf, ...]
    facts: tuple[tuple[EventLeaf, Fact], ...]


class Plan:
    """Compiled, frozen, one per workspace. `revision` is the catalogue's newest revision in it.

    order        the segments, each after those that it depends on; a position is an index into it
    positions    segment id → position
    born         positions to judge for a new profile: of the segments that hold for one of which nothing is
                 known, and of those that refer to them (they count on it, but its first event may deny it)
    dependents   position → positions of the segments that refer to it by `segment`
    """

    def __init__(
        self, workspace: str, timezone: str, revision: int, limits: Limits, order: list[Compiled]
    ) -> None:
        self.workspace = workspace
        self.timezone = timezone
        self.revision = revision
        self.limits = limits
        self.order = order
        self.positions = {item.segment.id: position for position, item in enumerate(order)}
        self.segments = {item.segment.id: item.segment for item in order}
        self.facts = {
            part.id: part for item in order for _, fact in item.facts for part in (fact, *fact.trails)
        }
        self.fact_ids = frozenset(self.facts)
        self.tracks: dict[int, Track] = {}
        self.watches: dict[str, Watch] = {}
        self.tags: dict[str, set[int]] = {}
        self.consents: dict[str, set[int]] = {}
        self.dependents: dict[int, set[int]] = {}
        self._newest = sorted((-item.segment.revision, at) for at, item in enumerate(order))
        self._index()
        self.feeds: dict[str, NameFeeds] = feeds(self.tracks, self.facts)
        self.born = self._born()

    def newer_than(self, revision: int) -> set[int]:
        """Positions of the segments whose definition came after a revision."""
        return {at for _, at in self._newest[: bisect_left(self._newest, (-revision, 0))]}

    def facts_of(self, segment: str) -> frozenset[int]:
        """Ids of the event facts that this segment's definition reads (not through other segments)."""
        facts = self.order[self.positions[segment]].facts
        return frozenset(part.id for _, fact in facts for part in (fact, *fact.trails))

    def _index(self) -> None:
        zone = ZoneInfo(self.timezone)
        for position, item in enumerate(self.order):
            for leaf, fact in item.facts:
                self._track(fact, leaf).add(leaf, position)
            for node in item.leaves:
                match node:
                    case Attribute(name=name) | Near(attribute=name):
                        self.watches.setdefault(name, Watch(zone)).add(node, position)
                    case Tag():
                        self.tags.setdefault(node.name, set()).add(position)
                    case Consent():
                        pair = consent_key(node.channel, node.topic)
                        self.consents.setdefault(pair, set()).add(position)
                    case SegmentRef() if node.id in self.positions:
                        self.dependents.setdefault(self.positions[node.id], set()).add(position)
        for tracked in self.tracks.values():
            tracked.freeze()
        for watch in self.watches.values():
            watch.freeze()

    def _track(self, fact: Fact, leaf: EventLeaf) -> Track:
        found = self.tracks.get(fact.id)
        if found is None:
            found = self.tracks[fact.id] = track(fact, leaf)
            for part in fact.trails:
                trail = self.tracks.setdefault(part.id, TrailTrack(part))
                assert isinstance(trail, TrailTrack) and isinstance(found, ChainTrack)
                trail.followers[fact.id] = found
        return found

    def _born(self) -> frozenset[int]:
        empty, found = Profile(), []
        for position, item in enumerate(self.order):
            if item.program(empty, 0):
                empty.memberships[item.segment.id] = Membership(1, 0)
                found.append(position)
        return frozenset(found).union(*(self.dependents.get(position, ()) for position in found))


def compile(
    workspace: str,
    timezone: str,
    segments: Iterable[Segment],
    revision: int,
    limits: Limits = DEFAULT_LIMITS,
    previous: Plan | None = None,
) -> Plan:
    """`previous` saves the work for segments that are the same in it.

    Raises graphlib.CycleError if segments depend on each other in a circle (`check` refuses that).
    """
    known = previous if previous is not None and previous.timezone == timezone else None
    facts = dict(known.facts) if known else {}
    compiled = {}
    for segment in segments:
        old = known.order[known.positions[segment.id]] if known and segment.id in known.positions else None
        same = old is not None and old.segment == segment
        compiled[segment.id] = old if old and same else _compile(segment, timezone, facts)
    order = [compiled[segment] for segment in _topological(compiled)]
    return Plan(workspace, timezone, revision, limits, order)


def _compile(segment: Segment, timezone: str, facts: dict[int, Fact]) -> Compiled:
    if segment.root is None:
        return Compiled(segment, static(segment.id), (), ())
    read: list[tuple[EventLeaf, Fact]] = []

    def fact_of(leaf: EventLeaf) -> Fact:
        fact_id = key_of(leaf, timezone, segment.id).digest()
        if fact_id not in facts:
            facts[fact_id] = build(leaf, timezone, segment.id)
        read.append((leaf, facts[fact_id]))
        return facts[fact_id]

    leaves: list[Leaf] = []
    run = program(segment.root, ZoneInfo(timezone), fact_of, leaves)
    return Compiled(segment, run, tuple(leaves), tuple(read))


def _topological(compiled: dict[str, Compiled]) -> Iterable[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for segment_id, item in compiled.items():
        needs = references(item.segment.root) if item.segment.root is not None else None
        ids = needs.ids if needs else frozenset()
        if needs and needs.all_others:
            ids = frozenset(compiled)
        sorter.add(segment_id, *sorted(other for other in ids if other in compiled and other != segment_id))
    return sorter.static_order()
