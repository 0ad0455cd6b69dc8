"""Seeded histories, packed into logs, and the definitions that they are evaluated under."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

import msgspec

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.simulation.reference import Reference
from tests.simulation.world import START_MS

PARTITIONS = 2
MINUTE = 60_000

DEFINITIONS = {
    "active": '{"type":"event","name":"a","window":{"last":"1h"},"value":2}',
    "quiet": '{"type":"not","of":{"type":"event","name":"a","window":{"last":"30m"}}}',
    "rich": '{"type":"attribute","name":"score","op":"gte","value":3}',
    "both": '{"type":"all","of":[{"type":"segment","id":"active"},{"type":"segment","id":"rich"}]}',
    "left": '{"type":"sequence","steps":[{"name":"a"},{"name":"b","absent":true}],"within":"20m"}',
}


def segment(id_: str, definition: str, revision: int = 1, version: int = 1) -> Segment:
    return Segment(id_, version, revision, node(definition))


def node(definition: str) -> Node:
    decoded: Node = msgspec.json.decode(definition, type=Node)
    return decoded


def plan_of(definitions: Mapping[str, str]) -> Plan:
    return compile("w", "Europe/Paris", [segment(id_, each) for id_, each in definitions.items()], 1)


def history(seed: int, count: int, start_ms: int = START_MS, profiles: int = 10) -> list[Event]:
    """Events of a few profiles over hours, some late, some twice."""
    rng = random.Random(seed)
    now, events = start_ms, []
    for number in range(count):
        now += rng.choice((0, 1, 1_000, MINUTE, 5 * MINUTE))
        profile, time_ms = f"p{rng.randrange(profiles)}", now - rng.choice((0, 0, 0, 10 * MINUTE))
        id_ = f"e{start_ms}.{number}"
        if rng.random() < 0.3:
            event = Event(id_, "w", profile, PROFILE, time_ms, {"attributes": {"score": rng.randrange(6)}})
        else:
            event = Event(id_, "w", profile, rng.choice("aab"), time_ms, {})
        events += [event] * rng.choice((1, 1, 1, 1, 2))
    return events


def records(seed: int, events: Iterable[Event], end_ms: int) -> list[list[pack.Record]]:
    """Each partition's log: packed records of a few events, here and there a clock, and one at the end."""
    rng = random.Random(seed)
    logs: list[list[pack.Record]] = [[] for _ in range(PARTITIONS)]
    for partition in range(PARTITIONS):
        mine = [each for each in events if partition_of("w", each.profile, PARTITIONS) == partition]
        while mine:
            size = rng.randrange(1, 6)
            logs[partition].append(pack.Packed(tuple(mine[:size])))
            last, mine = mine[:size][-1], mine[size:]
            if rng.random() < 0.05:
                logs[partition].append(pack.Clock(last.time_ms + rng.randrange(10 * MINUTE)))
        logs[partition].append(pack.Clock(end_ms))
    return logs


def expected(plan: Plan, logs: Iterable[Iterable[pack.Record]]) -> list[Reference]:
    references = []
    for log in logs:
        reference = Reference({"w": plan})
        for record in log:
            match record:
                case pack.Packed(events):
                    reference.apply(events)
                case pack.Clock(to_ms):
                    reference.move(to_ms)
        references.append(reference)
    return references
