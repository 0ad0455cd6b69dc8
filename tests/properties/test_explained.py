"""Explanations in the race: they agree with the decision, and a change that they propose really flips it."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from livesegments.core.explain import next_flips
from livesegments.core.explanation import Explained, Explanation, explain
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock
from livesegments.core.whatif import Change, applied, events_of, is_in
from tests.effort import effort
from tests.properties.histories import Command, History, Look, histories
from tests.properties.race import Race

PARTS, SEEDS, EXAMPLES = effort(1, 2), effort(6, 12), 6
told: Counter[str] = Counter()


class Explaining(Race):
    """The profile is explained in every segment whenever it is looked at, and at the end."""

    def step(self, command: Command) -> None:
        super().step(command)
        if isinstance(command, Look):
            self.explain()

    def run(self) -> None:
        super().run()
        self.step(Look())

    def explain(self) -> None:
        if self.profile is None:
            return
        before = encode(self.profile)
        flips = next_flips(self.plan, "p", self.profile, self.staging.served)
        for segment in self.staging.served:
            found = explain(self.plan, "p", self.profile, segment, self.clock_ms)
            assert found.is_in == found.root.holds == (segment in self.oracle.members())
            assert found.flips_ms == flips.get(segment)
            composed(found.root)
            self._change(segment, found)
        assert encode(decode(before)) == encode(self.profile), "explaining changed the profile"

    def _change(self, segment: str, found: Explanation) -> None:
        assert self.profile is not None
        told["none" if found.change is None else found.change.type] += 1
        if found.change is None:
            return
        oracle = copy.deepcopy(self.oracle)
        for event in events_of(found.change, "w", "p", self.clock_ms):
            oracle.apply(event, self.clock_ms)
        assert (segment in oracle.members()) != found.is_in, f"{found.change} flips nothing in {segment}"
        if found.until_ms is not None:
            assert found.until_ms > self.clock_ms
            assert self._flips(segment, found.change, found.until_ms - 1), f"{found.change} not until then"

    def _flips(self, segment: str, change: Change, at_ms: int) -> bool:
        assert self.profile is not None
        ahead: Profile = decode(encode(self.profile))
        while ahead.wake_at is not None and ahead.wake_at <= at_ms:
            on_clock(self.plan, "p", ahead, ahead.wake_at)
        after = applied(self.plan, "p", ahead, change, at_ms)
        return after is not None and is_in(after, segment) != is_in(ahead, segment)


def composed(node: Explained) -> None:
    truths = [child.holds for child in node.of]
    match node.type:
        case "all":
            assert node.holds == all(truths)
        case "any":
            assert node.holds == any(truths)
        case "not":
            assert node.holds != truths[0]
        case _:
            assert node.evidence is not None and not truths
    for child in node.of:
        composed(child)


@pytest.mark.parametrize("part", range(PARTS))
def test_explanations_compose_and_their_changes_flip(part: int) -> None:
    told.clear()
    for number in range(part * SEEDS, (part + 1) * SEEDS):
        print(f"seed {number}")

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(histories())
        def race(history: History) -> None:
            Explaining(history).run()

        race()
    print(told)
    assert told["event"] and told["attribute"] and told["none"]
