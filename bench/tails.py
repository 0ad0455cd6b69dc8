"""What the tail costs: `python -m bench tail`.

The evaluator's path (`bench/path.py`) with the tail and without it, in turns on the same records. Two figures
are compared: events a second, and the CPU that the evaluator and Redis take for an event. Nothing of the tail is
archived within a run, so the bytes are those of a whole tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bench import harness, path, workload
from bench.path import Path_

UNTAILED = "bench.untailed"

Pair = tuple[Path_, Path_]
"""With the tail, and without it."""


async def run(segments: int, events: int, rounds: int) -> list[Pair]:
    records = harness.packed(workload.events(events))
    pairs: list[Pair] = []
    for number in range(rounds):
        found: dict[bool, Path_] = {}
        for tailed in (True, False) if number % 2 else (False, True):
            async with harness.fresh_stack() as running:
                module = path.EVALUATOR if tailed else UNTAILED
                found[tailed] = await path.run(running, segments, records, events, module)
        pairs.append((found[True], found[False]))
    return pairs


def table(pairs: Sequence[Pair]) -> list[str]:
    """As lines of Markdown."""
    rows = [
        ("events/s", [(each.events_per_s, other.events_per_s) for each, other in pairs]),
        ("evaluator's CPU an event, µs", [(each.evaluator_us, other.evaluator_us) for each, other in pairs]),
        ("Redis' CPU an event, µs", [(each.store_us, other.store_us) for each, other in pairs]),
        (
            "Redis, bytes a profile of the workload",
            [(each.redis_bytes_per_profile, other.redis_bytes_per_profile) for each, other in pairs],
        ),
    ]
    lines = ["| median of pairs | with | without | with ÷ without |", "|---|---|---|---|"]
    for name, values in rows:
        tailed, untailed = median(value for value, _ in values), median(value for _, value in values)
        ratio = median(value / other for value, other in values)
        lines.append(f"| {name} | {tailed:,.1f} | {untailed:,.1f} | {ratio:.2f} |")
    tail = median(each.tail_bytes_per_profile for each, _ in pairs)
    return [*lines, "", f"Of the bytes with the tail, {tail:,.0f} are the tail; archiving takes them away."]
