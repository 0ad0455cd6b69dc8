"""One partition's evaluation, without I/O: records, due times and an instant go in, a commit comes out.

Its owner loads everything that it needs beforehand: the states (`cache`), the next due times (`dues`), the
plans. Every method that changes something ends in an `Outcome`: one commit, to be sent in the order in
which they were made. In memory the partition has then gone on already; if a commit is refused, the
partition is thrown away and made anew from the store.

The clock never goes back. In mode `log` events alone move it, one by one; in mode `wall` a record's stamp
(its receipt) moves it too. Before a profile's event every due time of that profile up to the clock fires, in
order and at its own instant. Those of other profiles may fire before or after, because profiles know nothing
of each other. So a profile's history is the same whatever fires its due times: its own next event, a
record of others, a chunk, or a walk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from livesegments.core.backfill import Backfill
from livesegments.core.concern import Concern
from livesegments.core.event import MERGE, Event, Transition
from livesegments.core.handed import Handed
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.recount import Recounts
from livesegments.core.step import Why, on_event, on_leave
from livesegments.evaluator.commits import kindred
from livesegments.evaluator.commits.cache import Cache
from livesegments.evaluator.commits.dues import Dues
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Outcome, Tally
from livesegments.evaluator.commits.slot import Slot
from livesegments.evaluator.commits.upkeep import Upkeep
from livesegments.evaluator.erasure.pursuit import Pursuit
from livesegments.evaluator.faults.aside import is_touch
from livesegments.evaluator.history.images import Images
from livesegments.evaluator.history.retracting import Read, Retracting
from livesegments.evaluator.kernel.records import Records
from livesegments.evaluator.plans.degrading import Degrading
from livesegments.history.protocol import Filled
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.handing import Item
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey, profile_key

NEVER_MS = -(2**62)
"""The clock before the first event."""
NEW = b""
"""The state of a profile never seen."""


class Partition:
    """`since`: workspace → fact id → revision from which this partition keeps the fact. `walked`: workspace →
    revision to which every stored profile was brought.

    `cache_bytes` bounds the states that are held, `dues` the due instants.
    """

    def __init__(self, number: int, head: Head, cache_bytes: int, dues: int) -> None:
        self.number = number
        self.commit = head.commit
        self.offset = head.offset
        self.clock_ms = NEVER_MS if head.clock_ms is None else head.clock_ms
        self.catalog = head.catalog
        self.plans: dict[str, Plan] = {}
        self.since: dict[str, Mapping[int, int]] = {}
        self.walked: dict[str, int] = {}
        self.cache = Cache(cache_bytes)
        self.dues = Dues(dues)
        self._making = Making(number, self.cache, self.dues)
        self.noted = self._making.noted
        self._upkeep = Upkeep(self._making, self.cache, self.dues, self.plans, self.since, self.walked)
        self.retracting = Retracting(self._making)
        self.degrading = Degrading(number)
        self.suppressed: Callable[[ProfileKey], bool] | None = None
        """Whether a profile was erased and is kept out; None where nobody is."""
        self.erased: dict[ProfileKey, int] = {}
        """Erased profiles whose files may still be read: up to this commit nothing of them counts."""
        self.images: Images | None = None
        """Where a checkpoint wants to know what profiles were before they are changed."""

    @property
    def records(self) -> Records | None:
        """The native kernel's share of records and due times; None: it has none."""
        return self._upkeep.records

    @records.setter
    def records(self, records: Records | None) -> None:
        self._upkeep.records = records

    # -- what must be there before

    def after(self, events: Sequence[Event], stamp_ms: int | None) -> int:
        """The instant of the clock after the last of the events."""
        start = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        return max(start, max((event.time_ms for event in events), default=start))

    def wanted(self, events: Iterable[Event], along: Iterable[ProfileKey]) -> list[ProfileKey]:
        """Keys of the profiles that events and the dues `along` with them need and that are not cached."""
        keys_ = [profile_key(event.workspace, event.profile) for event in events]
        keys_ += along
        return self.cache.missing(keys_)

    def give(self, key: ProfileKey, state: bytes | None) -> None:
        """A profile as it is stored, or None for one never seen."""
        self.cache.put(key, state or NEW)

    # -- what happens

    def apply(
        self,
        events: Sequence[Event],
        stamp_ms: int | None,
        offset: int,
        record: bytes = b"",
        along: bool = True,
    ) -> Outcome:
        """A packed record, received at `stamp_ms` (None in mode `log`); `offset` is the next one's.

        `record` is what `events` were decoded from: it goes into the tail as it is.
        `along`: all that is due up to the clock fires with it, not only what its own profiles wait for.
        """
        making = self._making
        tally = making.steady(lambda: self._apply(events, stamp_ms, along, record))
        making.entry = tally.entry(record, events)
        self.offset = offset
        degrading = self.degrading
        mended = degrading.forgive(events, making.aside) if degrading.of else ()
        outcome = self.seal(lambda commit: degrading.write(commit, mended)) if mended else self.seal()
        outcome.events, outcome.duplicates = len(events), tally.duplicates
        outcome.unknown_workspace, outcome.refused = len(tally.unknown), tally.refused
        outcome.suppressed = len(tally.suppressed)
        return outcome

    def _apply(
        self, events: Sequence[Event], stamp_ms: int | None, along: bool, record: bytes = b""
    ) -> Tally:
        """What every event goes through is written out here; the rest is in methods."""
        clock = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        making, plans, heap, run = self._making, self.plans, self.dues.heap, self.dues.run
        touched, dirty, careful = making.touched, making.dirty, making.careful
        suppressed, tally = self.suppressed, Tally(clock)
        left = self._left_by_kernel(record, events, tally)
        for place, event in enumerate(events):
            workspace = event.workspace
            plan = plans.get(workspace)
            if plan is None:
                tally.leave_unknown(place)
                continue
            clock = max(clock, event.time_ms)
            if left is None and along and ((heap and heap[0][0] <= clock) or (run and run[-1][0] <= clock)):
                self._upkeep.fire(clock, None)
            if left is not None and event.profile not in left:
                continue
            key = profile_key(workspace, event.profile)
            slot = touched.get(key)
            if slot is None:
                slot = making.touch_as(key, workspace, event.profile)
            profile, wake = slot.profile, slot.wake_ms
            if profile is None:
                if suppressed is not None and suppressed(key):
                    tally.suppress(place)
                    continue
            elif profile.plan != plan.revision or (wake is not None and wake <= clock):
                if profile.gone:
                    making.put_by(key, event, place, tally)
                    continue
                profile = self._caught_up(key, slot, plan, clock, event)
            if event.name == MERGE:
                kindred.merge(making, key, slot, plan, event, clock, place, tally, self.commit + 1)
                continue
            if careful:
                making.apply(key, slot, plan, event, clock, place, tally)
                continue
            step = on_event(plan, profile, event, clock)
            if step.changed:
                slot.profile = step.profile
                dirty[key] = slot
                if step.transitions:
                    making.transitions += step.transitions
                if step.wake_at != slot.wake_ms:
                    making.wake(key, slot, step.wake_at)
                if step.derived:
                    tally.derived += [(place, each) for each in step.derived]
            else:
                tally.leave(place, event, step)
        self._end(clock, along and left is not None)
        return tally

    def _left_by_kernel(self, record: bytes, events: Sequence[Event], tally: Tally) -> Collection[str] | None:
        """The kernel does what it can. The profiles whose events it leaves; None: those of all."""
        making = self._making
        if self.records is None or self.suppressed is not None or making.careful:
            return None
        return self.records.apply(record, events, tally.clock_ms, self.plans, self.cache, making, tally)

    def _end(self, clock_ms: int, along: bool) -> None:
        """`along`: what was due up to the clock has not fired yet; the kernel takes it at once."""
        making = self._making
        if along:
            self._upkeep.fire(clock_ms, None)
        if making.late:
            kindred.hand_on(making, self.plans, clock_ms)
        making.encode()
        self.clock_ms = clock_ms

    def _caught_up(
        self, key: ProfileKey, slot: Slot, plan: Plan, now_ms: int, event: Event
    ) -> Profile | None:
        self._upkeep.catch_up(key, slot, plan, now_ms)
        if self._making.owed.get(key) == "history" and is_touch(event):
            self.retracting.again(key)
        return slot.profile

    def receive(
        self,
        handed: Handed,
        stamp_ms: int | None,
        offset: int,
        record: bytes = b"",
        along: bool = True,
        pursuit: Pursuit | None = None,
    ) -> Outcome:
        """What a merged profile hands over to one of this partition; otherwise as `apply`.

        `pursuit`: where this one was erased, what follows for the others.
        """
        making = self._making
        tally = making.steady(lambda: self._receive(handed, stamp_ms, along))
        making.entry = tally.entry(record, handed.events)
        self.offset = offset
        if pursuit is None:
            outcome = self.seal()
        else:
            making.items += pursuit.items
            outcome = self.seal(pursuit.write)
        outcome.handed = len(handed.events) - len(tally.left_out)
        outcome.duplicates, outcome.refused = tally.duplicates, tally.refused
        outcome.unknown_workspace, outcome.suppressed = len(tally.unknown), len(tally.suppressed)
        return outcome

    def _receive(self, handed: Handed, stamp_ms: int | None, along: bool) -> Tally:
        making, plan = self._making, self.plans.get(handed.workspace)
        clock, places = self.after(handed.events, stamp_ms), range(len(handed.events))
        tally = Tally(clock)
        if plan is None:
            for place in places:
                tally.leave_unknown(place)
            return tally
        if along:
            self._upkeep.fire(clock, None)
        key = profile_key(handed.workspace, handed.profile)
        slot = making.touched.get(key) or making.touch(key)
        if slot.profile is not None:
            self._upkeep.catch_up(key, slot, plan, clock)
        if slot.profile is None and self.suppressed is not None and self.suppressed(key):
            for place in places:
                tally.suppress(place)
        else:
            kindred.take_over(making, key, slot, plan, handed, clock, tally)
        making.encode()
        self.clock_ms = clock
        return tally

    def skip(self, offset: int) -> Outcome:
        """A record that changes nothing."""
        self.offset = offset
        return self.seal()

    def fire(self, until_ms: int, limit: int | None = None) -> Outcome:
        """At most `limit` dues up to `until_ms`; the clock comes to the last of them.

        It does not come to `until_ms`: so the log and the dues alone say what a profile goes through, and
        that is the same when the log is applied again, whenever somebody looked at the clock.
        """
        self.advance(until_ms, limit)
        return self.seal()

    def advance(self, until_ms: int, limit: int | None = None) -> None:
        """A slice of `fire`: several may go into one commit, which `seal` ends.

        A fault of ours undoes the slices before it, too; their due times then fire in later commits.
        """
        fired = self._making.steady(lambda: self._upkeep.fire(until_ms, limit))
        if fired is not None and fired > self.clock_ms:
            self.clock_ms = fired

    def pass_to(self, to_ms: int) -> bool:
        """Moves the clock on, unless a due time up to there, or up to the clock, has not fired yet."""
        to_ms = max(to_ms, self.clock_ms)
        next_ms = self.dues.next()
        if not self.dues.covers(to_ms) or (next_ms is not None and next_ms <= to_ms):
            return False
        self.clock_ms = to_ms
        return True

    def walk(
        self,
        workspace: str,
        stored: Mapping[str, bytes],
        concern: Concern | None = None,
        also: Collection[str] = (),
        before: Sequence[Mapping[str, bytes]] = (),
    ) -> int:
        """Brings a chunk of stored profiles to the workspace's plan; `seal` makes the commit of it.

        `concern` says whose state has to be looked into, beside those of `also`; None: everybody's. `before`:
        slices of this commit that were brought to it already; after a fault of ours they are again. Returns
        how many times a profile was judged by a segment.
        """
        making, upkeep = self._making, self._upkeep
        plan, now_ms = self.plans[workspace], self.clock_ms

        def work() -> int:
            for each in before if making.careful else ():
                upkeep.walk(plan, each, concern, also, now_ms)
            return upkeep.walk(plan, stored, concern, also, now_ms)

        judged = making.steady(work)
        if not self.changed:
            making.forget()
        return judged

    def fill(
        self,
        workspace: str,
        backfill: Backfill,
        history: Mapping[ProfileKey, Filled],
        stored: Mapping[ProfileKey, bytes | None],
        before: Sequence[Mapping[ProfileKey, Filled]] = (),
    ) -> int:
        """Gives profiles their history; `seal` makes the commit of it. How many.

        `stored` has those that are not cached, as they are stored. `before`: slices of this commit that were
        given theirs already; after a fault of ours they are given it again.
        """
        making, upkeep = self._making, self._upkeep
        plan, erased, now_ms = self.plans[workspace], self.erased, self.clock_ms

        def work() -> int:
            for each in before if making.careful else ():
                upkeep.fill(plan, backfill, each, stored, erased, now_ms)
            return upkeep.fill(plan, backfill, history, stored, erased, now_ms)

        return making.steady(work)

    def audit(self, key: ProfileKey, work: Callable[[Profile], list[Transition] | None]) -> bool:
        """Brings a profile, which must be cached, to plan and clock; then `work` puts it right.

        `work` returns the transitions of that, or None if all was right. Where anything is due, or the plan
        is an older one, that is all that is done, and True is returned.
        """
        return self._making.steady(lambda: self._audit(key, work))

    def take_back(self, recounts: Recounts, read: Sequence[Read], since_ms: int | None = None) -> None:
        """Carries out the retractions of profiles, which must be cached and followed; then `seal`.

        `since_ms`: events before that instant are gone from history.
        """
        carry_out, now_ms = self.retracting.carry_out, self.clock_ms
        self._making.steady(
            lambda: carry_out(recounts, read, self.erased, now_ms, since_ms, self._upkeep.catch_up)
        )

    def erase(
        self,
        key: ProfileKey,
        stamp_ms: int | None,
        offset: int,
        write: Callable[[Commit, int, Profile | None], None],
        items: Sequence[Item],
    ) -> Outcome:
        """A profile, which must be cached, exits its segments and goes.

        `write` makes the rest of the commit; it is given the number of exits and what the profile was.
        `items` say what follows for its other ids.
        """
        slot = self._making.steady(lambda: self._erase(key, stamp_ms))
        exits = len(self._making.transitions)
        self._making.items += items
        self.offset = offset

        def remove(commit: Commit) -> None:
            if self.images is not None:
                self.images.keep(key, slot.stored)
            self.cache.put(key, NEW)
            self.erased[key] = commit.number
            commit.drop_fields(keys.profiles(self.number, slot.workspace), [slot.id])
            self.retracting.drop(commit, key)
            self.degrading.write(commit, self.degrading.forget(slot.workspace, slot.id))
            write(commit, exits, slot.profile)

        return self.seal(remove)

    def lift(self, write: Callable[[Commit], None], items: Sequence[Item]) -> Outcome:
        """A profile that was erased is taken in again; `items` say what follows for its other ids."""
        self._making.items += items
        return self.seal(write)

    @property
    def changed(self) -> bool:
        """Whether `walk` left anything to commit."""
        return self._making.changed

    # -- inside

    def _audit(self, key: ProfileKey, work: Callable[[Profile], list[Transition] | None]) -> bool:
        making = self._making
        slot = making.touched.get(key) or making.touch(key)
        if slot.profile is None:
            return False
        self._upkeep.catch_up(key, slot, self.plans[slot.workspace], self.clock_ms)
        if making.changed:
            making.encode()
            return True
        transitions: list[Transition] | None = None

        def go() -> None:
            nonlocal transitions
            assert slot.profile is not None
            transitions = work(slot.profile)

        making.guarded(key, slot, go)
        if transitions is not None:
            making.dirty[key] = slot
            making.transitions += transitions
            if slot.profile.wake_at != slot.wake_ms:
                making.wake(key, slot, slot.profile.wake_at)
        making.encode()
        if not making.changed:
            making.forget()
        return False

    def _erase(self, key: ProfileKey, stamp_ms: int | None) -> Slot:
        clock = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        making = self._making
        slot = making.touch(key)
        plan = self.plans.get(slot.workspace)
        if slot.profile is not None and plan is not None:
            self._upkeep.catch_up(key, slot, plan, clock)
            making.transitions += on_leave(plan, slot.profile, Why(slot.id, clock, "erasure", None))
        making.dirty.pop(key, None)
        making.owed.pop(key, None)
        making.wake(key, slot, None)
        self.clock_ms = clock
        return slot

    def seal(self, write: Callable[[Commit], None] | None = None) -> Outcome:
        """Ends the commit in the making with `write`'s part; nothing may be written to it afterwards."""
        self.commit += 1
        clock = None if self.clock_ms == NEVER_MS else self.clock_ms
        commit = Commit(self.number, self.commit, self.offset, clock, self.catalog)
        making = self._making
        outcome = Outcome(commit, making.transitions, aside=making.aside, hands=bool(making.items))
        degraded = self.degrading.note(making) if making.aside or making.met else ()
        self.retracting.note(commit)
        outcome.state_bytes = making.write(commit, self.images)
        if degraded:
            self.degrading.write(commit, degraded)
        if write is not None:
            write(commit)
        return outcome
