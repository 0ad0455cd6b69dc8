"""compile(definitions) → Plan: everything that can be worked out before an event arrives.

A plan is frozen once made. It holds the segments in topological order (a segment after all that it
refers to, by `segment` or by `$segment_…` events) and, for everything of a profile that can change,
the way from the change to the positions of just the segments that it may flip.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.attribute import Watch
from livesegments.core.bounds import Bounds
from livesegments.core.definition import Attribute, Consent, Near, Node, SegmentRef, Tag
from livesegments.core.event import Cause
from livesegments.core.fact import EventLeaf, Fact, build, key_of
from livesegments.core.feed import NameFeeds, feeds
from livesegments.core.guards import guarded
from livesegments.core.profile import Membership, Profile, consent_key
from livesegments.core.program import Leaf, Program, program, static
from livesegments.core.reach import Guard, Reach
from livesegments.core.references import references
from livesegments.core.track import ChainTrack, Track, TrailTrack, track


class Limits(Struct, frozen=True):
    """An event id is known for `dedup_window_ms`, and only the newest `dedup_max_ids`.

    `bounds` are those of a profile's own parts.
    """

    dedup_window_ms: int = 7 * 86_400_000
    dedup_max_ids: int = 1_000
    bounds: Bounds = Bounds()


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


class Read(Struct, frozen=True):
    """A leaf of a segment, what guards it, and the fact that it reads, if it reads one."""

    leaf: Leaf
    guard: Guard | None
    fact: Fact | None


class Compiled(Struct, frozen=True):
    """A segment with its program and all that this reads, in the order of the definition."""

    segment: Segment
    program: Program
    reads: tuple[Read, ...]

    @property
    def facts(self) -> Iterator[Fact]:
        """With the facts of the later steps of sequences."""
        for read in self.reads:
            if read.fact is not None:
                yield read.fact
                yield from read.fact.trails


class Plan:
    """Compiled, frozen, one per workspace. `revision` is the catalogue's newest revision in it.

    order        the segments, each after those that it depends on; a position is an index into it
    staged       segments that wait for their history: their facts are kept, and nothing reads them yet
    positions    segment id → position
    born         positions of the segments that hold for a profile of which nothing is known, and of those
                 that refer to one: its first event may deny it, and then it never flips
    lists        static segment → its version
    dependents   position → who refers to it by `segment`
    """

    def __init__(
        self,
        workspace: str,
        timezone: str,
        revision: int,
        limits: Limits,
        order: list[Compiled],
        staged: Sequence[Compiled] = (),
    ) -> None:
        self.workspace = workspace
        self.timezone = timezone
        self.revision = revision
        self.limits = limits
        self.order = order
        self.staged = staged
        self.positions = {item.segment.id: position for position, item in enumerate(order)}
        self.segments = {item.segment.id: item.segment for item in order}
        self.lists = {id_: each.version for id_, each in self.segments.items() if each.root is None}
        self.facts = {fact.id: fact for item in (*order, *staged) for fact in item.facts}
        self.fact_ids = frozenset(self.facts)
        self.tracks: dict[int, Track] = {}
        self.watches: dict[str, Watch] = {}
        self.tags: dict[str, Reach] = {}
        self.consents: dict[str, Reach] = {}
        self.dependents: dict[int, Reach] = {}
        self._newest = sorted((-item.segment.revision, at) for at, item in enumerate(order))
        self._backfilled: frozenset[int] = frozenset()
        self._index()
        self.feeds: dict[str, NameFeeds] = feeds(self.tracks, self.facts)
        self.born = self._born()

    def newer_than(self, revision: int) -> set[int]:
        """Positions of the segments whose definition came after a revision."""
        return {at for _, at in self._newest[: bisect_left(self._newest, (-revision, 0))]}

    def cause_since(self, revision: int) -> Cause:
        """Why a profile that was last stepped under an older revision is judged anew."""
        return "definition" if self._backfilled.isdisjoint(self.newer_than(revision)) else "backfill"

    def at(self, revision: int, revisions: Mapping[str, int], backfilled: Collection[str]) -> Plan:
        """The same plan under a numbering of its own, as a partition has that stages segments.

        `revisions`: segment id → when the partition took its definition up. `backfilled`: those that it
        took up once their history was complete.
        """
        other = copy(self)
        other.revision = revision
        other._newest = sorted((-revisions[id_], at) for id_, at in self.positions.items())
        other._backfilled = frozenset(self.positions[id_] for id_ in backfilled)
        return other

    def facts_of(self, segment: str) -> frozenset[int]:
        """Ids of the event facts that this segment's definition reads (not through other segments)."""
        return frozenset(fact.id for fact in self.order[self.positions[segment]].facts)

    def _index(self) -> None:
        zone = ZoneInfo(self.timezone)
        for position, item in enumerate(self.order):
            for read in item.reads:
                leaf, guard = read.leaf, read.guard
                match leaf:
                    case Attribute(name=name) | Near(attribute=name):
                        self.watches.setdefault(name, Watch(zone)).add(leaf, position, guard)
                    case Tag():
                        self.tags.setdefault(leaf.name, Reach()).add(position, guard)
                    case Consent():
                        pair = consent_key(leaf.channel, leaf.topic)
                        self.consents.setdefault(pair, Reach()).add(position, guard)
                    case SegmentRef():
                        if leaf.id in self.positions:
                            reach = self.dependents.setdefault(self.positions[leaf.id], Reach())
                            reach.add(position, guard)
                    case _:
                        assert read.fact is not None
                        self._track(read.fact, leaf).add(leaf, position, guard)
        for item in self.staged:
            for read in item.reads:
                if read.fact is not None:
                    assert isinstance(read.leaf, EventLeaf)
                    self._track(read.fact, read.leaf)
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
        referring = (self.dependents[position].positions for position in found if position in self.dependents)
        return frozenset(found).union(*referring)


