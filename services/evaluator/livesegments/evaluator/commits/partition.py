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

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from livesegments.core.backfill import Backfill
from livesegments.core.concern import Concern
from livesegments.core.event import Event, Transition
from livesegments.core.handed import Handed
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.recount import Recounts
from livesegments.evaluator.commits.cache import Cache, States
from livesegments.evaluator.commits.cores import Cores
from livesegments.evaluator.commits.dues import Dues, DueTimes
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Outcome, Tally
from livesegments.evaluator.commits.records import Records
from livesegments.evaluator.commits.sets import Sets
from livesegments.evaluator.commits.upkeep import Upkeep
from livesegments.evaluator.erasure.pursuit import Pursuit
from livesegments.evaluator.history.images import Images
from livesegments.evaluator.history.retracting import Read, Retracting
from livesegments.evaluator.kernel.native import Kernels
from livesegments.evaluator.kernel.share import Share
from livesegments.evaluator.kernel.unread import latest_ms
from livesegments.evaluator.plans.degrading import Degrading
from livesegments.history.protocol import Filled
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.handing import Item
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey, profile_key

if TYPE_CHECKING:
    from livesegments.evaluator.kernel import _native

NEVER_MS = -(2**62)
"""The clock before the first event."""
NEW = b""
"""The state of a profile never seen."""


