"""The native kernel in the race: every step of the interpreted core is done by it as well, from the same state.

What they must agree on after each step: transitions, derived events, the next due instant, and every byte of the
state but for the order of what has none (facts, due times). Definitions that the kernel lacks are left out of the
history beforehand, and steps that it gives back are left to the interpreted core; both are counted.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import msgspec

from livesegments.core.backfill import Backfill, Past
from livesegments.core.bulk import order
from livesegments.core.event import Event
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import Step, on_event, on_plan
from livesegments.core.wanted import History as WantedHistory
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.description import Lacks, describe
from livesegments.evaluator.kernel.native import Kernel, Kernels, Stepped
from livesegments.history.columns import written
from tests.properties.catalogue import Delete, Put
from tests.properties.definitions import IDS, STATIC, contents, node
from tests.properties.histories import Command, History
from tests.properties.race import Race


class Count:
    """`lacking`: what definitions use that the kernel lacks; `given_back`: what it lacked in steps. `comparisons` are
    six for a step: transitions, derived events, due time, refusal, whether it changed, and the state."""

    def __init__(self) -> None:
        self.definitions = self.steps = self.transitions = self.comparisons = self.given = 0
        self.lacking: Counter[str] = Counter()
        self.given_back: Counter[str] = Counter()

    def __str__(self) -> str:
        lacking, back = self.lacking.total(), self.given_back.total()
        return (
            f"{self.definitions - lacking} of {self.definitions} definitions, "
            f"{self.steps - back} of {self.steps} steps, {self.transitions} transitions and {self.given} histories natively, "
            f"{self.comparisons} comparisons; "
            f"definitions lack {dict(self.lacking.most_common())}, steps {dict(self.given_back.most_common())}"
        )


class KernelRace(Race):
    def __init__(self, history: History, count: Count) -> None:
        super().__init__(msgspec.structs.replace(history, commands=served(history, count)))
        self._count = count
        self._kernel: Kernel | None = None
        self._revision = -1
        self._kernels = Kernels()

    def _event(self, event: Event, now_ms: int) -> Step:
        before = b"" if self.profile is None else encode(self.profile)
        made = self._native().event(before, event, now_ms)
        step = super()._event(event, now_ms)
        return self._same(step, made)

    def _clock(self, profile: Profile, now_ms: int) -> Step:
        made = self._native().clock("p", encode(profile), now_ms)
        return self._same(super()._clock(profile, now_ms), made)

    def _to_plan(self, profile: Profile, few: int) -> Step:
        made = self._native().adopt(self.plan, "p", encode(profile), self.clock_ms, self.since, self.walked)
        return self._same(super()._to_plan(profile, few), made)

    def _give(self, backfill: Backfill, profile: Profile, past: list[Past]) -> bool:
        want = native.wish(backfill, WantedHistory(_read(past), {}), None, self._kernels)
        chunk = native.past(written(1.0, [("o", []), ("p", past)]))
        made = self._native().give(encode(profile), chunk, 1, want, self.clock_ms)
        changed = super()._give(backfill, profile, past)
        self._same(Step(profile, [], profile.wake_at, changed), made)
        self._count.given += changed and not isinstance(made, str)
        return changed

    def run(self) -> None:
        super().run()
        if self.past:
            for part in (1, 2):
                self._given_at_once(len(self.past) // part)

    def _given_at_once(self, upto: int) -> None:
        """All definitions are new, and get the history up to a commit; what came later they have had live."""
        zone, now_ms = self.history.zone, self.clock_ms
        staged = [each for each in self.segments.values() if each.definition is not None]
        plan = compile("w", zone, [], 9, self.limits, staged=staged, contents=contents)
        live = Profile(plan=9)
        later = [event for commit, event in self.past if commit > upto and event.name[:1] != "$"]
        for event in later:
            live = on_event(plan, live, event, max(now_ms, event.time_ms)).profile
        backfill = Backfill(plan, dict.fromkeys(plan.fact_ids, upto))
        past = sorted(self.past, key=lambda each: (each[1].time_ms, each[1].id))
        self._kernel = self._kernels.of(plan)
        self._revision = -1
        names = _read(past)
        chunk, before = native.past(written(1.0, [("p", past)])), encode(live)
        made = order(plan, backfill.upto, now_ms)
        want = native.wish(backfill, WantedHistory(names, {}), made, self._kernels)
        foreseen = self._kernel.give(before, chunk, 0, want, now_ms)
        want = native.wish(backfill, WantedHistory(names, {}), None, self._kernels)
        given = self._kernel.give(before, chunk, 0, want, now_ms)
        changed = backfill.give(live, past, now_ms)
        self._same(Step(live, [], live.wake_at, changed), given)
        if isinstance(foreseen, str) or made is None or foreseen.state is None:
            return
        self._count.given += 1
        if later:  # whom anything has touched meanwhile is walked over, and is given its due instants there
            return
        served = compile("w", zone, staged, 10, self.limits, contents=contents)
        served = served.at(10, {each.id: 10 for each in staged}, [])
        on_plan(served, "p", live, now_ms, dict.fromkeys(plan.fact_ids, 9))
        dues = {name: due for name, due in decode(foreseen.state).dues.items() if isinstance(name, int)}
        right = {name: due for name, due in live.dues.items() if isinstance(name, int)}
        assert dues == right, f"core wakes at {right}, kernel at {dues}"

    def _native(self) -> Kernel:
        if self._kernel is None or self._revision != self.plan.revision:
            self._kernel, self._revision = self._kernels.of(self.plan), self.plan.revision
        return self._kernel

    def _same(self, step: Step, made: Stepped | str) -> Step:
        self._count.steps += 1
        if isinstance(made, str):
            self._count.given_back[made] += 1
            return step
        assert made.transitions == step.transitions, f"core {step.transitions}\nkernel {made.transitions}"
        assert made.derived == list(step.derived), f"core {step.derived}\nkernel {made.derived}"
        assert made.wake_at == step.wake_at, f"core wakes at {step.wake_at}, kernel at {made.wake_at}"
        assert (made.state is not None) == step.changed
        assert made.refused == step.refused, f"core {step.refused}, kernel {made.refused}"
        if made.state is not None:
            core, kernel = plain(encode(step.profile)), plain(made.state)
            assert core == kernel, f"core {core}\nkernel {kernel}"
        self._count.transitions += len(step.transitions)
        self._count.comparisons += 5 + (made.state is not None)
        return step


def _read(past: list[Past]) -> dict[str, tuple[str, ...]]:
    """Event name → the properties of any event of that name."""
    names: dict[str, tuple[str, ...]] = {}
    for _, event in past:
        names[event.name] = (*names.get(event.name, ()), *event.properties)
    return names


def plain(state: bytes) -> dict[str, Any]:
    profile = decode(state)
    found = msgspec.structs.asdict(profile)
    return found | {"facts": {fact: bytes(raw) for fact, raw in profile.facts.items()}}


def served(history: History, count: Count) -> list[Command]:
    """The commands without the definitions that the kernel lacks."""
    found, standing = list[Command](), set[str]()
    for command in history.commands:
        if isinstance(command, Put) and command.definition is not None:
            count.definitions += 1
            lacks = lacking(msgspec.json.encode((command.segment, command.definition)), history.zone)
            if lacks is not None:
                count.lacking[lacks] += 1
                continue
        if isinstance(command, Put):
            standing.add(command.segment)
        if isinstance(command, Delete):
            if command.segment not in standing:
                continue
            standing.discard(command.segment)
        found.append(command)
    return found


@lru_cache(maxsize=10_000)
def lacking(written: bytes, zone: str) -> str | None:
    """What the kernel lacks for a definition; None if it can do it."""
    segment, definition = msgspec.json.decode(written)
    others = [Segment(other, 1, 1, None) for other in (*IDS, *STATIC) if other != segment]
    own = Segment(segment, 1, 1, node(definition))
    try:
        describe(compile("w", zone, [*others, own], 1, contents=contents))
    except Lacks as lacks:
        return str(lacks)
    return None
