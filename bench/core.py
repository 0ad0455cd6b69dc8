"""The core alone, in one process: `python -m bench core`. It shows where an event's time goes before any
I/O."""

from __future__ import annotations

import cProfile
import gc
import heapq
import io
import pstats
import time
from typing import NamedTuple

from bench import workload
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile, encode
from livesegments.core.step import on_clock, on_event


class Core(NamedTuple):
    """`flipping` is the share of events that caused a transition, `clock_share` transitions by the clock."""

    segments: int
    compile_s: float
    events_per_s: float
    flipping: float
    transitions_per_event: float
    clock_transitions_per_event: float
    bytes_per_profile: float


def plan_of(segments: int) -> Plan:
    found = [Segment(name, 1, 1, node) for name, node in workload.nodes(segments).items()]
    return compile(workload.WORKSPACE, "Europe/Berlin", found, 1)


def run(segments: int, count: int) -> Core:
    started = time.process_time()
    plan = plan_of(segments)
    compile_s = time.process_time() - started
    events = list(workload.events(count))
    profiles: dict[str, Profile] = {}
    due: list[tuple[int, str]] = []
    flipping = transitions = by_clock = 0
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # as the evaluator does
    started = time.process_time()
    for event in events:
        now = event.time_ms
        while due and due[0][0] <= now:
            at, name = heapq.heappop(due)
            if profiles[name].wake_at == at:
                step = on_clock(plan, name, profiles[name], at)
                by_clock += len(step.transitions)
                if step.wake_at is not None:
                    heapq.heappush(due, (step.wake_at, name))
        old = profiles.get(event.profile)
        before = old.wake_at if old else None
        step = on_event(plan, old, event, now)
        profiles[event.profile] = step.profile
        if step.wake_at is not None and step.wake_at != before:
            heapq.heappush(due, (step.wake_at, event.profile))
        transitions += len(step.transitions)
        flipping += bool(step.transitions)
    seconds = time.process_time() - started
    size = sum(len(encode(profile)) for profile in profiles.values()) / len(profiles)
    return Core(
        segments, compile_s, count / seconds, flipping / count, transitions / count, by_clock / count, size
    )


def profile(segments: int, count: int) -> str:
    """The functions in which the time goes, by their own time."""
    profiler = cProfile.Profile()
    profiler.runcall(run, segments, count)
    told = io.StringIO()
    pstats.Stats(profiler, stream=told).sort_stats("tottime").print_stats(25)
    return told.getvalue()
