"""Packed records that the native kernel applies, as far as it can: a commit's share of it.

Example: of a record of 500 events of 300 profiles the kernel gives two profiles back, one of them because it
is at an older plan. The states of the other 298 go into the commit as bytes, and the events of the two are
applied by the interpreted core, as if the record had no others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from livesegments.core.event import Event
from livesegments.core.plan import Plan
from livesegments.evaluator.commits.cache import Cache
from livesegments.evaluator.commits.dues import Entry
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.kernel.description import Lacks
from livesegments.evaluator.kernel.native import Kernel, Kernels
from livesegments.runtime import metrics
from livesegments.wire.profilekey import ProfileKey, profile_key, split

_log = structlog.get_logger(__name__)


class Records:
    """Of one partition. The kernel's plan of a workspace is made when its first record comes; `kernels` has
    those of all partitions."""

    def __init__(self, kernels: Kernels) -> None:
        self._all = kernels
        self._kernels: dict[str, tuple[Plan, Kernel | None]] = {}

    def apply(
        self,
        record: bytes,
        events: Sequence[Event],
        clock_ms: int,
        plans: Mapping[str, Plan],
        cache: Cache,
        making: Making,
        tally: Tally,
    ) -> Collection[str] | None:
        """Applies `events`, which `record` carries, from the clock's instant on; the states must be cached.

        Returns the profiles whose events are left to the interpreted core; None: all of them, and nothing was
        done. Other profiles' due times are for the caller to fire."""
        workspace = events[0].workspace if events else ""
        plan = plans.get(workspace)
        if plan is None or any(event.workspace != workspace for event in events):
            return None
        kernel = self._kernel(plan)
        if kernel is None:
            return None
        ids = dict.fromkeys(event.profile for event in events)
        keys = {id_: profile_key(workspace, id_) for id_ in ids}
        states = {id_: _cached(cache, key) for id_, key in keys.items()}
        try:
            applied = kernel.record(record, states, clock_ms)
        except ValueError as error:
            _log.warning("a record is left to the interpreted core", error=str(error))
            return None
        for id_, state, before_ms, wake_ms in applied.changed:
            key = keys[id_]
            slot = making.step_natively(key, workspace, id_, states[id_], state, before_ms)
            if wake_ms != before_ms:
                making.wake(key, slot, wake_ms)
        making.transitions += applied.transitions
        tally.left_out += applied.repeats
        tally.duplicates += len(applied.repeats)
        tally.derived += applied.derived
        left = applied.given_back
        metrics.NATIVE.inc(
            len(events) - sum(event.profile in left for event in events) if left else len(events)
        )
        return left

    def fire(
        self, entries: Sequence[Entry], plans: Mapping[str, Plan], cache: Cache, making: Making
    ) -> Sequence[Entry]:
        """Fires due times that were taken out of memory, of a profile each; those that are left to the
        interpreted core."""
        left, due = list[Entry](), dict[str, list[tuple[str, bytes, int]]]()
        for entry in entries:
            due_ms, key = entry
            workspace, id_ = split(key)
            plan = plans.get(workspace)
            state = making.states[key] if key in making.native else _cached(cache, key)
            if key in making.touched or not state or plan is None or self._kernel(plan) is None:
                left.append(entry)
            else:
                due.setdefault(workspace, []).append((id_, state, due_ms))
        for workspace, those in due.items():
            kernel = self._kernel(plans[workspace])
            assert kernel is not None
            fired, transitions = kernel.fire(those)
            making.transitions += transitions
            for (id_, state, due_ms), answer in zip(those, fired, strict=True):
                key = profile_key(workspace, id_)
                if isinstance(answer, str):
                    left.append((due_ms, key))
                    continue
                slot = making.step_natively(key, workspace, id_, state, answer[0] or state, due_ms)
                making.wake(key, slot, answer[1])
        return left

    def _kernel(self, plan: Plan) -> Kernel | None:
        known = self._kernels.get(plan.workspace)
        if known is None or known[0] is not plan:
            try:
                kernel = self._all.of(plan)
            except Lacks as lacks:
                kernel = None
                _log.info("the interpreted core serves", workspace=plan.workspace, lacks=str(lacks))
            known = self._kernels[plan.workspace] = plan, kernel
        return known[1]


def _cached(cache: Cache, key: ProfileKey) -> bytes:
    state = cache.get(key)
    assert state is not None, "the owner loads what `wanted` names"
    return state
