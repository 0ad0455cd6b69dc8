"""A partition whose records go to the native kernel makes the same commits as one that interprets them."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest

from bench import workload
from bench.core import plan_of
from livesegments.core.event import PROFILE, RETRACT, Event
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.native import Kernels
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.shard import Head
from livesegments.wire import pack
from livesegments.wire.profilekey import profile_key
from tests.properties.kernel_race import plain

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
RECORDS, EVENTS, PROFILES = 40, 25, 12


def partition(natively: bool) -> Partition:
    made = Partition(0, Head(0, 0, None, 0), 1_000_000, 20_000, Kernels() if natively else None)
    made.dues.load([], complete=True)
    made.plans[workload.WORKSPACE] = plan_of(40)
    for number in range(PROFILES):
        made.give(profile_key(workload.WORKSPACE, f"p{number}"), None)
    return made


def events() -> list[Event]:
    """With repeats, late events, and what the kernel gives back: retractions, tags, attributes that are removed."""
    random, found = Random(3), list[Event]()
    for number, event in enumerate(workload.events(RECORDS * EVENTS)):
        chance, name, properties = random.random(), event.name, event.properties
        if chance < 0.01:
            name, properties = RETRACT, {"event_id": f"event-{random.randrange(number + 1)}"}
        elif chance < 0.03:
            name, properties = PROFILE, random.choice(({"tags_add": ["t"]}, {"attributes": {"city": None}}))
        id_ = f"event-{random.randrange(number + 1)}" if chance > 0.97 else event.id
        time_ms = event.time_ms - (random.randrange(3 * 86_400_000) if chance > 0.9 else 0)
        profile = f"p{random.randrange(PROFILES)}"
        found.append(Event(id_, event.workspace, profile, name, time_ms, properties))
    return found


def written(made: Partition, outcome: Outcome) -> dict[str, Any]:
    """What a commit has, with what has no order in an order."""
    states = {
        profile.decode() if isinstance(profile, bytes) else profile: plain(state)
        for write in outcome.commit.writes
        if write.key == keys.profiles(0, workload.WORKSPACE)
        for profile, state in zip(write.arguments[::2], write.arguments[1::2], strict=True)
        if isinstance(state, bytes)
    }
    tail = next(
        (dict(_pairs(write.arguments[1:])) for write in outcome.commit.writes if write.key == keys.tail(0)),
        {},
    )
    decoded = {name: msgspec.msgpack.decode(tail.get(name, b"\x90")) for name in "xd"}
    return {
        "states": states,
        "transitions": sorted(msgspec.json.encode(each) for each in outcome.transitions),
        "tail": (tail.get("r"), tail.get("c"), sorted(decoded["x"]), sorted(decoded["d"], key=str)),
        "counts": (outcome.events, outcome.duplicates, len(outcome.refused)),
        "dues": made.dues.current,
        "clock": made.clock_ms,
    }


def _pairs(flat: Any) -> Any:
    return zip(flat[::2], flat[1::2], strict=True)


def test_the_same_commits() -> None:
    interpreted, natively, seen = partition(False), partition(True), 0
    before, all_ = metrics.NATIVE._value.get(), events()
    random = Random(5)
    for number in range(RECORDS):
        part = all_[number * EVENTS : (number + 1) * EVENTS]
        record, along = pack.encode(pack.Packed(part)), random.random() < 0.7
        one, other = (
            written(each, each.apply(part, None, number + 1, record, along))
            for each in (interpreted, natively)
        )
        assert one == other
        seen += len(one["transitions"])
    assert seen > 100
    assert metrics.NATIVE._value.get() - before > RECORDS * EVENTS / 3
