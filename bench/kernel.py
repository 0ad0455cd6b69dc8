"""The native kernel beside the interpreted core, in one process: `python -m bench kernel`.

Both step from the stored state to the stored state, as a profile's event in a record makes it. In rounds, one after
the other, by CPU time; the medians are printed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bench import workload
from bench.core import plan_of
from livesegments.core.profile import decode, encode
from livesegments.core.step import on_event
from livesegments.evaluator.kernel.native import Kernel


class Kernels(NamedTuple):
    """Microseconds of CPU for an event, and the ratio of the interpreted core's to the kernel's."""

    segments: int
    kernel_us: float
    interpreted_us: float
    ratio: float


def run(segments: int, count: int, rounds: int = 5) -> Kernels:
    plan, events = plan_of(segments), list(workload.events(count))
    kernel, records = Kernel(plan).plan, [msgspec.msgpack.encode(event) for event in events]

    def native() -> None:
        states, step = dict[str, bytes](), kernel.event
        for event, record in zip(events, records, strict=True):
            answer = step(states.get(event.profile, b""), record, event.time_ms)
            assert isinstance(answer, tuple)
            states[event.profile] = answer[0] or states[event.profile]

    def interpreted() -> None:
        states = dict[str, bytes]()
        for event in events:
            state = states.get(event.profile)
            step = on_event(plan, None if state is None else decode(state), event, event.time_ms)
            states[event.profile] = encode(step.profile)

    taken = [[_cpu_us(work, count) for work in (native, interpreted)] for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
    return Kernels(segments, ours, theirs, theirs / ours)


def _cpu_us(work: Callable[[], None], count: int) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) / count * 1e6
