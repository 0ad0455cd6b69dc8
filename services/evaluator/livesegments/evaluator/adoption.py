"""Adopting a plan in a partition: since when each fact is kept, and how far each segment has come.

Pure. A change of definitions is adopted at once for every profile that is touched from then on; the
others are walked over in chunks. What has to be walked is seen by comparing the plan with the stored
progress, so a walk that a crash cut short, or a change that came while nobody ran, is taken up alike:

- a segment without progress, or with that of another version, is built;
- a progress without a segment is of a deleted one: it stays until the walk has taken its members out.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from msgspec import Struct

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


class Adopted:
    """A workspace's registry and progress in one partition, as stored; `walking` while there is a walk."""

    def __init__(self, facts: Mapping[str, bytes], segments: Mapping[str, bytes]) -> None:
        self.facts = {int(fact): decode_kept(data) for fact, data in facts.items()}
        self.progress = {segment: progress.decode(data) for segment, data in segments.items()}
        self.walking = False
        self.cursor = 0
        self._done = 0
        self._total = 0
        self._reported = 0

    def since(self) -> dict[int, int]:
        return {fact: kept.revision for fact, kept in self.facts.items()}

    def adopt(self, plan: Plan, clock_ms: int, total: int) -> tuple[dict[int, Kept], set[int], bool]:
        """Takes the plan in; the facts new and gone, and whether anything changed."""
        since_ms = None if clock_ms == NEVER_MS else clock_ms
        new = {fact: Kept(plan.revision, since_ms) for fact in plan.fact_ids if fact not in self.facts}
        gone = self.facts.keys() - plan.fact_ids
        self.facts = {fact: kept for fact, kept in self.facts.items() if fact not in gone} | new
        before = dict(self.progress)
        for segment in plan.segments.values():
            old = self.progress.get(segment.id)
            if old is None or old.definition_version != segment.version:
                complete = self._complete_since(plan, segment.id)
                self.progress[segment.id] = Progress("building", 0, total, segment.version, complete)
        removed = self.progress.keys() - plan.segments.keys()
        self.walking = bool(removed) or any(each.state == "building" for each in self.progress.values())
        self.cursor = self._done = self._reported = 0
        self._total = total
        return new, gone, bool(new or gone or self.progress != before)

    def write_adopted(self, commit: Commit, workspace: str, new: dict[int, Kept], gone: set[int]) -> None:
        if new:
            fields = {str(fact): encode_kept(kept) for fact, kept in new.items()}
            commit.put_fields(keys.facts(commit.partition, workspace), fields)
        if gone:
            commit.drop_fields(keys.facts(commit.partition, workspace), map(str, gone))
        building = {id_: each for id_, each in self.progress.items() if each.state == "building"}
        self._write(commit, workspace, building)

    def walked(self, cursor: int, profiles: int) -> bool:
        """One chunk further; whether that is to be written."""
        self.cursor = cursor
        self._done += profiles
        return cursor == 0 or self._done - self._reported >= ceil(self._total / STEPS)

    def write_walked(self, commit: Commit, plan: Plan) -> None:
        """The progress, or at the end (cursor 0) that everything is ready."""
        self._reported = self._done
        ended = self.cursor == 0
        done = self._total if ended else min(self._done, self._total)
        state: State = "ready" if ended else "building"
        moved = {
            segment: Progress(state, done, self._total, each.definition_version, each.complete_since_ms)
            for segment, each in self.progress.items()
            if each.state == "building" and segment in plan.segments
        }
        self.progress |= moved
        self._write(commit, plan.workspace, moved)
        if ended:
            removed = self.progress.keys() - plan.segments.keys()
            if removed:
                commit.drop_fields(keys.segments(commit.partition, plan.workspace), removed)
            for segment in removed:
                del self.progress[segment]
            self.walking = False

    def _complete_since(self, plan: Plan, segment: str) -> int | None:
        instants = (self.facts[fact].since_ms for fact in plan.facts_of(segment))
        return max((instant for instant in instants if instant is not None), default=None)

    def _write(self, commit: Commit, workspace: str, moved: Mapping[str, Progress]) -> None:
        if moved:
            fields: dict[str, str | bytes] = {id_: progress.encode(each) for id_, each in moved.items()}
            commit.put_fields(keys.segments(commit.partition, workspace), fields)
