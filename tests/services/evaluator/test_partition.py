"""One partition without I/O: what a change of plan and a due instant do to each other."""

from typing import Any

import msgspec
import pytest

from livesegments.core import step
from livesegments.core.bounds import Bounds
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Limits, Plan, Segment, compile
from livesegments.core.step import Step
from livesegments.evaluator.commits.partition import Partition
from livesegments.store import keys
from livesegments.store.shard import Head
from livesegments.store.tail import applied, decode_fields
from livesegments.wire.pack import Packed, encode
from livesegments.wire.profilekey import profile_key

DAY = 86_400_000
ORDERED: dict[str, Any] = {"type": "event", "name": "order", "window": {"last": "30d"}}


def plan_of(revision: int, **definitions: tuple[int, dict[str, Any]]) -> Plan:
    segments = [
        Segment(name, 1, since, msgspec.convert(item, Node)) for name, (since, item) in definitions.items()
    ]
    return compile("w", "UTC", segments, revision)


def adopt(partition: Partition, plan: Plan) -> None:
    known = partition.since.get("w", {})
    partition.plans["w"] = plan
    partition.since["w"] = {fact: known.get(fact, plan.revision) for fact in plan.fact_ids}


def test_a_due_that_comes_before_the_walk_of_a_new_plan_still_fires() -> None:
    head = Head(0, 0, None, 0)
    partition = Partition(0, head, 100, 20_000)
    partition.dues.load([], complete=True)
    adopt(partition, plan_of(1, buyers=(1, ORDERED)))
    partition.give(profile_key("w", "p"), None)
    partition.apply([Event("e", "w", "p", "order", 0)], None, 1)
    seldom = ORDERED | {"op": "lt", "value": 2}
    adopt(partition, plan_of(2, buyers=(1, ORDERED), seldom=(2, seldom)))
    outcome = partition.fire(40 * DAY)
    assert [(each.segment, each.kind, each.at_ms, each.cause) for each in outcome.transitions] == [
        ("seldom", "entered", 30 * DAY - 1, "definition"),
        ("buyers", "exited", 30 * DAY, "clock"),
    ]


def test_a_change_beyond_a_bound_is_named_and_nothing_of_it_is_committed() -> None:
    partition = Partition(0, Head(0, 0, None, 0), 100, 20_000)
    partition.dues.load([], complete=True)
    adopt(partition, compile("w", "UTC", [], 1, Limits(bounds=Bounds(tags=1))))
    partition.give(profile_key("w", "p"), None)
    partition.give(profile_key("w", "q"), None)
    beyond = Event("2", "w", "p", PROFILE, 0, {"tags_add": ["b", "c"]})
    never = Event("3", "w", "q", PROFILE, 0, {"tags_add": ["b", "c"]})
    outcome = partition.apply([Event("1", "w", "p", PROFILE, 0, {"tags_add": ["a"]}), beyond, never], None, 1)
    assert [(event, refusal.bound) for _, event, refusal in outcome.refused] == [
        (beyond, "tags"),
        (never, "tags"),
    ]
    again = partition.apply([Event("4", "w", "p", PROFILE, 0, {"tags_remove": ["a"]}), never], None, 2)
    assert [event.id for _, event, _ in again.refused] == ["3"] and again.duplicates == 0


def test_the_tail_says_at_which_clock_every_event_was_applied() -> None:
    partition = Partition(0, Head(0, 0, 5, 0), 100, 20_000)
    partition.dues.load([], complete=True)
    adopt(partition, plan_of(1, buyers=(1, ORDERED)))
    partition.give(profile_key("w", "p"), None)
    events = [
        Event("early", "w", "p", "order", 3),
        Event("1", "w", "p", "order", 10),
        Event("nobody's", "unknown", "p", "order", 90),
        Event("late", "w", "p", "order", 7),
        Event("1", "w", "p", "order", 20),
        Event("2", "w", "p", "order", 15),
        Event("3", "w", "p", "order", 30),
    ]
    outcome = partition.apply(events, None, 1, encode(Packed(events)))
    (write,) = [each for each in outcome.commit.writes if each.key == keys.tail(0)]
    given = [each if isinstance(each, bytes) else str(each).encode() for each in write.arguments[1:]]
    entry = decode_fields(dict(zip(given[::2], given[1::2], strict=True)))
    assert [(each.event.id, each.at_ms) for each in applied(1, entry)] == [
        ("early", 5),
        ("1", 10),
        ("late", 10),
        ("2", 20),
        ("3", 30),
    ]
    assert partition.clock_ms == 30


def due_together(number: int) -> Partition:
    """`number` profiles that fall due at one instant."""
    partition = Partition(0, Head(0, 0, None, 0), 1_000_000, 20_000)
    partition.dues.load([], complete=True)
    adopt(partition, plan_of(1, buyers=(1, ORDERED)))
    events = [Event(f"e{each}", "w", f"p{each}", "order", 0) for each in range(number)]
    for event in events:
        partition.give(profile_key("w", event.profile), None)
    partition.apply(events, None, 1)
    return partition


def test_slices_of_a_commit_do_what_is_done_at_once() -> None:
    whole, sliced = due_together(10), due_together(10)
    for size in (3, 4, 3):
        sliced.advance(40 * DAY, size)
    at_once, outcome = whole.fire(40 * DAY, 10), sliced.seal()
    assert len(outcome.transitions) == 10
    assert outcome.transitions == at_once.transitions
    assert outcome.commit.writes == at_once.commit.writes
    assert sliced.clock_ms == whole.clock_ms == 30 * DAY
    assert sliced.dues.next() is None


def test_a_fault_in_a_slice_loses_nothing_of_the_slices_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = due_together(10)

    def on_clock(plan: Plan, id_: str, *rest: Any) -> Step:
        if id_ == "p5":
            raise RuntimeError("planted")
        return step.on_clock(plan, id_, *rest)

    monkeypatch.setattr("livesegments.evaluator.commits.upkeep.on_clock", on_clock)
    for _ in range(3):
        partition.advance(40 * DAY, 3)
    outcomes = [partition.seal()]
    while partition.dues.next() is not None:
        outcomes.append(partition.fire(40 * DAY, 3))
    exited = [each.profile for outcome in outcomes for each in outcome.transitions]
    assert sorted(exited) == [f"p{each}" for each in range(10) if each != 5]
    assert [each.profile for outcome in outcomes for each in outcome.aside] == ["p5"]
