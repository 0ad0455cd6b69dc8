"""Brings profiles to the newest plan and to an instant of the clock, through all that was due on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Raw

from livesegments.core.backfill import Backfill, Past
from livesegments.core.concern import Concern
from livesegments.core.debt import debt_of
from livesegments.core.event import Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.splice import Splice
from livesegments.core.step import Why, on_clock, on_leave, on_plan
from livesegments.evaluator.commits.cache import States
from livesegments.evaluator.commits.dues import DueTimes
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.slot import Slot
from livesegments.evaluator.kernel.share import MOST, Share
from livesegments.history.columns import Columns
from livesegments.history.protocol import NULL, Filled
from livesegments.wire.profilekey import ProfileKey, profile_key

if TYPE_CHECKING:
    from livesegments.evaluator.kernel import _native

NOTHING = Raw(b"\x80")
"""No states of facts, in msgpack."""


class Upkeep:
    """`since` and `walked` are the partition's. `judged`: how many times a profile was judged by a segment
    because its plan was an older one. `share`: the native kernel's; None: it has none."""

    def __init__(
        self,
        making: Making,
        cache: States,
        dues: DueTimes,
        share: Share | None,
        plans: Mapping[str, Plan],
        since: Mapping[str, Mapping[int, int]],
        walked: Mapping[str, int],
    ) -> None:
        self.judged = 0
        self._share = share
        self._making = making
        self._cache = cache
        self._dues = dues
        self._plans = plans
        self._since = since
        self._walked = walked

    def catch_up(self, key: ProfileKey, slot: Slot, plan: Plan, until_ms: int) -> int | None:
        """Brings a profile to the plan, and fires its dues up to `until_ms`, each at its own instant. Returns
        its next due instant.

        What a fault of ours keeps from that is owed to the profile (`core.debt`), and is tried again here.
        """
        assert slot.profile is not None
        making = self._making
        if slot.profile.gone:
            return None
        if slot.profile.plan != plan.revision and not self._brought(key, slot, plan, until_ms):
            return slot.profile.wake_at
        wake = slot.profile.wake_at
        while wake is not None and wake <= until_ms:
            if not making.careful:
                wake = self._tick(key, slot, plan, wake)
                continue
            error = making.guarded(key, slot, partial(self._tick, key, slot, plan, wake))
            if error is not None:
                making.owe(key, slot, "due", wake, error)
            wake = slot.profile.wake_at
        return wake

    def fire(self, until_ms: int, limit: int | None) -> int | None:
        """Fires at most `limit` dues in order; the instant of the last.

        With a `limit` they are a slice of a commit, and are encoded.
        """
        making, pop, last = self._making, self._dues.pop, None
        if self._share is not None and not making.careful:
            return self._fire_natively(self._share, until_ms, limit)
        keys_ = list[ProfileKey]()
        while (limit is None or limit > 0) and (entry := pop(until_ms)):
            last, key = entry
            if limit is not None:
                limit -= 1
            self._fire(key, last)
            keys_.append(key)
        if limit is not None:
            making.encode_some(keys_)
        return last

    def _fire(self, key: ProfileKey, due_ms: int) -> None:
        making = self._making
        slot = making.touched.get(key) or making.touch(key)
        slot.wake_ms = None
        making.woken[key] = None
        plan = self._plans.get(slot.workspace)
        if plan is None or slot.profile is None:
            return
        wake = self.catch_up(key, slot, plan, due_ms)
        if wake != slot.wake_ms:
            making.wake(key, slot, wake)

    def _fire_natively(self, share: Share, until_ms: int, limit: int | None) -> int | None:
        """The same by the native kernel; what it leaves, one after the other."""
        making, last, keys_ = self._making, None, list[ProfileKey]()
        while limit is None or limit > 0:
            count, at_ms, left = share.fire(until_ms, MOST if limit is None else limit)
            if at_ms is None:
                break
            last = at_ms if last is None else max(last, at_ms)
            limit = None if limit is None else limit - count
            for due, key in left:
                self._fire(key, due)
                keys_.append(key)
        making.encode_some(keys_)
        return last

    def walk(
        self,
        plan: Plan,
        stored: Mapping[str, bytes],
        concern: Concern | None,
        also: Collection[str],
        now_ms: int,
    ) -> int:
        """Brings profiles to the plan; how many times one was judged by a segment. Their states are encoded:
        they may be a slice of a commit.

        `also` are looked at whatever `concern` says of their states.
        """
        self.judged, looked, workspace = 0, list[ProfileKey](), plan.workspace
        if concern is not None:
            known = self._cache.get
            stored = {
                id_: data
                for id_, data in stored.items()
                if id_ in also or concern(known(profile_key(workspace, id_)) or data)
            }
        if self._share is not None and not self._making.careful:
            self.judged, left = self._share.walk(workspace, stored, now_ms)
            stored = {id_: stored[id_] for id_ in left}
        for id_, data in stored.items():
            key = profile_key(workspace, id_)
            looked.append(key)
            slot = self._making.touch(key, data)
            if slot.profile is not None and slot.profile.plan != plan.revision:
                self.catch_up(key, slot, plan, now_ms)
        self._making.encode_some(looked)
        return self.judged

    def fill(
        self,
        plan: Plan,
        backfill: Backfill,
        history: Sequence[Filled],
        stored: Mapping[ProfileKey, bytes | None],
        erased: Mapping[ProfileKey, int],
        now_ms: int,
        wish: _native.Wish | None = None,
    ) -> int:
        """Gives profiles their history, but for what was before an erasure; how many. Their states are
        encoded: they may be a slice of a commit."""
        making, count, workspace, cache = self._making, 0, plan.workspace, self._cache
        splice = Splice(plan, self._since.get(workspace, {}), self._walked.get(workspace, -1))
        if (
            self._share is not None
            and wish is not None
            and isinstance(history, Columns)
            and not making.careful
        ):
            count, left = self._share.fill(workspace, wish, history, stored, erased, now_ms)
            history = [history[at] for at in left]
        looked = list[ProfileKey]()
        for filled in history:
            id_, made = filled.profile, filled.made
            key = profile_key(workspace, id_)
            looked.append(key)
            if made == NOTHING:
                continue
            state = cache.get(key) or stored.get(key) or b""
            if state and made != NULL and not making.careful and key not in erased:
                spliced = splice.put(state, made, filled.dues, now_ms)
                if spliced is not None:
                    count += 1
                    making.splice(key, workspace, id_, state, spliced, filled.holds)
                    continue
            past = filled.events(workspace)
            slot = making.touched.get(key) or making.touch(key, state)
            if slot.profile is None or slot.profile.gone:
                continue
            count += 1
            since = erased.get(key, 0)
            if slot.profile.kin is not None:
                since = max(since, slot.profile.kin.since)
            counting = [each for each in past if each[0] > since] if since else past
            self.catch_up(key, slot, plan, now_ms)
            error = making.guarded(key, slot, partial(self._give, key, slot, backfill, counting, now_ms))
            if error is not None:
                making.owe(key, slot, "history", now_ms, error)
        making.encode_some(looked)
        return count

    def audit(self, key: ProfileKey, work: Callable[[Profile], list[Transition] | None], now_ms: int) -> bool:
        """Brings a profile to its plan and the clock; then `work` puts it right, and returns the transitions
        of that. True: it was not there yet, and that is all that was done."""
        making = self._making
        slot = making.touched.get(key) or making.touch(key)
        if slot.profile is None:
            return False
        self.catch_up(key, slot, self._plans[slot.workspace], now_ms)
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

    def leave(self, key: ProfileKey, now_ms: int) -> Slot:
        """A profile exits its segments, because it is erased."""
        making = self._making
        slot = making.touch(key)
        plan = self._plans.get(slot.workspace)
        if slot.profile is not None and plan is not None:
            self.catch_up(key, slot, plan, now_ms)
            making.transitions += on_leave(plan, slot.profile, Why(slot.id, now_ms, "erasure", None))
        making.dirty.pop(key, None)
        making.owed.pop(key, None)
        making.wake(key, slot, None)
        return slot

    def _brought(self, key: ProfileKey, slot: Slot, plan: Plan, until_ms: int) -> bool:
        """Whether the profile is at the plan now; it may be owed something there."""
        making, profile, walked = self._making, slot.profile, self._walked.get(slot.workspace, -1)
        assert profile is not None
        debt = debt_of(profile.plan)
        if debt is not None:
            making.meet(key, debt.what)
        error = making.guarded(key, slot, partial(self._to_plan, key, slot, plan, until_ms, walked))
        if error is None:
            if debt is not None and debt.what == "history":
                making.owed[key] = "history"
            else:
                making.owed.pop(key, None)
            return True
        profile = slot.profile  # another object after an error
        assert profile is not None
        if debt is None:
            profile.plan = max(profile.plan, walked)
            making.owe(key, slot, "definition", until_ms, error)
            return False
        making.owe(key, slot, debt.what, until_ms, error)
        profile.plan = debt.plan
        if debt.plan == plan.revision:
            return True
        return making.guarded(key, slot, partial(self._to_plan, key, slot, plan, until_ms, -1)) is None

    def _to_plan(self, key: ProfileKey, slot: Slot, plan: Plan, until_ms: int, walked: int) -> None:
        """An older plan is left at the last instant at which all that was due has fired: `on_plan` asks for
        that. So what falls due then is judged by the new plan."""
        profile = slot.profile
        assert profile is not None
        wake = profile.wake_at
        at_ms = until_ms if wake is None else min(until_ms, wake - 1)
        step = on_plan(plan, slot.id, profile, at_ms, self._since.get(slot.workspace, {}), walked)
        self.judged += step.judged
        if step.changed:
            self._making.take(key, slot, step)

    def _tick(self, key: ProfileKey, slot: Slot, plan: Plan, due_ms: int) -> int | None:
        assert slot.profile is not None
        step = on_clock(plan, slot.id, slot.profile, due_ms)
        assert step.wake_at is None or step.wake_at > due_ms, "a due that fired lies in the past"
        self._making.take(key, slot, step)
        return step.wake_at

    def _give(self, key: ProfileKey, slot: Slot, backfill: Backfill, past: list[Past], now_ms: int) -> None:
        profile = slot.profile
        assert profile is not None
        if backfill.give(profile, past, now_ms):
            self._making.dirty[key] = slot
            if profile.wake_at != slot.wake_ms:
                self._making.wake(key, slot, profile.wake_at)
