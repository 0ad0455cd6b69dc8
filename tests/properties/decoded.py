"""What `tests.properties.decoders` hands to the kernel in a round."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import msgspec

from livesegments.core.backfill import Backfill, Past
from livesegments.core.event import Event, Transition
from livesegments.core.oracle.oracle import Flip
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, encode
from livesegments.core.step import Step, on_clock, on_event
from livesegments.evaluator.kernel import _native
from livesegments.evaluator.kernel.announcing import record_of
from livesegments.evaluator.kernel.description import describe
from livesegments.evaluator.kernel.native import Kernel, Kernels
from livesegments.wire import pack
from livesegments.wire.profilekey import profile_key
from tests.properties import test_kernel_many as many
from tests.properties.decoded_past import HandingPast
from tests.properties.decoders import EACH, MANY_EVENTS, MANY_EVERY, Bytes, Counts, bytes_of, mutant
from tests.properties.fuzz import run
from tests.properties.histories import History
from tests.properties.kernel_race import Count, KernelRace
from tests.properties.mutants import NOWS

KEY = profile_key("w", "p")
ANNOUNCED = 0.2
"""Of the steps that have transitions."""
PLANS = 2
"""Mutants of a plan at a step, each of which is to do the step if it can be read."""


class Handing:
    """All ways in which the kernel reads bytes, with one plan."""

    def __init__(self, plan: Plan, kernel: Kernel, random: Random, counts: Counts) -> None:
        self._kernel, self._random, self._counts = kernel, random, counts
        self._revision = kernel.revision
        self._description = bytes_of(describe(plan).data)
        self._cache, self._dues = _native.Cache(1_000_000), _native.Dues(1_000)
        self._ledger = _native.Ledger(
            self._cache, self._dues, {"w": plan}, {}, {}, lambda _: (kernel.plan, kernel.revision)
        )
        self.past = HandingPast(plan, kernel, self._ledger, random, counts)

    def event(self, state: bytes, event: Event, now_ms: int) -> None:
        random, record = self._random, bytes_of(msgspec.msgpack.encode(event))
        packed, stored = bytes_of(pack.encode(pack.Packed([event, event]))), bytes_of(state)
        for _ in range(EACH):
            at_ms = random.choice((now_ms, now_ms, *NOWS))
            if state:
                self._event(mutant(stored, random), record.data, at_ms)
                self._record(mutant(stored, random), packed.data, at_ms)
            self._event(state, mutant(record, random), at_ms)
            self._record(state, mutant(packed, random), at_ms)
        for _ in range(PLANS):
            self._plan(self._description, state, record.data, now_ms)

    def clock(self, state: bytes, now_ms: int) -> None:
        stored, random = bytes_of(state), self._random
        for _ in range(EACH):
            at_ms, other = random.choice((now_ms, now_ms, *NOWS)), mutant(stored, random)
            answer = self._hand(partial(self._kernel.plan.clock, self._revision, "p", other, at_ms), "clock")
            self._again(answer, at_ms)

    def _event(self, state: bytes, record: bytes, now_ms: int) -> None:
        answer = self._hand(partial(self._kernel.plan.event, self._revision, state, record, now_ms), "event")
        self._again(answer, now_ms)
        if isinstance(answer, tuple) and len(answer[2]) > 1 and self._random.random() < ANNOUNCED:
            self._announce(bytes_of(answer[2]))

    def _again(self, answer: Any, now_ms: int) -> None:
        """What a mutant was made into."""
        if isinstance(answer, tuple) and answer[0] is not None:
            at_ms = now_ms if answer[1] is None else answer[1]
            self._hand(partial(self._kernel.plan.clock, self._revision, "p", answer[0], at_ms), "again")

    def _announce(self, told: Bytes) -> None:
        """Transitions on their way to the broker."""
        for _ in range(EACH):
            parts = [mutant(told, self._random), told.data]
            self._hand(partial(_native.kinds, parts), "kinds")
            self._counts.hand(partial(_native.mentions, parts, parts[::-1]), "mentions", counted=False)
            announced = partial(_announced, parts, self._random.choice((1, 300, 10_000)))
            self._counts.hand(announced, "announcing", counted=False)

    def _plan(self, description: Bytes, state: bytes, record: bytes, now_ms: int) -> None:
        made = self._kernel.made.asked
        data = mutant(description, self._random)
        plan = self._hand(partial(_native.Plan, data, list(made)), "plan")
        if plan is not None:
            self._hand(partial(plan.event, self._revision, state, record, now_ms), "planned event")
            if state:
                self._hand(partial(plan.clock, self._revision, "p", state, now_ms), "planned clock")

    def _record(self, state: bytes, packed: bytes, now_ms: int) -> None:
        self._cache.put(KEY, state)
        self._dues.load([(now_ms, KEY)], complete=True)
        self._hand(partial(self._apply, packed, now_ms), "record")
        ends = self._random.choice((self._ledger.undo, partial(self._ledger.seal, now_ms)))
        self._counts.hand(ends, "end", counted=False)

    def _apply(self, packed: bytes, now_ms: int) -> None:
        record, ledger, random = _native.Record(packed), self._ledger, self._random
        for key in record.missing(self._cache):
            self._cache.put(key, b"")
        if random.random() < 0.5:
            ledger.fire(now_ms, 2)
        if random.random() < 0.2:
            ledger.take(KEY)
        near_ms = [each for each in (now_ms, now_ms - 9, now_ms + 9) if abs(each) < 2**63]
        stamps = sorted(
            (random.randrange(len(record) + 2), random.choice((*near_ms, *NOWS))) for _ in range(2)
        )
        ledger.apply(record, now_ms, None if random.random() < 0.8 else bool, 1, stamps)
        self._dues.next(now_ms)
        ledger.changed()

    def _hand(self, work: Any, what: str) -> Any:
        return self._counts.hand(work, what)


def _announced(parts: list[bytes], most_bytes: int) -> None:
    announcing = _native.Announcing(parts, record_of)
    while announcing.next(most_bytes)[1]:
        pass


class HandingRace(KernelRace):
    """Without the oracle: what it says of the core is not asked here."""

    def __init__(self, history: History, random: Random, counts: Counts) -> None:
        super().__init__(history, Count())
        self._random, self._counts = random, counts
        self._handing: tuple[int, Handing] | None = None

    def _event(self, event: Event, now_ms: int) -> Step:
        self._own().event(b"" if self.profile is None else encode(self.profile), event, now_ms)
        return super()._event(event, now_ms)

    def _clock(self, profile: Profile, now_ms: int) -> Step:
        self._own().clock(encode(profile), now_ms)
        return super()._clock(profile, now_ms)

    def _to_plan(self, profile: Profile, few: int) -> Step:
        self._own().past.older(encode(profile), self.clock_ms, self.since, self.walked)
        return super()._to_plan(profile, few)

    def _give(self, backfill: Backfill, profile: Profile, past: list[Past]) -> bool:
        self._own().past.given(encode(profile), backfill, past, self.clock_ms)
        return super()._give(backfill, profile, past)

    def _given_at_once(self, upto: int) -> None:
        if self.profile is not None:
            backfill = Backfill(self.plan, dict.fromkeys(self.plan.fact_ids, upto))
            past = sorted(self.past, key=lambda each: (each[1].time_ms, each[1].id))
            self._own().past.given(encode(self.profile), backfill, past, self.clock_ms)

    def _same_flips(self, transitions: list[Transition], flips: list[Flip]) -> None: ...

    def _same_members(self, profile: Profile) -> None: ...

    def _same_changes(self, profile: Profile) -> None: ...

    def _own(self) -> Handing:
        if self._handing is None or self._handing[0] != self.plan.revision:
            handing = Handing(self.plan, self._native(), self._random, self._counts)
            self._handing = self.plan.revision, handing
        return self._handing[1]


def hand_histories(seed: int, random: Random, counts: Counts) -> None:
    run(seed, lambda history: HandingRace(history, random, counts))


def hand_many(random: Random, counts: Counts) -> None:
    """Facts of many entries."""
    plan = many.plan_of(random.choice(many.WINDOWS))
    handing = Handing(plan, Kernels().of(plan), random, counts)
    profile: Profile | None = None
    for place, (event, now_ms) in enumerate(many.events(random, MANY_EVENTS)):
        while profile is not None and (due := profile.wake_at) is not None and due <= now_ms:
            if place % MANY_EVERY == 0:
                handing.clock(encode(profile), due)
            profile = on_clock(plan, "p", profile, due).profile
        if place % MANY_EVERY == 0:
            handing.event(b"" if profile is None else encode(profile), event, now_ms)
        profile = on_event(plan, profile, event, now_ms).profile
