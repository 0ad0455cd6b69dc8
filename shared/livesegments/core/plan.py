"""compile(definitions) → Plan: everything that can be worked out before an event arrives.

A plan is frozen once made. It holds the segments in topological order (a segment after all segments that it
refers to, by `segment` or by `$segment_…` events) and, for everything of a profile that can change,
the way from the change to the positions of just the segments that it may flip.

A plan is made from an older one by what changed: one segment more among ten thousand costs a few ms. The
older one stays as it was for those who still work with it (module `edition`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.bounds import Bounds
from livesegments.core.compiled import Compiled, Segment, compile_segment
from livesegments.core.event import Cause
from livesegments.core.fact import Fact
from livesegments.core.index import Index
from livesegments.core.newest import Newest
from livesegments.core.placing import Named, crowded, in_order, moving
from livesegments.core.profile import Membership, Profile
from livesegments.core.unknown import holds_unknown
from livesegments.core.value_list import Contents, no_contents

__all__ = ["DEFAULT_LIMITS", "Compiled", "Limits", "Plan", "Segment", "compile"]


class Limits(Struct, frozen=True):
    """An event id is known for `dedup_window_ms`, and only the newest `dedup_max_ids`.

    `bounds` are those of a profile's own parts.
    """

    dedup_window_ms: int = 7 * 86_400_000
    dedup_max_ids: int = 1_000
    bounds: Bounds = Bounds()


DEFAULT_LIMITS = Limits()
REVISIONS = 4
"""For this many older revisions a plan remembers which of its segments are newer."""


class Plan:
    """Compiled, frozen, one per workspace. `revision` is the catalogue's newest revision in it.

    order        the segments, each after those that it depends on; a position is an index into it. Where one
                 is no more, nothing leads to its place
    staged       segments that wait for their history: their facts are kept, and nothing reads them yet
    positions    segment id → position
    holding      positions of the segments that hold for a profile of which nothing is known, or for some such
    born         those, and those that refer to one: its first event may deny it, and then it never flips
    lists        static segment → its version
    dependents   position → who refers to it by `segment`
    """

    def __init__(
        self,
        workspace: str,
        timezone: str,
        revision: int,
        limits: Limits,
        segments: Mapping[str, Compiled],
        staged: Mapping[str, Compiled],
        staged_timezone: str,
        before: Plan | None = None,
    ) -> None:
        """`before`: a plan of the same time zone, with which the equal parts are shared."""
        self.workspace = workspace
        self.timezone = timezone
        self.revision = revision
        self.limits = limits
        self.staged = staged
        self.staged_timezone = staged_timezone
        self._compiled = segments
        if before is None or not self._follow(before):
            self._begin()
        self.segments = {id_: self.order[at].segment for id_, at in self.positions.items()}
        self.lists = {
            id_: each.definition_version for id_, each in self.segments.items() if each.definition is None
        }
        index = self._index
        self.facts, self.tracks, self.feeds = index.facts, index.tracks, index.feeds
        self.watches, self.tags, self.consents = index.watches, index.tags, index.consents
        self.dependents = index.dependents
        self.fact_ids = frozenset(self.facts)
        self.born = self.holding.union(
            *(self.dependents[at].positions for at in self.holding if at in self.dependents)
        )
        self._newest = self._by_revision
        self._backfilled: frozenset[int] = frozenset()
        self._since: dict[int, tuple[frozenset[int], Cause]] = {}

    def newer_than(self, revision: int) -> frozenset[int]:
        """Positions of the segments whose definition came after a revision."""
        return self._changes(revision)[0]

    def cause_since(self, revision: int) -> Cause:
        """Why a profile that was last stepped under an older revision is judged anew."""
        return self._changes(revision)[1]

    def _changes(self, revision: int) -> tuple[frozenset[int], Cause]:
        """A walk asks for the same revision again and again: a few answers are kept."""
        found = self._since.get(revision)
        if found is None:
            newer = self._newest.after(revision)
            cause: Cause = "definition" if self._backfilled.isdisjoint(newer) else "backfill"
            if len(self._since) >= REVISIONS:
                self._since = {}
            found = self._since[revision] = newer, cause
        return found

    def at(self, revision: int, revisions: Mapping[str, int], backfilled: Collection[str]) -> Plan:
        """The same plan under a numbering of its own, as a partition has that stages segments.

        `revisions`: segment id → when the partition took its definition up. `backfilled`: those that it
        took up once their history was complete.
        """
        other = copy(self)
        other.revision = revision
        other._newest = Newest((revisions[id_], at) for id_, at in self.positions.items())
        other._backfilled = frozenset(self.positions[id_] for id_ in backfilled)
        other._since = {}
        return other

    def facts_of(self, segment: str) -> frozenset[int]:
        """Ids of the event facts that this segment's definition reads (not through other segments)."""
        return frozenset(fact.id for fact in self.order[self.positions[segment]].facts)

    def users(self, segment: str) -> frozenset[str]:
        """Ids of the segments whose definitions name this one."""
        return self._named.by.get(segment, frozenset())

    def _begin(self) -> None:
        """From nothing."""
        segments = self._compiled
        ids = in_order(segments)
        self.order = [segments[id_] for id_ in ids]
        self.positions = {id_: at for at, id_ in enumerate(ids)}
        self._named = Named()
        self._index = Index(ZoneInfo(self.timezone))
        for id_, at in self.positions.items():
            self._named.replace(id_, None, segments[id_])
            self._index.put(at, segments[id_], self.positions)
        for item in self.staged.values():
            self._index.keep(item)
        self._index.finish()
        self._by_revision = Newest((item.segment.revision, at) for at, item in enumerate(self.order))
        self.holding = self._held(frozenset(), range(len(self.order)), frozenset())

    def _follow(self, before: Plan) -> bool:
        """From an older plan; False where so much is different that to begin anew costs less."""
        old, new = before._compiled, self._compiled
        changed = [id_ for id_, item in new.items() if old.get(id_) is not item]
        gone = [id_ for id_ in old if id_ not in new]
        if 4 * (len(changed) + len(gone)) > len(new):
            return False
        self._named = Named(before._named)
        for id_ in (*changed, *gone):
            self._named.replace(id_, old.get(id_), new.get(id_))
        ids = moving(changed, new, before.positions, self._named)
        if 4 * len(ids) > len(new) or crowded(len(before.order) + len(ids), len(new)):
            return False
        left = {before.positions[id_]: id_ for id_ in {*changed, *gone, *ids} if id_ in before.positions}
        self._index = index = Index(ZoneInfo(self.timezone), before._index)
        for at, id_ in left.items():
            index.drop(at, old[id_], before.positions)
        unsettled = [
            position for at in left if at in index.dependents for position in index.dependents[at].positions
        ]
        self.order, self.positions = list(before.order), dict(before.positions)
        for id_ in gone:
            index.dependents.pop(self.positions.pop(id_), None)
        for id_ in ids:
            index.dependents.pop(self.positions.get(id_, -1), None)
            self.positions[id_] = len(self.order)
            self.order.append(new[id_])
        put = {self.positions[id_]: id_ for id_ in (*changed, *ids)}
        for at, id_ in sorted(put.items()):
            self.order[at] = new[id_]
            index.put(at, new[id_], self.positions)
        for id_, item in before.staged.items():
            if self.staged.get(id_) is not item:
                index.release(item)
        for id_, item in self.staged.items():
            if before.staged.get(id_) is not item:
                index.keep(item)
        index.finish()
        self._by_revision = Newest(
            [pair for pair in before._by_revision if pair[1] not in left]
            + [(new[id_].segment.revision, at) for at, id_ in put.items()]
        )
        self.holding = self._held(before.holding.difference(left), {*put, *unsettled}, before._uncertain)
        return True

    def _held(
        self, settled: frozenset[int], unsettled: Iterable[int], uncertain: frozenset[str]
    ) -> frozenset[int]:
        """Positions that hold for all profiles of which nothing is known, or for some (`uncertain`).

        `settled` are known already, but for `unsettled` and what refers to those."""
        alive, judged = set(self.positions.values()), set(unsettled)
        ahead = list(judged)
        while ahead:
            reach = self._index.dependents.get(ahead.pop())
            more = reach.positions - judged if reach is not None else ()
            judged.update(more)
            ahead += more
        found = {at for at in settled if at not in judged}
        empty, member = Profile(), Membership(1, 0)
        empty.memberships = {self.order[at].segment.id: member for at in found}
        some, zone = {id_ for id_ in uncertain if self.positions.get(id_) in found}, ZoneInfo(self.timezone)
        for at in sorted(judged & alive):
            item = self.order[at]
            holds = holds_unknown(item, empty, some, zone)
            if holds is False:
                continue
            found.add(at)
            if holds:
                empty.memberships[item.segment.id] = member
            else:
                some.add(item.segment.id)
        self._uncertain = frozenset(some)
        return frozenset(found)


