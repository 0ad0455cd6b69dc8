"""The chapters of the page of figures: each measures by itself, in stacks of its own, and gives its lines of Markdown.

`Scale` says how much is measured: `QUICK` shows that a chapter works, not how fast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench import (
    audience,
    backfill,
    console,
    core,
    harness,
    hot,
    importing,
    kinds,
    latency,
    many,
    memory,
    neighbours,
    notify,
    path,
    profiling,
    reads,
    report,
    storm,
    tails,
    workload,
)
from livesegments.core.event import Event
from livesegments.evaluator.kernel import native
from livesegments.wire.topics import INBOUND


class Scale(NamedTuple):
    rounds: int = 5
    events: int = 300_000
    naive_events: int = 1_500
    seconds: int = 20
    sizes: tuple[int, ...] = (10, 100, 1_000, 10_000)
    vast: int = 100_000
    kept: tuple[int, ...] = kinds.SIZES
    crowd: int = 10_000
    history: int = 1_000_000
    live_per_s: int = 2_000
    dues: int = 200_000
    members: int = 100_000
    audience: int = 1_000_000
    rows: int = 100_000
    deliveries: int = 30_000


VAST_ROUNDS = 2
"""Compiling so many segments takes longer than all that is measured."""
QUICK = Scale(
    1,
    20_000,
    200,
    2,
    (10, 100, 1_000, 2_000),
    3_000,
    (10, 100),
    500,
    2_000,
    200,
    5_000,
    2_000,
    5_000,
    1_000,
    1_000,
)


class Chapter(NamedTuple):
    """`name` is its word: `--only NAME`. `measure` gives the lines below the heading."""

    name: str
    heading: str
    measure: Callable[[Scale], Coroutine[Any, Any, list[str]]]


async def _throughput(scale: Scale) -> list[str]:
    made = list(workload.events(scale.events))
    records = harness.packed(made)
    rates = await _rounds(scale, made, records)
    return [
        f"{scale.rounds} rounds, interleaved: in each, every contender once, alone on one core, the broker and",
        f"Redis on the other. {scale.events:,} events (`bench/workload.py` says what they are).",
        "",
        *report.throughput(rates),
        "",
        *report.shares_of_an_event(rates),
        "",
        *report.memory(rates),
    ]


async def _rounds(
    scale: Scale, made: Sequence[Event], records: Sequence[tuple[int, int, bytes]]
) -> report.Rates:
    single = [(harness.home(event), event.time_ms, msgspec.msgpack.encode(event)) for event in made]
    rates = report.Rates({size: [] for size in scale.sizes}, [], [], [])
    for _ in range(scale.rounds):
        for size in scale.sizes:
            async with harness.fresh_stack() as running:
                rates.paths[size].append(await path.run(running, size, records, len(made)))
        if native.BUILT:
            async with harness.fresh_stack() as running:
                rates.interpreted.append(
                    await path.run(running, 1_000, records, len(made), core="interpreted")
                )
        async with harness.fresh_stack() as running:
            await harness.preload(running, single, INBOUND)
            rates.raw.append(await harness.contender("bench.raw", running.kafka, INBOUND, str(len(made))))
            rates.naive.append(
                await harness.contender(
                    "bench.naive", running.kafka, INBOUND, str(scale.naive_events), "1000"
                )
            )
    return rates


async def _vast(scale: Scale) -> list[str]:
    """By itself, so that an evaluator that takes too long to compile all of that takes no other figure with it."""
    records = harness.packed(list(workload.events(scale.events)))
    sizes = (scale.sizes[0], scale.vast)
    rates = report.Rates({size: [] for size in sizes}, [], [], [])
    for _ in range(min(VAST_ROUNDS, scale.rounds)):
        for size in sizes:
            async with harness.fresh_stack() as running:
                rates.paths[size].append(await path.run(running, size, records, scale.events))
    return [
        "The evaluator's path as above, in rounds of these two.",
        "",
        *report.vast(rates),
        "",
        *report.shares_of_an_event(rates),
        "",
        *report.memory(rates),
    ]


async def _latency(scale: Scale) -> list[str]:
    found = []
    for per_s, at_once in ((200, 1), (1_000, 1), (5_000, 10)):
        async with harness.fresh_stack(harness.EVERY) as running:
            found.append(await latency.run(running, 1_000, per_s, scale.seconds, at_once))
    return report.latencies(found)


async def _reads(scale: Scale) -> list[str]:
    return reads.section((await reads.compared(min(3, scale.rounds), scale.seconds / 4, None))["this"])


async def _memory(scale: Scale) -> list[str]:
    async with harness.fresh_stack() as running:
        return report.a_profile(await memory.run(running))


async def _tail(scale: Scale) -> list[str]:
    return [
        "The evaluator's path at 1,000 segments with the tail of commits and without it, in turns",
        "(`python -m bench tail`). Wanted of events/s: ≥ 0.9.",
        "",
        *tails.table(await tails.run(1_000, scale.events, scale.rounds)),
    ]


async def _core(scale: Scale) -> list[str]:
    return report.cores([core.run(size, scale.events) for size in (scale.sizes[0], 1_000, scale.sizes[-1])])


async def _kinds(scale: Scale) -> list[str]:
    return [
        "One profile whose fact keeps n events, values or stamps, in order, as many leaving as coming",
        "(`bench/kinds.py`): the step alone, as within one record; with reading and writing the state, as in a",
        "record of one event; and where the event doesn't touch the fact. Wanted of the step: last ÷ first ≤ 3.",
        "",
        *kinds.table(kinds.run(scale.kept)),
    ]


async def _hot(scale: Scale) -> list[str]:
    return [
        "A partition's record of one event, and of a hundred, all of one profile, with reading and writing its state",
        "(`bench/hot.py`).",
        "",
        *hot.table(hot.run(scale.kept)),
    ]


async def _many(scale: Scale) -> list[str]:
    async with harness.fresh_stack(harness.EVERY) as running:
        found = await many.run(running, scale.crowd)
    return [
        f"A workspace of {found.segments:,} segments with {many.PROFILES:,} profiles, the api and one evaluator, each with",
        "all cores beside the broker and Redis (`bench/many.py`). One at a time over one connection, medians.",
        "",
        *many.table(found),
    ]


async def _backfill(scale: Scale) -> list[str]:
    peer = os.environ.get(backfill.PEER)
    async with harness.fresh_stack(harness.EVERY) as running:
        found = await backfill.run(
            running, scale.history, None if peer is None else Path(peer), per_s=scale.live_per_s
        )
    return backfill.section(found)


async def _storm(scale: Scale) -> list[str]:
    async with harness.fresh_stack(harness.EVERY) as running:
        found = await storm.run(running, scale.dues, 200)
    return [
        "Very many profiles come due at one instant of the wall clock, while 200 live events a second come",
        "(`bench/storm.py`). From an event's record to its transition, with all cores for everybody. The broker",
        "has just been started (cold), and then there is a second storm in the same stack (warm).",
        "",
        *storm.table(found),
        "",
        "Wanted of the drain: ≥ 150,000 a second.",
    ]


async def _neighbours(scale: Scale) -> list[str]:
    async with harness.fresh_stack(harness.EVERY) as running:
        phases = await neighbours.run(running, 25, scale.seconds)
    return [
        f"{len(neighbours.OTHERS)} workspaces send one event a request; another sends {neighbours.TIMES} times what one of them",
        "sends, of many profiles and of one (`bench/neighbours.py`). HTTP request to transition.",
        "",
        *neighbours.table(phases),
    ]


async def _audience(scale: Scale) -> list[str]:
    async with harness.fresh_stack(harness.EVERY) as running:
        return audience.table(await audience.run(running, scale.audience))


async def _notify(scale: Scale) -> list[str]:
    return [
        "One notify process alone on one core, a receiver that answers 200 on the other (`bench/notify.py`).",
        "",
        *notify.table([await notify.run(scale.deliveries) for _ in range(min(3, scale.rounds))]),
        "",
        "Wanted: ≥ 2,000/s.",
    ]


async def _imports(scale: Scale) -> list[str]:
    return [
        "A CSV file into a segment, on the whole product (`bench/importing.py`). Wanted: 100,000 rows in ≤ 30 s.",
        "",
        *importing.table(importing.run(scale.rows)),
    ]


async def _console(scale: Scale) -> list[str]:
    async with harness.fresh_stack(harness.EVERY) as running:
        return console.table(await console.run(running, scale.crowd, scale.members, min(3, scale.rounds)))


async def _profile(scale: Scale) -> list[str]:
    records = harness.packed(list(workload.events(scale.events)))
    async with harness.fresh_stack() as running:
        return report.where(await profiling.run(running, 1_000, records))


CHAPTERS = (
    Chapter("throughput", "Throughput", _throughput),
    Chapter("vast", "A hundred thousand segments", _vast),
    Chapter("latency", "Accepted to announced", _latency),
    Chapter("reads", "Reads of the api", _reads),
    Chapter("memory", "Memory", _memory),
    Chapter("tail", "What the tail costs", _tail),
    Chapter("core", "The core alone", _core),
    Chapter("kinds", "By how much a fact keeps", _kinds),
    Chapter("hot", "What a hot profile costs", _hot),
    Chapter("many", "Many segments", _many),
    Chapter("backfill", "A new segment over a long history", _backfill),
    Chapter("storm", "A storm of due times", _storm),
    Chapter("neighbours", "Noisy neighbours", _neighbours),
    Chapter("audience", "A campaign's audience", _audience),
    Chapter("notify", "Webhooks", _notify),
    Chapter("imports", "An import", _imports),
    Chapter("console", "The console's pages", _console),
    Chapter("profile", "Where the time goes", _profile),
)
