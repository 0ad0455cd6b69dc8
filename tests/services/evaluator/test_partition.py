"""One partition without I/O: what a change of plan and a due instant do to each other."""

from typing import Any

import msgspec

from livesegments.core.bounds import Bounds
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Limits, Plan, Segment, compile
from livesegments.evaluator.partition import Partition
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
    assert [(event, refusal.bound) for event, refusal in outcome.refused] == [
        (beyond, "tags"),
        (never, "tags"),
    ]
    again = partition.apply([Event("4", "w", "p", PROFILE, 0, {"tags_remove": ["a"]}), never], None, 2)
    assert [event.id for event, _ in again.refused] == ["3"] and again.duplicates == 0


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