def compile(
    workspace: str,
    timezone: str,
    segments: Iterable[Segment],
    revision: int,
    limits: Limits = DEFAULT_LIMITS,
    previous: Plan | None = None,
    staged: Iterable[Segment] = (),
    staged_timezone: str | None = None,
    contents: Contents = no_contents,
) -> Plan:
    """`previous` saves the work for segments that are the same in it.

    `staged` are segments (new, or newer versions) that wait for their history, in `staged_timezone` if the
    workspace has another one by then.

    Raises graphlib.CycleError if segments depend on each other in a circle (`check` refuses that), KeyError
    where `contents` don't know a value list.
    """
    known = previous if previous is not None and previous.timezone == timezone else None
    zone = staged_timezone or timezone
    facts: dict[int, Fact] = dict(known.facts) if known else {}
    items = known._compiled if known else {}
    waiting = known.staged if known and known.staged_timezone == zone else {}
    return Plan(
        workspace,
        timezone,
        revision,
        limits,
        _compiled(segments, (items, waiting if zone == timezone else {}), timezone, facts, contents),
        _compiled(staged, (waiting, items if zone == timezone else {}), zone, facts, contents),
        zone,
        known,
    )


def _compiled(
    segments: Iterable[Segment],
    known: tuple[Mapping[str, Compiled], Mapping[str, Compiled]],
    timezone: str,
    facts: dict[int, Fact],
    contents: Contents,
) -> dict[str, Compiled]:
    found: dict[str, Compiled] = {}
    first, second = known
    for segment in segments:
        id_ = segment.id
        old = first.get(id_) or second.get(id_)
        if old is None or (old.segment is not segment and old.segment != segment):
            old = second.get(id_)
            if old is None or old.segment != segment:
                old = compile_segment(segment, timezone, facts, contents)
        found[id_] = old
    return found
