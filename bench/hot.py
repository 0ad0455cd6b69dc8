"""What a hot profile costs a partition by how much its fact keeps: `python -m bench hot`.

One profile with one fact that keeps n events, and a partition with its state in the cache. Records come, of one event
or of a hundred, all of that profile; each is read into a commit as the evaluator does it: the state is
decoded, the events are applied, the state is encoded. The n events leave as fast as others come.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bench.kinds import SHAPES, SIZES, START_MS, Shape
from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.plan import Segment, compile
from livesegments.evaluator.partition import Partition
from livesegments.store.shard import Head
from livesegments.wire.profilekey import profile_key

KINDS = (
    "count", "distinct", "sum", "sequence, never complete", "absent, nothing comes", "absent, long within",
)  # fmt: skip
RECORDS = (1, 100)
ROUNDS = 5
KEY = profile_key("w", "p")


class Cost(NamedTuple):
    """Microseconds of an event in a record of so many events, the fastest of `ROUNDS`."""

    kind: str
    kept: int
    us: dict[int, float]
    state_bytes: int


class Hot:
    """A partition whose one profile keeps `kept` events."""

    def __init__(self, shape: Shape, kept: int) -> None:
        node = msgspec.convert(shape.definition(kept * shape.gap_ms // 1_000), Node)
        plan = compile("w", "UTC", [Segment("s", 1, 1, node)], 1)
        self._partition = Partition(0, Head(0, 0, None, 0), 1 << 26, 20_000)
        self._partition.dues.load([], complete=True)
        self._partition.plans["w"] = plan
        self._partition.since["w"] = dict.fromkeys(plan.fact_ids, 1)
        self._partition.give(KEY, None)
        self._shape, self._number = shape, 0

    def record(self, size: int) -> float:
        """Seconds for a record of the next events."""
        shape, first = self._shape, self._number
        self._number += size
        events = [
            Event(f"e{n:09}", "w", "p", shape.names(n), START_MS + n * shape.gap_ms, {"x": n % 1_000_003})
            for n in range(first, first + size)
        ]
        started = time.process_time()
        self._partition.apply(events, None, self._number)
        return time.process_time() - started

    @property
    def state_bytes(self) -> int:
        return len(self._partition.cache.get(KEY) or b"")


def cost(kind: str, kept: int, timed: int) -> Cost:
    """`timed`: events a round, at least one record."""
    hot = Hot(SHAPES[kind], kept)
    for _ in range(-(-(kept + min(kept, 200)) // 100)):
        hot.record(100)
    us = {}
    for size in RECORDS:
        records = max(3, timed // size)
        rounds = [sum(hot.record(size) for _ in range(records)) for _ in range(ROUNDS)]
        us[size] = min(rounds) / records / size * 1e6
    return Cost(kind, kept, us, hot.state_bytes)


def run(sizes: Sequence[int] = SIZES, timed: int = 100) -> list[Cost]:
    return [cost(kind, kept, timed) for kind in KINDS for kept in sizes]


def table(costs: Sequence[Cost]) -> list[str]:
    """As lines of Markdown."""
    sizes = sorted({each.kept for each in costs})
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| kind | events a record | µs an event at n = {head} | last ÷ first | state, bytes |"]
    lines.append("|---" * (len(sizes) + 4) + "|")
    for kind in dict.fromkeys(each.kind for each in costs):
        found = {each.kept: each for each in costs if each.kind == kind}
        first, last = found[sizes[0]], found[sizes[-1]]
        for record in RECORDS:
            us = " | ".join(f"{found[size].us[record]:.1f}" for size in sizes)
            ratio = last.us[record] / first.us[record]
            lines.append(f"| {kind} | {record} | {us} | {ratio:.1f} | {last.state_bytes:,} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table(run())))