class Partition:
    """`since`: workspace → fact id → revision from which this partition keeps the fact. `walked`: workspace →
    revision to which every stored profile was brought.

    `cache_bytes` bounds the states that are held, `dues` the due instants. `kernels`: the native kernel
    does what it can; None: the interpreted core does everything.
    """

    def __init__(
        self, number: int, head: Head, cache_bytes: int, dues: int, kernels: Kernels | None = None
    ) -> None:
        self.number = number
        self.commit = head.commit
        self.offset = head.offset
        self.clock_ms = NEVER_MS if head.clock_ms is None else head.clock_ms
        self.catalog = head.catalog
        self.plans: dict[str, Plan] = {}
        self.since: dict[str, Mapping[int, int]] = {}
        self.walked: dict[str, int] = {}
        interpreted = Dues(dues)
        share = (
            None
            if kernels is None
            else Share(number, kernels, self.plans, self.since, self.walked, cache_bytes, dues)
        )
        self.cache: States = Cache(cache_bytes) if share is None else share.cache
        self.dues: DueTimes = interpreted if share is None else share.dues
        self.sets = Sets(number, share)
        self._making = Making(number, self.cache, self.dues, self.sets, share)
        self.noted = self._making.noted
        self._upkeep = Upkeep(self._making, self.cache, self.dues, share, self.plans, self.since, self.walked)
        self.retracting = Retracting(self._making)
        self._records = Records(self._making, self._upkeep, self.plans, self.retracting)
        self.cores = Cores(
            self._making, self._upkeep, self._records, self.plans, self.cache, share, interpreted
        )
        self.degrading = Degrading(number)
        self.erased: dict[ProfileKey, int] = {}
        """Erased profiles whose files may still be read: up to this commit nothing of them counts."""
        self.images: Images | None = None
        """Where a checkpoint wants to know what profiles were before they are changed."""

    @property
    def suppressed(self) -> Callable[[ProfileKey], bool] | None:
        """Whether a profile was erased and is kept out; None where nobody is."""
        return self._records.suppressed

    @suppressed.setter
    def suppressed(self, check: Callable[[ProfileKey], bool] | None) -> None:
        self._records.suppressed = check

    # -- what must be there before

    def after(self, events: Sequence[Event], stamp_ms: int | None) -> int:
        """The instant of the clock after the last of the events."""
        start, latest = self._from(stamp_ms), latest_ms(events)
        return start if latest is None else max(start, latest)

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
        starts: Sequence[int] = (),
        stamps: Sequence[tuple[int, int]] = (),
    ) -> Outcome:
        """A packed record, received at `stamp_ms` (None in mode `log`); `offset` is the next one's.

        `starts` and `stamps`: where the record was joined of several, as in `Tally`.
        `record` is what `events` were decoded from: it goes into the tail as it is.
        `along`: all that is due up to the clock fires with it, not only what its own profiles wait for.
        """
        making = self._making

        def work() -> Tally:
            tally = Tally(self._from(stamp_ms), starts, stamps)
            self.clock_ms = self.cores.apply(events, record, tally, self.commit + 1, along)
            return tally

        tally = making.steady(work)
        making.entry = tally.entry(record, events)
        self.offset = offset
        degrading = self.degrading
        mended = degrading.forgive(events, making.aside) if degrading.of else ()
        outcome = self.seal(lambda commit: degrading.write(commit, mended)) if mended else self.seal()
        outcome.events, outcome.duplicates = len(events), tally.duplicates
        outcome.unknown_workspace, outcome.refused = len(tally.unknown), tally.refused
        outcome.suppressed = len(tally.suppressed)
        return outcome

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

        def work() -> Tally:
            tally = Tally(self.after(handed.events, stamp_ms))
            if self.cores.receive(handed, tally, along):
                self.clock_ms = tally.clock_ms
            return tally

        tally = making.steady(work)
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
        next_ms = self.dues.next(to_ms)
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
        self._keep({profile_key(workspace, id_): state for id_, state in stored.items()})

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
        history: Sequence[Filled],
        stored: Mapping[ProfileKey, bytes | None],
        before: Sequence[Sequence[Filled]] = (),
        wish: _native.Wish | None = None,
    ) -> int:
        """Gives profiles their history; `seal` makes the commit of it. How many.

        `stored` has those that are not cached, as they are stored. `before`: slices of this commit that were
        given theirs already; after a fault of ours they are given it again. `wish`: what the native kernel
        gives.
        """
        making, upkeep = self._making, self._upkeep
        plan, erased, now_ms = self.plans[workspace], self.erased, self.clock_ms
        self._keep(stored)

        def work() -> int:
            for each in before if making.careful else ():
                upkeep.fill(plan, backfill, each, stored, erased, now_ms)
            return upkeep.fill(plan, backfill, history, stored, erased, now_ms, wish)

        return making.steady(work)

    def audit(self, key: ProfileKey, work: Callable[[Profile], list[Transition] | None]) -> bool:
        """Brings a profile, which must be cached, to plan and clock; then `work` puts it right.

        `work` returns the transitions of that, or None if all was right. Where anything is due, or the plan
        is an older one, that is all that is done, and True is returned.
        """
        upkeep, now_ms = self._upkeep, self.clock_ms
        return self._making.steady(lambda: upkeep.audit(key, work, now_ms))

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
        clock = self._from(stamp_ms)
        slot = self._making.steady(lambda: self._upkeep.leave(key, clock))
        self.clock_ms = clock
        exits = len(self._making.transitions)
        self._making.items += items
        self.offset = offset

        def remove(commit: Commit) -> None:
            if self.images is not None:
                self.images.keep(key, slot.stored)
            self.cache.put(key, NEW)
            self.erased[key] = commit.number
            commit.drop_fields(keys.profiles(self.number, slot.workspace), [slot.id])
            if slot.profile is not None:
                commit.drop_fields(keys.ids(self.number, slot.workspace), [str(slot.profile.number)])
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

    def _from(self, stamp_ms: int | None) -> int:
        """The clock before the first event of what was received at `stamp_ms` (None in mode `log`)."""
        return self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)

    def _keep(self, stored: Mapping[ProfileKey, bytes | None]) -> None:
        """Profiles that are not remembered may be changed: a checkpoint under way knows what they were."""
        if self.images is not None:
            for key, state in stored.items():
                if self.cache.get(key) is None:
                    self.images.keep(key, state or NEW)

    def seal(self, write: Callable[[Commit], None] | None = None) -> Outcome:
        """Ends the commit in the making with `write`'s part; nothing may be written to it afterwards."""
        self.commit += 1
        clock = None if self.clock_ms == NEVER_MS else self.clock_ms
        commit = Commit(self.number, self.commit, self.offset, clock, self.catalog)
        making = self._making
        self.retracting.look()
        making.close(commit, self.images, self.clock_ms)
        outcome = Outcome(commit, aside=making.aside, hands=bool(making.items))
        degraded = self.degrading.note(making) if making.aside or making.met else ()
        self.retracting.note(commit)
        outcome.transitions, outcome.state_bytes = making.write(commit, self.images, self.clock_ms)
        if degraded:
            self.degrading.write(commit, degraded)
        if write is not None:
            write(commit)
        return outcome
