"""What a hot profile costs a partition by how much its fact keeps: `python -m bench hot`.

One profile with one fact that keeps n events, and a partition with its state in the cache. Records come, of one event
or of a hundred, all of that profile; each is read into a commit as the evaluator does it: the state is
decoded, the events are applied, the state is encoded. The n events leave as fast as others come. A late event
is one that happened half a window ago.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bench.kinds import SHAPES, SIZES, Shape
from livesegments.core.definition import Node
from livesegments.core.plan import Segment, compile
from livesegments.evaluator.commits.partition import Partition
from livesegments.runtime.memory import keep_freed_memory
from livesegments.store.shard import Head
from livesegments.wire.profilekey import profile_key

RECORDS = (1, 100)
ROUNDS = 5
KEY = profile_key("w", "p")


class Cost(NamedTuple):
    """Microseconds of an event in a record of so many events, and of a late one in a record of its own, the
    fastest of `ROUNDS`."""

    kind: str
    kept: int
    us: dict[int, float]
    late_us: float
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
        self._shape, self._kept, self._number = shape, kept, 0

    def record(self, size: int, late: bool = False) -> float:
        """Seconds for a record of the next events."""
        shape, first = self._shape, self._number
        self._number += size
        late_ms = self._kept // 2 * shape.gap_ms if late else 0
        events = [shape.event(n, self._kept, late_ms=late_ms) for n in range(first, first + size)]
        started = time.process_time()
        outcome = self._partition.apply(events, None, self._number)
        took = time.process_time() - started
        assert not outcome.aside, "a fault of ours was measured"
        return took

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
    state_bytes, late = hot.state_bytes, list[float]()
    for _ in range(ROUNDS):
        late.append(sum(hot.record(1, late=True) for _ in range(max(3, timed // 10))))
        hot.record(1)
    return Cost(kind, kept, us, min(late) / max(3, timed // 10) * 1e6, state_bytes)


def run(sizes: Sequence[int] = SIZES, timed: int = 100) -> list[Cost]:
    keep_freed_memory()
    return [cost(kind, kept, timed) for kind in SHAPES for kept in sizes]


def table(costs: Sequence[Cost]) -> list[str]:
    """As lines of Markdown."""
    sizes = sorted({each.kept for each in costs})
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [
        f"| kind | µs of a record of one event at n = {head} | last ÷ first | of an event among a hundred "
        f"| of a late one | state, bytes |"
    ]
    lines.append("|---" * (len(sizes) + 5) + "|")
    for kind in dict.fromkeys(each.kind for each in costs):
        found = {each.kept: each for each in costs if each.kind == kind}
        first, last = found[sizes[0]], found[sizes[-1]]
        us = " | ".join(f"{found[size].us[1]:.0f}" for size in sizes)
        among = f"{first.us[100]:.0f} → {last.us[100]:.0f}"
        late = f"{first.late_us:.0f} → {last.late_us:.0f}"
        ratio = last.us[1] / first.us[1]
        lines.append(f"| {kind} | {us} | {ratio:.1f} | {among} | {late} | {last.state_bytes:,} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table(run())))