def compile(
    workspace: str,
    timezone: str,
    segments: Iterable[Segment],
    revision: int,
    limits: Limits = DEFAULT_LIMITS,
    previous: Plan | None = None,
    staged: Iterable[Segment] = (),
    staged_timezone: str | None = None,
) -> Plan:
    """`previous` saves the work for segments that are the same in it.

    `staged` are segments (new, or newer versions) that wait for their history, in `staged_timezone` if the
    workspace has another one by then.

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
    waiting = [_compile(segment, staged_timezone or timezone, facts) for segment in staged]
    return Plan(workspace, timezone, revision, limits, order, waiting)


def _compile(segment: Segment, timezone: str, facts: dict[int, Fact]) -> Compiled:
    root = segment.root
    if root is None:
        return Compiled(segment, static(segment.id, segment.version), ())
    found: dict[int, Fact] = {}

    def fact_of(leaf: EventLeaf) -> Fact:
        if id(leaf) not in found:
            fact_id = key_of(leaf, timezone, segment.id).digest()
            if fact_id not in facts:
                facts[fact_id] = build(leaf, timezone, segment.id)
            found[id(leaf)] = facts[fact_id]
        return found[id(leaf)]

    run = program(root, ZoneInfo(timezone), fact_of)
    reads = (Read(leaf, guard, found.get(id(leaf))) for leaf, guard in guarded(root, fact_of))
    return Compiled(segment, run, tuple(reads))


def _topological(compiled: dict[str, Compiled]) -> Iterable[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for segment_id, item in compiled.items():
        needs = references(item.segment.root) if item.segment.root is not None else None
        ids = needs.ids if needs else frozenset()
        if needs and needs.all_others:
            ids = frozenset(compiled)
        sorter.add(segment_id, *sorted(other for other in ids if other in compiled and other != segment_id))
    return sorter.static_order()
