"""Adopting definitions in a partition: what is served, what waits for its history, what is walked. Pure.

A change of definitions whose facts the partition has is adopted at once for every profile that is touched
from then on; the others are walked over in chunks. One whose facts lack history is staged: the old version
serves while the facts are filled, and then it is adopted in the same way. The catalogue's plan is compared
with the stored adoption to see what has to be done, so work that a crash cut short, and changes that came
while no worker ran, are taken up alike:

- a segment whose served definition is not the catalogue's is staged or adopted;
- a segment that is served, but whose progress is not ready, is walked;
- a progress without a segment belongs to a deleted one: it stays until the walk has taken its members out;
- a fact with a commit up to which it wants history is filled.

A walk goes in rounds. A change that comes in the middle of one doesn't begin it anew (else changes that
keep coming would keep everything from getting ready): what it concerns waits for the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil

import msgspec
from msgspec import Struct

from livesegments.core.beyond import beyond
from livesegments.core.concern import Concern, concern
from livesegments.core.definition import SegmentRef
from livesegments.core.plan import Plan, Segment
from livesegments.core.staging import Staging, outlived, stage
from livesegments.evaluator.plans.remembered import Remembered, Stored
from livesegments.store import adoption, keys
from livesegments.store.adoption import Filling, Kept, Served
from livesegments.store.commit import Commit
from livesegments.store.progress import Progress, State

STEPS = 20
"""How many times at most the progress of a walk, or of a filling, is written."""
REPORTED = 20_000
"""In all these times together at most this many segments are written; if there are more, each of them
once."""
ALIKE = 1_000
"""So many different ones are remembered, to be shared."""
ADOPTIONS = 20
"""Bits of an adoption's number below the catalogue's revision: a revision is adopted that often at most."""


class News(Struct, frozen=True):
    """What an adoption leaves to be written, by id."""

    facts: Collection[int]
    facts_gone: Collection[int]
    served: Collection[str]
    served_no_more: Collection[str]
    segments: Collection[str]
    segments_gone: Collection[str]


class Adopted(Remembered):
    """A workspace in one partition; `walking` while there is a walk, `filling` while facts get history."""

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self._wanting = {fact: kept.upto for fact, kept in self.facts.items() if kept.upto is not None}
        self.staged: frozenset[str] = frozenset()
        self.cursor = 0
        self._known = stored.stage is not None
        self._fresh = True
        self._waiting: set[str] = set()
        self._round: set[str] = set()
        self._round_revision = -1
        self._removed: set[str] = set()
        self._gone: set[int] = set()
        self._round_gone: set[int] = set()
        self._new: set[str] = set()
        """Segments that nobody was ever in."""
        self._done = 0
        self._total = 0
        self._reported = 0
        self._alike: dict[Progress, Progress] = {}
        for id_, progress in self.progress.items():
            self._note(id_, progress)

    @property
    def walking(self) -> bool:
        return bool(self._round or self._waiting)

    @property
    def segments(self) -> int:
        """About how many segments each profile of the walk is judged by."""
        return len(self._round) + len(self._waiting)

    @property
    def building(self) -> int:
        """How many segments wait for their history or for a walk."""
        return sum(each.state == "building" for each in self.progress.values())

    def wanting(self) -> Mapping[int, int]:
        """Fact id → the commit up to which history is still to be given to it."""
        return self._wanting

    # -- adopting

    def propose(self, latest: Plan, empty: bool) -> Staging:
        """The definitions to be served and those that have to wait, under the catalogue's plan.

        `empty`: the partition has no profile of the workspace, and so no history either.
        """
        self._remember_old_form(latest)
        served = {id_: each.segment(id_) for id_, each in self.served.items()}
        if empty:
            return Staging(latest.segments, {})
        lacking = (latest.fact_ids - self.facts.keys()) | self.wanting().keys()
        if self._moves(latest) and served and not lacking.isdisjoint(latest.fact_ids):
            old = {id_: segment for id_, segment in served.items() if id_ in latest.segments}
            return Staging(old | outlived(old, latest.segments, served), latest.segments)

        def incomplete(segment: Segment) -> bool:
            return not lacking.isdisjoint(latest.facts_of(segment.id))

        return stage(latest.segments, served, incomplete, latest.users)

    def zone_of(self, latest: Plan, staging: Staging) -> str:
        """That of the served definitions: the old one until all under the new one have their history."""
        old = self.timezone
        return old if old is not None and self._moves(latest) and staging.staged else latest.timezone

    def adopt(
        self,
        latest: Plan,
        staging: Staging,
        plan: Plan,
        commit: int,
        total: int,
        now_ms: int,
        begun_ms: int | None = None,
    ) -> News | None:
        """Takes the staging in, of which `plan` is the compiled form; None if nothing is to be written.

        `commit` is the last one made before, `total` how many profiles are stored, `now_ms` the instant by
        the partition's clock, `begun_ms` by the wall clock.
        """
        revision = max(self.revision + 1, latest.revision << ADOPTIONS)
        upto = commit if total else None
        new = dict.fromkeys(plan.fact_ids - self.facts.keys(), Kept(revision, None, upto))
        gone = self.facts.keys() - plan.fact_ids
        for fact in gone:
            del self.facts[fact]
            self._wanting.pop(fact, None)
        self._gone |= gone
        self.facts |= new
        if upto is not None:
            self._wanting |= dict.fromkeys(new, upto)
        changed = self._serve(staging, revision, now_ms, commit, everything=self.timezone != plan.timezone)
        dropped = self.served.keys() - staging.served.keys()
        for id_ in dropped:
            del self.served[id_]
        if new or gone or changed or dropped or self.revision < 0:
            self.revision = revision
        self.timezone = plan.timezone
        self.staged = frozenset(staging.staged)
        moved = self._progress(latest, changed, total, begun_ms) | self._complete(plan, changed)
        self._forget_filling(gone)
        removed: set[str] = set()
        if not total and self.walking:  # nobody to walk over
            self.walked(0, 0)
            ready, removed = self._advance()
            moved = (moved | ready) - removed
        news = News(new, gone, changed, dropped, moved, removed)
        return news if new or gone or changed or dropped or moved or removed else None

    def view(self, plan: Plan) -> Plan:
        """The plan under the partition's own numbers of adoptions."""
        revisions = {id_: each.adoption for id_, each in self.served.items()}
        return plan.at(
            self.revision, revisions, [id_ for id_, each in self.served.items() if each.backfilled]
        )

    def write_adopted(self, commit: Commit, workspace: str, news: News) -> None:
        place = commit.partition
        if news.facts:
            fields = {str(fact): adoption.encode(self.facts[fact]) for fact in news.facts}
            commit.put_fields(keys.facts(place, workspace), fields)
        if news.facts_gone:
            commit.drop_fields(keys.facts(place, workspace), map(str, news.facts_gone))
        if news.served:
            fields = {id_: adoption.encode(self.served[id_]) for id_ in news.served}
            commit.put_fields(keys.served(place, workspace), fields)
        if news.served_no_more:
            commit.drop_fields(keys.served(place, workspace), news.served_no_more)
        self.write_stage(commit, workspace)
        self.write_progress(commit, workspace, news.segments, news.segments_gone)

    # -- filling

    def begin_filling(self) -> Filling | None:
        """The facts to be given history now, if there are any; one filling that was cut short goes on."""
        if self.filling is None and (wanting := self.wanting()):
            self.filling = Filling(tuple(sorted(wanting)))
            self._reported = 0
        return self.filling

    def filled(self, after: str, profiles: int, share: float) -> bool:
        """Profiles up to `after` have their history; `share` of all is done. Whether progress is written."""
        assert self.filling is not None
        self.filling = msgspec.structs.replace(self.filling, after=after, done=self.filling.done + profiles)
        step = int(share * self._steps(len(self.staged)))
        if step == self._reported:
            return False
        self._reported = step
        for id_ in self.staged & self.progress.keys():
            each = self.progress[id_]
            self._note(id_, msgspec.structs.replace(each, done=int(each.total * share)))
        return True

    def write_filled(self, commit: Commit, workspace: str, report: bool) -> None:
        self.write_stage(commit, workspace)
        if report:
            self.write_progress(commit, workspace, self.staged & self.progress.keys())

    def end_filling(self, since_ms: int | None, short: Collection[int]) -> None:
        """All profiles have their history. `since_ms`: events before that instant are not in the archive; it
        concerns the facts `short`."""
        assert self.filling is not None
        for fact in self.filling.facts:
            if fact in self.facts:
                self.facts[fact] = Kept(self.facts[fact].revision, since_ms if fact in short else None)
                self._wanting.pop(fact, None)
        self.filling = None

    def complete(self, plan: Plan, now_ms: int) -> tuple[set[int], set[str]]:
        """The facts whose windows have moved past what their history lacked, and the segments that are whole
        by that."""
        facts = set()
        for since_ms in {each.since_ms for each in self.facts.values() if each.since_ms is not None}:
            short = beyond(plan, since_ms, now_ms)
            facts |= {id_ for id_, each in self.facts.items() if each.since_ms == since_ms} - short
        for fact in facts:
            self.facts[fact] = Kept(self.facts[fact].revision, None)
        return facts, self._complete(plan, plan.positions.keys() & self.progress.keys()) if facts else set()

    def write_complete(
        self, commit: Commit, workspace: str, facts: Collection[int], segments: set[str]
    ) -> None:
        self.write_facts(commit, workspace, facts)
        self.write_progress(commit, workspace, segments)

    # -- walking

    def newer(self, plan: Plan) -> set[str]:
        """The segments that the walk is for."""
        return {plan.order[at].segment.id for at in plan.newer_than(self.completed)}

    def only_new(self, segments: Collection[str]) -> bool:
        """Whether a walk for these has nobody to take out of any."""
        return not self._removed and not self._gone and self._new.issuperset(segments)

    def concern(self, plan: Plan, covered: Collection[str] = ()) -> Concern | None:
        """Which states the walk has to look into; None: into all. `covered` as in `core.concern`."""
        return concern(plan, self.completed, self._removed, self._gone, covered)

    def walked(self, cursor: int, profiles: int) -> bool:
        """The walk has come one chunk further. Returns whether that is to be written."""
        if self.cursor == 0:
            self._round, self._waiting = self._waiting, set()
            self._round_revision, self._round_gone = self.revision, set(self._gone)
            self._done = self._reported = 0
        self.cursor = cursor
        self._done += profiles
        steps = self._steps(len(self._round))
        return cursor == 0 or self._done - self._reported >= ceil(max(self._total, self._done) / steps)

    def write_walked(self, commit: Commit, workspace: str) -> None:
        """The progress to be written; at the end of a round (cursor 0) it says that the round's segments are
        ready."""
        ended = self.cursor == 0
        self.write_progress(commit, workspace, *self._advance())
        if ended:
            self.write_stage(commit, workspace)

    # -- inside

    def _advance(self) -> tuple[set[str], set[str]]:
        """What the last chunk of a walk changes in the progress: segments moved, and segments gone."""
        self._reported = self._done
        ended = self.cursor == 0
        state: State = "ready" if ended else "building"
        building = (self._round & self.served.keys()) - self.staged
        for id_ in building:
            each = self.progress[id_]
            done = each.total if ended else min(self._done, each.total)
            self._note(id_, msgspec.structs.replace(each, state=state, done=done))
        removed: set[str] = set()
        if ended:
            self._new -= self._round
            removed = self._round - self.served.keys() - self.staged
            for id_ in removed:
                del self.progress[id_]
            self._removed -= removed
            self._round = set()
            self.completed = self._round_revision
            self._gone -= self._round_gone
        return building, removed

    def _note(self, id_: str, progress: Progress) -> None:
        """Most segments are equally far, so they share what says so."""
        if len(self._alike) >= ALIKE:
            self._alike = {}
        self.progress[id_] = self._alike.setdefault(progress, progress)

    @staticmethod
    def _steps(segments: int) -> int:
        return max(1, min(STEPS, REPORTED // max(segments, 1)))

    def _moves(self, latest: Plan) -> bool:
        return self.timezone is not None and self.timezone != latest.timezone

    def _remember_old_form(self, latest: Plan) -> None:
        """Stored by an earlier version: no `served`, but the progress says which versions those are."""
        if self._known or self.served:
            return
        for id_, each in self.progress.items():
            segment = latest.segments.get(id_)
            if segment is not None and segment.definition_version == each.definition_version:
                self.served[id_] = Served(
                    segment.definition_version, segment.revision, -1, False, segment.definition
                )

    def _serve(self, staging: Staging, revision: int, now_ms: int, commit: int, everything: bool) -> set[str]:
        """The segments whose served definition is another one now."""
        changed = set()
        for id_, segment in staging.served.items():
            old = self.served.get(id_)
            if old is not None and old.revision == segment.revision and not (everything and self._known):
                continue
            changed.add(id_)
            version, backfilled = segment.definition_version, id_ in self.staged
            now = Served(version, segment.revision, revision, backfilled, segment.definition, now_ms, commit)
            self.served[id_] = now if old is None else now.following(old)
        self._known = True
        return changed

    def _progress(self, latest: Plan, changed: Collection[str], total: int, begun_ms: int | None) -> set[str]:
        """The segments whose progress is another one now; whom to walk for is noted."""
        moved = set()
        for segment in latest.segments.values():
            old = self.progress.get(segment.id)
            again = old is not None and old.state == "ready" and segment.id in self.staged
            now = segment.definition_version, latest.timezone
            if old is None or (old.definition_version, old.timezone) != now or again:
                moved.add(segment.id)
                (self._new.add if old is None else self._new.discard)(segment.id)
                self._note(segment.id, Progress("building", 0, total, now[0], None, now[1], begun_ms))
        unready = set()
        if self._fresh:
            unready = {id_ for id_, each in self.progress.items() if each.state == "building"}
            self._fresh = False
        removed = self.progress.keys() - latest.segments.keys() - self.served.keys()
        self._waiting |= ({*changed, *unready} & self.served.keys()) | (removed - self._removed)
        self._round -= self._waiting
        self._waiting -= self.staged
        self._round -= self.staged
        self._removed = removed
        self._total = total
        return moved

    def _forget_filling(self, gone: Collection[int]) -> None:
        """Facts that nothing wants any more need no history. If one comes back it needs all of it: those who
        have had theirs already have lost it with the fact."""
        if self.filling is not None:
            left = tuple(fact for fact in self.filling.facts if fact not in gone)
            self.filling = msgspec.structs.replace(self.filling, facts=left) if left else None

    def _complete(self, plan: Plan, changed: Collection[str]) -> set[str]:
        """Says of the changed, and of all that refer to them, since when they are complete; those where
        that is another instant than before."""
        affected = {plan.positions[id_] for id_ in changed}
        ahead = list(affected)
        while ahead:
            reach = plan.dependents.get(ahead.pop())
            if reach is not None:
                more = reach.positions - affected
                affected |= more
                ahead += more
        moved = set()
        for position in sorted(affected):
            id_ = plan.order[position].segment.id
            since_ms = self._complete_since(plan, id_)
            if since_ms != self.progress[id_].complete_since_ms:
                self._note(id_, msgspec.structs.replace(self.progress[id_], complete_since_ms=since_ms))
                moved.add(id_)
        return moved

    def _complete_since(self, plan: Plan, segment: str) -> int | None:
        """The latest instant among its own facts and the segments that it refers to."""
        instants = [self.facts[fact].since_ms for fact in plan.facts_of(segment)]
        for read in plan.order[plan.positions[segment]].reads:
            if isinstance(read.leaf, SegmentRef) and read.leaf.id in plan.segments:
                instants.append(self.progress[read.leaf.id].complete_since_ms)
        return max((instant for instant in instants if instant is not None), default=None)
