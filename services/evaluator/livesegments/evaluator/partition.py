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
from functools import partial
from typing import TypeVar

import structlog
from msgspec.structs import replace

from livesegments.core.backfill import Backfill, Past
from livesegments.core.concern import Concern
from livesegments.core.event import Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import Step, Why, on_clock, on_event, on_leave, on_plan
from livesegments.evaluator.aside import Aside, counted
from livesegments.evaluator.cache import Cache
from livesegments.evaluator.dues import Dues
from livesegments.evaluator.images import Images
from livesegments.evaluator.outcome import Outcome, Tally
from livesegments.evaluator.slot import Slot
from livesegments.evaluator.writes import write_dues, write_members
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.degraded import Degraded
from livesegments.store.degraded import encode as encode_degraded
from livesegments.store.shard import Head
from livesegments.store.tail import Entry
from livesegments.wire.profilekey import ProfileKey, profile_key, split

T = TypeVar("T")

_log = structlog.get_logger(__name__)

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
        self._touched: dict[ProfileKey, Slot] = {}
        self._dirty: dict[ProfileKey, Slot] = {}
        self._woken: dict[ProfileKey, int | None] = {}
        self._transitions: list[Transition] = []
        self._entry: Entry | None = None
        self._states: dict[ProfileKey, bytes] = {}
        self._aside: list[Aside] = []
        self._careful = False
        self._judged = 0
        self.degraded: dict[str, Degraded] = {}
        self.suppressed: Callable[[ProfileKey], bool] | None = None
        """Whether a profile was erased and is kept out; None where nobody is."""
        self.erased: dict[ProfileKey, int] = {}
        """Erased profiles whose files may still be read: up to this commit nothing of them counts."""
        self.images: Images | None = None
        """Where a checkpoint wants to know what profiles were before they are changed."""

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
        tally = self._steady(lambda: self._apply(events, stamp_ms, along))
        self._entry = tally.entry(record, events)
        self.offset = offset
        outcome = self.seal()
        outcome.events, outcome.duplicates = len(events), tally.duplicates
        outcome.unknown_workspace, outcome.refused = tally.unknown_workspace, tally.refused
        outcome.suppressed = len(tally.suppressed)
        return outcome

    def _apply(self, events: Sequence[Event], stamp_ms: int | None, along: bool) -> Tally:
        clock = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        plans, dues, touched, dirty = self.plans, self.dues, self._touched, self._dirty
        suppressed, tally = self.suppressed, Tally()
        clocks = tally.clocks
        for place, event in enumerate(events):
            workspace = event.workspace
            plan = plans.get(workspace)
            if plan is None:
                tally.unknown(place, clock)
                continue
            clock = max(clock, event.time_ms)
            clocks.append(clock)
            if along and (
                (dues.heap and dues.heap[0][0] <= clock) or (dues.run and dues.run[-1][0] <= clock)
            ):
                self._fire(clock, None)
            key = profile_key(workspace, event.profile)
            slot = touched.get(key) or self._touch(key)
            profile, wake = slot.profile, slot.wake_ms
            if profile is None:
                if suppressed is not None and suppressed(key):
                    tally.suppress(place)
                    continue
            elif profile.plan != plan.revision or (wake is not None and wake <= clock):
                self._catch_up(key, slot, plan, clock)
                profile = slot.profile
            if self._careful:
                self._carefully(key, slot, plan, event, clock, place, tally)
                continue
            step = on_event(plan, profile, event, clock)
            if step.changed:
                slot.profile = step.profile
                dirty[key] = slot
                if step.transitions:
                    self._transitions += step.transitions
                if step.wake_at != slot.wake_ms:
                    self._wake(key, slot, step.wake_at)
                if step.derived:
                    tally.derived += [(place, each) for each in step.derived]
            else:
                tally.left(place, event, step)
        self._encode()
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
        fired = self._steady(lambda: self._fire(until_ms, limit))
        if fired is not None and fired > self.clock_ms:
            self.clock_ms = fired
        return self.seal()

    def pass_to(self, to_ms: int) -> bool:
        """The clock goes on by itself, unless something is still due up to there, or up to the clock."""
        to_ms = max(to_ms, self.clock_ms)
        next_ms = self.dues.next()
        if not self.dues.covers(to_ms) or (next_ms is not None and next_ms <= to_ms):
            return False
        self.clock_ms = to_ms
        return True

    def walk(self, workspace: str, stored: Mapping[str, bytes], concern: Concern | None = None) -> int:
        """Brings a chunk of stored profiles to the workspace's plan; `seal` makes the commit of it.

        `concern` says whose state has to be looked into; None: everybody's. Returns how many times a profile
        was judged by a segment.
        """
        judged = self._steady(lambda: self._walk(self.plans[workspace], stored, concern))
        if not self.changed:
            self._touched = {}
        return judged

    def fill(self, workspace: str, backfill: Backfill, history: Sequence[tuple[str, list[Past]]]) -> int:
        """Gives profiles, which must be cached, their history; `seal` makes the commit of it. How many."""
        return self._steady(lambda: self._fill(self.plans[workspace], backfill, history))

    def erase(
        self,
        key: ProfileKey,
        stamp_ms: int | None,
        offset: int,
        write: Callable[[Commit, int, Profile | None], None],
    ) -> Outcome:
        """A profile, which must be cached, exits its segments and goes.

        `write` makes the rest of the commit; it is given the number of exits and what the profile was.
        """
        slot = self._steady(lambda: self._erase(key, stamp_ms))
        exits = len(self._transitions)
        self.offset = offset

        def remove(commit: Commit) -> None:
            if self.images is not None:
                self.images.keep(key, slot.stored)
            self.cache.put(key, NEW)
            self.erased[key] = commit.number
            commit.drop_fields(keys.profiles(self.number, slot.workspace), [slot.id])
            write(commit, exits, slot.profile)

        return self.seal(remove)

    @property
    def spoiled(self) -> bool:
        """Whether a fault of ours kept something in the commit in the making from being done."""
        return bool(self._aside)

    @property
    def changed(self) -> bool:
        """Whether `walk` left anything to commit."""
        return bool(self._dirty or self._woken)

    # -- inside

    def _walk(self, plan: Plan, stored: Mapping[str, bytes], concern: Concern | None) -> int:
        self._judged = 0
        for id_, data in stored.items():
            key = profile_key(plan.workspace, id_)
            if concern is not None and not concern(self.cache.get(key) or data):
                continue
            slot = self._touch(key, data)
            if slot.profile is not None and slot.profile.plan != plan.revision:
                self._catch_up(key, slot, plan, self.clock_ms)
        self._encode()
        return self._judged

    def _fill(self, plan: Plan, backfill: Backfill, history: Sequence[tuple[str, list[Past]]]) -> int:
        count = 0
        for id_, past in history:
            key = profile_key(plan.workspace, id_)
            slot = self._touched.get(key) or self._touch(key)
            if slot.profile is None:
                continue
            count += 1
            since = self.erased.get(key, 0)
            counting = [each for each in past if each[0] > since] if since else past
            self._catch_up(key, slot, plan, self.clock_ms)
            error = self._guarded(key, slot, partial(self._give, key, slot, backfill, counting))
            if error is not None:
                self._aside.append(Aside("definition", plan.workspace, id_, self.clock_ms, error))
        self._encode()
        return count

    def _erase(self, key: ProfileKey, stamp_ms: int | None) -> Slot:
        clock = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        slot = self._touch(key)
        plan = self.plans.get(slot.workspace)
        if slot.profile is not None and plan is not None:
            self._catch_up(key, slot, plan, clock)
            self._transitions += on_leave(plan, slot.profile, Why(slot.id, clock, "erasure", None))
        self._dirty.pop(key, None)
        self._wake(key, slot, None)
        self.clock_ms = clock
        return slot

    def _give(self, key: ProfileKey, slot: Slot, backfill: Backfill, past: list[Past]) -> None:
        profile = slot.profile
        assert profile is not None
        if backfill.give(profile, past, self.clock_ms):
            self._dirty[key] = slot
            if profile.wake_at != slot.wake_ms:
                self._wake(key, slot, profile.wake_at)

    def _steady(self, work: Callable[[], T]) -> T:
        """If a fault of ours ends the work, all that it did is undone, and it is done again step by step."""
        try:
            return work()
        except Exception as error:
            _log.warning("a fault of ours: again, step by step", partition=self.number, error=repr(error))
            for key in self._woken:
                self.dues.put(key, self._touched[key].stored_wake_ms)
            self._touched, self._dirty, self._woken, self._transitions = {}, {}, {}, []
            self._states, self._aside, self._entry = {}, [], None
        self._careful = True
        try:
            return work()
        finally:
            self._careful = False

    def _guarded(self, key: ProfileKey, slot: Slot, step: Callable[[], None]) -> Exception | None:
        """Where care is taken, a step that raises changes nothing; returns what it raised."""
        if not self._careful:
            step()
            return None
        before = None if slot.profile is None else encode(slot.profile)
        wake, transitions, dirty = slot.wake_ms, len(self._transitions), key in self._dirty
        try:
            step()
            if slot.profile is not None:
                encode(slot.profile)
        except Exception as error:
            slot.profile = None if before is None else decode(before)
            del self._transitions[transitions:]
            if not dirty:
                self._dirty.pop(key, None)
            if slot.wake_ms != wake:
                self._wake(key, slot, wake)
            return error
        return None

    def _touch(self, key: ProfileKey, stored: bytes | None = None) -> Slot:
        """`stored` counts only where nothing newer is known."""
        state = self.cache.get(key)
        if state is None:
            assert stored is not None, "the owner loads what `wanted` names"
            state = stored
        workspace, id_ = split(key)
        slot = self._touched[key] = Slot(workspace, id_, state)
        return slot

    def _fire(self, until_ms: int, limit: int | None) -> int | None:
        """Fires dues in order; the instant of the last."""
        pop, last = self.dues.pop, None
        while (limit is None or limit > 0) and (entry := pop(until_ms)):
            due, key = last, _ = entry
            if limit is not None:
                limit -= 1
            slot = self._touched.get(key) or self._touch(key)
            slot.wake_ms = None
            self._woken[key] = None
            plan, profile = self.plans.get(slot.workspace), slot.profile
            if plan is None or profile is None:
                continue
            self._catch_up(key, slot, plan, due)
            wake = slot.profile.wake_at if slot.profile is not None else None
            if wake != slot.wake_ms:
                self._wake(key, slot, wake)
        if limit is not None:
            self._encode()
        return last

    def _catch_up(self, key: ProfileKey, slot: Slot, plan: Plan, until_ms: int) -> None:
        """Brings a profile to the plan, and fires its dues up to `until_ms`, each at its own instant.

        What a fault of ours keeps from firing is set aside: it fires no more, until the next event that its
        fact sees, or the next change of definitions, gives a new due time.
        """
        assert slot.profile is not None
        if slot.profile.plan != plan.revision:
            error = self._guarded(key, slot, partial(self._to_plan, key, slot, plan, until_ms))
            if error is not None:
                self._aside.append(Aside("definition", slot.workspace, slot.id, until_ms, error))
                self._forgo(key, slot, until_ms)
                return
        while (wake := slot.profile.wake_at) is not None and wake <= until_ms:
            error = self._guarded(key, slot, partial(self._tick, key, slot, plan, wake))
            if error is not None:
                self._aside.append(Aside("due", slot.workspace, slot.id, wake, error))
                self._forgo(key, slot, wake)

    def _to_plan(self, key: ProfileKey, slot: Slot, plan: Plan, until_ms: int) -> None:
        """An older plan is left at the last instant at which all that was due has fired: `on_plan` asks for
        that. So what falls due then is judged by the new plan."""
        profile = slot.profile
        assert profile is not None
        wake = profile.wake_at
        at_ms = until_ms if wake is None else min(until_ms, wake - 1)
        since, walked = self.since.get(slot.workspace, {}), self.walked.get(slot.workspace, -1)
        step = on_plan(plan, slot.id, profile, at_ms, since, walked)
        self._judged += step.judged
        if step.changed:
            self._take(key, slot, step)

    def _tick(self, key: ProfileKey, slot: Slot, plan: Plan, due_ms: int) -> None:
        assert slot.profile is not None
        step = on_clock(plan, slot.id, slot.profile, due_ms)
        assert step.wake_at is None or step.wake_at > due_ms, "a due that fired lies in the past"
        self._take(key, slot, step)

    def _carefully(
        self, key: ProfileKey, slot: Slot, plan: Plan, event: Event, clock_ms: int, place: int, tally: Tally
    ) -> None:
        """One event, where care is taken; `_apply` has the fast way."""

        def apply() -> None:
            step = on_event(plan, slot.profile, event, clock_ms)
            if step.changed:
                self._take(key, slot, step)
                tally.derived += [(place, each) for each in step.derived]
            else:
                tally.left(place, event, step)

        error = self._guarded(key, slot, apply)
        if error is not None:
            self._aside.append(Aside("event", plan.workspace, event.profile, clock_ms, error, event, place))
            tally.left_out.append(place)

    def _forgo(self, key: ProfileKey, slot: Slot, until_ms: int) -> None:
        """Dues up to `until_ms` that can't fire are forgotten, or they would be tried for ever."""
        profile = slot.profile
        assert profile is not None
        profile.dues = {name: due for name, due in profile.dues.items() if due > until_ms}
        self._dirty[key] = slot
        self._wake(key, slot, profile.wake_at)

    def _encode(self) -> None:
        """The states to be stored; a fault there is met like one in a step."""
        for key, slot in self._dirty.items():
            assert slot.profile is not None
            self._states[key] = encode(slot.profile)

    def _take(self, key: ProfileKey, slot: Slot, step: Step) -> None:
        slot.profile = step.profile
        self._dirty[key] = slot
        self._transitions += step.transitions
        if step.wake_at != slot.wake_ms:
            self._wake(key, slot, step.wake_at)

    def _wake(self, key: ProfileKey, slot: Slot, wake_ms: int | None) -> None:
        slot.wake_ms = wake_ms
        self._woken[key] = wake_ms
        self.dues.put(key, wake_ms)

    def seal(self, write: Callable[[Commit], None] | None = None) -> Outcome:
        """Ends the commit in the making with `write`'s part; nothing may be written to it afterwards."""
        self.commit += 1
        clock = None if self.clock_ms == NEVER_MS else self.clock_ms
        commit = Commit(self.number, self.commit, self.offset, clock, self.catalog)
        profiles: dict[str, dict[str, str | bytes]] = {}
        images = self.images
        for key, state in self._states.items():
            slot = self._dirty[key]
            if images is not None:
                images.keep(key, slot.stored)
            self.cache.put(key, state)
            profiles.setdefault(slot.workspace, {})[slot.id] = state
        for workspace, fields in profiles.items():
            commit.put_fields(keys.profiles(self.number, workspace), fields)
        if self._woken:
            write_dues(commit, self._woken)
        told = None
        if self._transitions:
            write_members(commit, self._transitions)
            told = commit.announce(self._transitions)
        if told is not None or self._entry is not None:
            commit.remember(self._entry or Entry(), told)
        for each in self._aside:
            before = self.degraded.get(each.workspace, Degraded())
            self.degraded[each.workspace] = counted(before, each)
        self.write_degraded(commit, {each.workspace for each in self._aside})
        if write is not None:
            write(commit)
        outcome = Outcome(commit, self._transitions, aside=self._aside)
        for state in self._states.values():
            outcome.state_bytes = len(state)
            break
        self._states, self._aside, self._entry = {}, [], None
        self._touched, self._dirty, self._woken, self._transitions = {}, {}, {}, []
        self.cache.trim()
        self.dues.trim()
        return outcome

    def unplanned(self, faults: Mapping[str, str]) -> list[str]:
        """Notes why workspaces' newest definitions can't be compiled; those where that has changed."""
        changed = []
        for workspace in faults.keys() | self.degraded.keys():
            before = self.degraded.get(workspace, Degraded())
            if before.plan != faults.get(workspace):
                self.degraded[workspace] = replace(before, plan=faults.get(workspace))
                changed.append(workspace)
        return changed

    def write_degraded(self, commit: Commit, workspaces: Collection[str]) -> None:
        if workspaces:
            fields: dict[str, str | bytes] = {
                each: encode_degraded(self.degraded[each]) for each in workspaces
            }
            commit.put_fields(keys.degraded(self.number), fields)
