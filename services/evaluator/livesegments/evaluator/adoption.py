"""Adopting a plan in a partition: since when each fact is kept, and how far each segment has come.

Pure. A change of definitions is adopted at once for every profile that is touched from then on; the
others are walked over in chunks. What has to be walked is seen by comparing the plan with the stored
progress, so a walk that a crash cut short, or a change that came while nobody ran, is taken up alike:

- a segment without progress, or with that of another version or time zone, is built;
- a progress without a segment is of a deleted one: it stays until the walk has taken its members out.

A walk goes in rounds. A change that comes in the middle of one doesn't begin it anew (else changes that
keep coming would keep everything from getting ready): what it concerns waits for the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil

import msgspec
from msgspec import Struct

from livesegments.core.definition import SegmentRef
from livesegments.core.plan import Plan
from livesegments.evaluator.partition import NEVER_MS
from livesegments.store import keys, progress
from livesegments.store.commit import Commit
from livesegments.store.progress import Progress, State

STEPS = 20
"""How many times at most a walk's progress is written."""


class Kept(Struct, frozen=True):
    """A fact is kept from a catalogue revision on; `since_ms` None: since before the first event."""

    revision: int
    since_ms: int | None


def encode_kept(kept: Kept) -> str:
    return f"{kept.revision} {'-' if kept.since_ms is None else kept.since_ms}"


def decode_kept(data: bytes) -> Kept:
    revision, since = data.decode().split(" ")
    return Kept(int(revision), None if since == "-" else int(since))


class News(Struct, frozen=True):
    """What an adoption leaves to be written: facts new and gone, segments whose progress changed."""

    new: Mapping[int, Kept]
    gone: Collection[int]
    segments: Collection[str]


class Adopted:
    """A workspace's registry and progress in one partition, as stored; `walking` while there is a walk."""

    def __init__(self, facts: Mapping[str, bytes], segments: Mapping[str, bytes]) -> None:
        self.facts = {int(fact): decode_kept(data) for fact, data in facts.items()}
        self.progress = {segment: progress.decode(data) for segment, data in segments.items()}
        self.cursor = 0
        self._waiting = {id_ for id_, each in self.progress.items() if each.state == "building"}
        self._round: set[str] = set()
        self._removed: set[str] = set()
        self._done = 0
        self._total = 0
        self._reported = 0

    @property
    def walking(self) -> bool:
        return bool(self._round or self._waiting)

    @property
    def segments(self) -> int:
        """How many segments each profile of the walk is judged by, or about so many."""
        return len(self._round) + len(self._waiting)

    def since(self) -> dict[int, int]:
        return {fact: kept.revision for fact, kept in self.facts.items()}

    def adopt(self, plan: Plan, clock_ms: int, total: int) -> News | None:
        """Takes the plan in, for `total` stored profiles; None if nothing is to be written."""
        since_ms = None if clock_ms == NEVER_MS else clock_ms
        new = dict.fromkeys(plan.fact_ids - self.facts.keys(), Kept(plan.revision, since_ms))
        gone = self.facts.keys() - plan.fact_ids
        for fact in gone:
            del self.facts[fact]
        self.facts |= new
        changed = set()
        for segment in plan.segments.values():
            old = self.progress.get(segment.id)
            if old is None or (old.definition_version, old.timezone) != (segment.version, plan.timezone):
                changed.add(segment.id)
                self.progress[segment.id] = Progress(
                    "building", 0, total, segment.version, None, plan.timezone
                )
        removed = self.progress.keys() - plan.segments.keys()
        self._waiting |= changed | (removed - self._removed)
        self._round -= self._waiting
        self._removed = removed
        self._total = total
        written = changed | self._complete(plan, changed)
        return News(new, gone, written) if new or gone or written else None

    def write_adopted(self, commit: Commit, workspace: str, news: News) -> None:
        if news.new:
            fields = {str(fact): encode_kept(kept) for fact, kept in news.new.items()}
            commit.put_fields(keys.facts(commit.partition, workspace), fields)
        if news.gone:
            commit.drop_fields(keys.facts(commit.partition, workspace), map(str, news.gone))
        self._write(commit, workspace, news.segments)

    def walked(self, cursor: int, profiles: int) -> bool:
        """One chunk further; whether that is to be written."""
        if self.cursor == 0:
            self._round, self._waiting = self._waiting, set()
            self._done = self._reported = 0
        self.cursor = cursor
        self._done += profiles
        return cursor == 0 or self._done - self._reported >= ceil(self._total / STEPS)

    def write_walked(self, commit: Commit, plan: Plan) -> None:
        """The progress, or at the end of a round (cursor 0) that what it was for is ready."""
        self._reported = self._done
        ended = self.cursor == 0
        state: State = "ready" if ended else "building"
        building = self._round & plan.segments.keys()
        for id_ in building:
            each = self.progress[id_]
            done = each.total if ended else min(self._done, each.total)
            self.progress[id_] = msgspec.structs.replace(each, state=state, done=done)
        self._write(commit, plan.workspace, building)
        if ended:
            removed = self._round - building
            if removed:
                commit.drop_fields(keys.segments(commit.partition, plan.workspace), removed)
            for id_ in removed:
                del self.progress[id_]
            self._removed -= removed
            self._round = set()

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
                self.progress[id_] = msgspec.structs.replace(self.progress[id_], complete_since_ms=since_ms)
                moved.add(id_)
        return moved

    def _complete_since(self, plan: Plan, segment: str) -> int | None:
        """The latest instant among its own facts and the segments that it refers to."""
        instants = [self.facts[fact].since_ms for fact in plan.facts_of(segment)]
        for read in plan.order[plan.positions[segment]].reads:
            if isinstance(read.leaf, SegmentRef) and read.leaf.id in plan.segments:
                instants.append(self.progress[read.leaf.id].complete_since_ms)
        return max((instant for instant in instants if instant is not None), default=None)

    def _write(self, commit: Commit, workspace: str, segments: Collection[str]) -> None:
        if segments:
            fields: dict[str, str | bytes] = {id_: progress.encode(self.progress[id_]) for id_ in segments}
            commit.put_fields(keys.segments(commit.partition, workspace), fields)
