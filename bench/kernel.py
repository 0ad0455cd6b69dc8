"""The native kernel beside the interpreted core, in one process: `python -m bench kernel`.

Steps go from the stored state to the stored state, as a profile's event in a record makes it. Records go from
the log's bytes through a partition to the command for Redis; nothing is sent. In rounds, one after the other, by
CPU time; the medians are printed.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bench import workload
from bench.core import plan_of
from livesegments.core.profile import decode, encode
from livesegments.core.step import on_event
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.kernel.native import Kernels
from livesegments.store.encoded import packed as packed_command
from livesegments.store.shard import Head
from livesegments.wire import pack


class Costs(NamedTuple):
    """Microseconds of CPU for an event, and the ratios of the interpreted core's to the kernel's."""

    segments: int
    step_us: float
    interpreted_step_us: float
    step_ratio: float
    record_us: float
    interpreted_record_us: float
    record_ratio: float


def run(segments: int, count: int, rounds: int = 5) -> Costs:
    plan, events = plan_of(segments), list(workload.events(count))
    kernel, alone = Kernels().of(plan), [msgspec.msgpack.encode(event) for event in events]
    size = pack.MAX_EVENTS
    packed = [pack.encode(pack.Packed(events[at : at + size])) for at in range(0, count, size)]

    def native() -> None:
        states, step, revision = dict[str, bytes](), kernel.plan.event, kernel.revision
        for event, record in zip(events, alone, strict=True):
            answer = step(revision, states.get(event.profile, b""), record, event.time_ms)
            assert isinstance(answer, tuple)
            states[event.profile] = answer[0] or states[event.profile]

    def interpreted() -> None:
        states = dict[str, bytes]()
        for event in events:
            state = states.get(event.profile)
            step = on_event(plan, None if state is None else decode(state), event, event.time_ms)
            states[event.profile] = encode(step.profile)

    def records(kernels: Kernels | None) -> None:
        partition = Partition(0, Head(0, 0, None, 0), 10**9, 10**6, kernels)
        partition.dues.load([], complete=True)
        partition.plans[workload.WORKSPACE] = plan
        for offset, record in enumerate(packed, 1):
            events = partition.cores.read(record)
            if events is None:
                content = pack.decode(record)
                assert isinstance(content, pack.Packed)
                events = content.events
            for key in partition.cores.wanted(events, ()):
                partition.give(key, None)
            packed_command(partition.apply(events, None, offset, record).commit.call("token"))

    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # as the evaluator does
    natively = Kernels()
    works: list[Callable[[], None]] = [native, interpreted, lambda: records(natively), lambda: records(None)]
    taken = [[_cpu_us(work, count) for work in works] for _ in range(rounds)]
    step, step_2, record, record_2 = (statistics.median(column) for column in zip(*taken, strict=True))
    return Costs(segments, step, step_2, step_2 / step, record, record_2, record_2 / record)


def _cpu_us(work: Callable[[], None], count: int) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) / count * 1e6
