"""Records, applied by the interpreted core: all of their events, or those that the native kernel leaves.

A profile's due times up to the clock fire before its event. Those of others may fire before or after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from livesegments.core.event import MERGE, Event
from livesegments.core.handed import Handed
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import on_event
from livesegments.evaluator.commits import kindred
from livesegments.evaluator.commits.dues import Dues
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.slot import Slot
from livesegments.evaluator.commits.upkeep import Upkeep
from livesegments.evaluator.faults.aside import is_touch
from livesegments.evaluator.history.retracting import Retracting
from livesegments.wire.profilekey import ProfileKey, profile_key


class Records:
    """Of one partition, which has `plans`."""

    def __init__(
        self, making: Making, upkeep: Upkeep, plans: Mapping[str, Plan], retracting: Retracting
    ) -> None:
        self._making = making
        self._upkeep = upkeep
        self._plans = plans
        self._retracting = retracting
        self.suppressed: Callable[[ProfileKey], bool] | None = None
        """Whether a profile was erased and is kept out; None where nobody is."""

    def apply(self, events: Sequence[Event], tally: Tally, commit: int, dues: Dues | None) -> int:
        """Applies events from the tally's clock on; the clock after them. `commit` is the one in the making.

        `dues`: what is due there fires along with them.
        """
        plans, clock, one = self._plans, tally.clock_ms, self._one
        heap, run = (dues.heap, dues.run) if dues is not None else ((), ())
        stamps = dict(tally.stamps)
        for place, event in enumerate(events):
            if place in stamps:
                clock = max(clock, stamps[place])
            plan = plans.get(event.workspace)
            if plan is None:
                tally.leave_unknown(place)
                continue
            clock = max(clock, event.time_ms)
            if (heap and heap[0][0] <= clock) or (run and run[-1][0] <= clock):
                self._upkeep.fire(clock, None)
            one(plan, place, event, clock, tally, commit)
        return clock

    def apply_some(
        self, events: Sequence[Event], places: Iterable[tuple[int, int]], tally: Tally, commit: int
    ) -> None:
        """Applies the events at the places, each of them with the clock there."""
        for place, clock_ms in places:
            event = events[place]
            self._one(self._plans[event.workspace], place, event, clock_ms, tally, commit)

    def take_over(self, handed: Handed, plan: Plan, clock_ms: int, tally: Tally) -> None:
        """What a merged profile hands over to one of this partition."""
        making, key = self._making, profile_key(handed.workspace, handed.profile)
        slot = making.touched.get(key) or making.touch(key)
        if slot.profile is not None:
            self._upkeep.catch_up(key, slot, plan, clock_ms)
        if slot.profile is None and self.suppressed is not None and self.suppressed(key):
            for place in range(len(handed.events)):
                tally.suppress(place)
        else:
            kindred.take_over(making, key, slot, plan, handed, clock_ms, tally)

    def _one(self, plan: Plan, place: int, event: Event, clock: int, tally: Tally, commit: int) -> None:
        """What every event goes through is written out here; the rest is in methods."""
        making, workspace = self._making, event.workspace
        key = profile_key(workspace, event.profile)
        slot = making.touched.get(key)
        if slot is None:
            slot = making.touch_as(key, workspace, event.profile)
        profile, wake = slot.profile, slot.wake_ms
        if profile is None:
            if self.suppressed is not None and self.suppressed(key):
                tally.suppress(place)
                return
        elif profile.plan != plan.revision or (wake is not None and wake <= clock):
            if profile.gone:
                making.put_by(key, event, place, tally)
                return
            profile = self._caught_up(key, slot, plan, clock, event)
        if event.name == MERGE:
            kindred.merge(making, key, slot, plan, event, clock, place, tally, commit)
            return
        if making.careful:
            making.apply(key, slot, plan, event, clock, place, tally)
            return
        step = on_event(plan, profile, event, clock)
        if step.changed:
            slot.profile = step.profile
            making.dirty[key] = slot
            if step.transitions:
                making.transitions += step.transitions
            if step.wake_at != slot.wake_ms:
                making.wake(key, slot, step.wake_at)
            if step.derived:
                tally.derived += [(place, each) for each in step.derived]
        else:
            tally.leave(place, event, step)

    def _caught_up(
        self, key: ProfileKey, slot: Slot, plan: Plan, now_ms: int, event: Event
    ) -> Profile | None:
        self._upkeep.catch_up(key, slot, plan, now_ms)
        if self._making.owed.get(key) == "history" and is_touch(event):
            self._retracting.again(key)
        return slot.profile
