"""A storm: very many profiles come due at one instant of the wall clock, while live events come.

`python -m bench storm`, with `--against TREE` in turn with the services of another checkout of the product.

The live events are new profiles' first ones and enter a segment. Timed is from an event's record going to
the broker until its transition is read from `memberships`: quietly before the storm, and within it, from
the instant of the dues until the last of them is announced.

A stack that was just started has two storms. The first one is cold: the broker's Java still compiles what it
runs. In the second one the broker is warm, as it is in a stack that runs for days.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import msgspec
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from bench import harness
from bench.hearing import hearing
from bench.used import Watch, cpu_s
from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.store import keys
from livesegments.wire import catalog, pack
from livesegments.wire.topics import DEFINITIONS, EVENTS

WORKSPACE = "storm"
STORMS = ("cold", "warm")
AHEAD_MS = 25_000
"""Milliseconds from the first event to the storm: for loading the profiles, and for the quiet before it."""
QUIET_S = 8.0
"""Live events begin this many seconds before the storm."""
LIVE = '{"type":"event","name":"live"}'
STORED = '{"type":"event","name":"stored","window":{"last":"25s"}}'
ROOTS = ("shared", "services/ingest", "services/evaluator", "services/api", "services/notify")


class Spent(NamedTuple):
    """What a process takes of the processor: of a core without a storm and within it, and microseconds for a due time
    beyond what it would have taken without one."""

    quiet: float
    storm: float
    each_us: float


class Storm(NamedTuple):
    """Milliseconds, but for `drained_s` and the four after `dues`: how long the evaluator fired due times, rested for
    other work, and waited for the store and for the next turn. `spent`: by what a process is for."""

    quiet_p50: float
    quiet_p99: float
    storm_p50: float
    storm_p99: float
    drained_s: float
    timed: int
    dues: int
    firing_s: float
    loop_s: float
    store_s: float
    turn_s: float
    spent: Mapping[str, Spent] = {}


async def run(running: Stack, dues: int, per_s: int) -> dict[str, Storm]:
    """One after the other, by their names in `STORMS`."""
    await _define(running)
    with TemporaryDirectory() as folder:
        evaluator = harness.service("evaluator", running, Path(folder), "wall")
        await evaluator.start()
        try:
            await evaluator.ready(print)
            assert evaluator.child is not None
            watch = Watch(running, [evaluator.child.pid])
            storms: dict[str, Storm] = {}
            for name in STORMS:
                due_ms = await _store(running, dues, name)
                before = await _spent(evaluator)
                measured = await _measure(running, watch, dues, due_ms, per_s, name)
                after = await _spent(evaluator)
                spent = [now - then for now, then in zip(after, before, strict=True)]
                storms[name] = measured._replace(
                    firing_s=spent[0], loop_s=spent[1], store_s=spent[2], turn_s=spent[3]
                )
            return storms
        finally:
            await evaluator.stop()


async def _spent(evaluator: Service) -> list[float]:
    """The last fields of `Storm`, of all storms until now."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{evaluator.url}/metrics")).text
    found = dict(
        re.findall(r'^livesegments_evaluator_storm_seconds_total\{on="(\w+)"\} (\S+)', text, re.MULTILINE)
    )
    return [float(found.get(on, 0)) for on in ("firing", "loop", "store", "turn")]


async def _define(running: Stack) -> None:
    entries: list[catalog.Entry] = [catalog.Workspace(WORKSPACE, "Storm", "UTC", 0)]
    for name, text in (("live", LIVE), ("stored", STORED)):
        node = msgspec.json.decode(text, type=Node)
        entries.append(catalog.Segment(WORKSPACE, name, name, 1, 1, 0, 0, node))
    async with harness.producer(running) as out:
        for entry in entries:
            await out.send(DEFINITIONS, catalog.encode(entry), key=catalog.key_of(entry).encode())
        await out.flush()


async def _store(running: Stack, dues: int, storm: str) -> int:
    """Stores the profiles, and returns the instant at which all of them fall due."""
    now_ms = time.time_ns() // 1_000_000
    ids = (f"{storm}-{n}" for n in range(dues))
    events = (Event(id_, WORKSPACE, id_, "stored", now_ms, {}) for id_ in ids)
    await harness.preload(running, harness.packed(events))
    async with Redis.from_url(running.redis) as redis:
        while True:
            stored = sum([await redis.zcard(keys.due(p)) for p in range(harness.PARTITIONS)])
            left_s = (now_ms + AHEAD_MS) / 1_000 - time.time()
            if left_s < QUIET_S:  # later on they fire, and there are never as many at once
                raise RuntimeError(f"{stored:,} dues are stored {left_s:.1f} s before the storm: take fewer")
            if stored >= dues:
                break
            await asyncio.sleep(0.1)
    return now_ms + AHEAD_MS


async def _measure(running: Stack, watch: Watch, dues: int, due_ms: int, per_s: int, storm: str) -> Storm:
    sent: dict[str, float] = {}
    took: dict[str, float] = {}
    exits = 0
    drained = asyncio.Event()
    producer = AIOKafkaProducer(bootstrap_servers=running.kafka, acks="all", linger_ms=0)
    await producer.start()

    async def hear(listening: asyncio.Future[None]) -> None:
        nonlocal exits
        async with hearing(running.kafka, harness.PARTITIONS) as heard:
            listening.set_result(None)
            async for each in heard:
                exits += each.exited
                for name in each.entered:
                    if name in sent:
                        took[name] = each.at_s - sent[name]
                if exits >= dues:
                    drained.set()

    def mark() -> tuple[float, dict[str, float]]:
        return time.time(), {**watch.cpu_s(), "this bench": cpu_s(os.getpid())}

    listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    heard = asyncio.create_task(hear(listening))
    await asyncio.wait([listening, heard], return_when=asyncio.FIRST_COMPLETED)
    number, ended_s, marks = 0, 0.0, list[tuple[float, dict[str, float]]]()
    started, due_s = due_ms / 1_000 - QUIET_S, due_ms / 1_000
    begun_s = started + 1
    await asyncio.sleep(max(0, started - time.time()))
    while not ended_s or time.time() < ended_s + 1:
        if heard.done():
            heard.result()
        number += 1
        await asyncio.sleep(max(0, started + number / per_s - time.time()))
        name = f"live-{storm}-{number}"
        event = Event(name, WORKSPACE, name, "live", time.time_ns() // 1_000_000, {})
        sent[name] = time.time()
        await producer.send(EVENTS, pack.encode(pack.Packed([event])), partition=harness.home(event))
        if len(marks) < 2 and time.time() >= (begun_s, due_s)[len(marks)]:
            marks.append(mark())
        if drained.is_set() and not ended_s:
            marks.append(mark())
            ended_s = time.time()
    async with asyncio.timeout(60):
        while len(took) < len(sent):
            await asyncio.sleep(0.05)
    heard.cancel()
    await asyncio.gather(producer.stop(), heard, return_exceptions=True)
    quiet = [1_000 * took[name] for name, at in sent.items() if begun_s < at < due_s - 0.1]
    within = [1_000 * took[name] for name, at in sent.items() if due_s <= at < ended_s]
    calm, rough = quantiles(quiet, n=100), quantiles(within, n=100)
    return Storm(
        calm[49], calm[98], rough[49], rough[98], ended_s - due_s, len(within), dues, 0, 0, 0, 0,
        _shares(marks, dues),
    )  # fmt: skip


def _shares(marks: Sequence[tuple[float, Mapping[str, float]]], dues: int) -> dict[str, Spent]:
    """`marks`: instants and the CPU seconds of every process until then, before the quiet, between, and at the end."""
    (begun_s, first), (due_s, second), (ended_s, third) = marks
    shares = {}
    for role in first:
        quiet = (second[role] - first[role]) / (due_s - begun_s)
        in_storm_s, took_s = third[role] - second[role], ended_s - due_s
        shares[role] = Spent(quiet, in_storm_s / took_s, (in_storm_s - quiet * took_s) / dues * 1e6)
    return shares


@contextmanager
def _services_of(tree: str | None) -> Iterator[None]:
    """The services that are started within are those of another checkout."""
    if tree is None:
        yield
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(tree) / root) for root in ROOTS)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]


async def compare(dues: int, per_s: int, rounds: int, trees: Sequence[str | None]) -> None:
    """Prints a line a storm, and the medians of every tree; None is this one."""
    results: dict[tuple[str, str], list[Storm]] = {}
    for _ in range(rounds):
        for tree in trees:
            with _services_of(tree):
                async with harness.fresh_stack(harness.EVERY) as running:
                    storms = await run(running, dues, per_s)
            for name, storm in storms.items():
                of = "other" if tree else "this", name
                results.setdefault(of, []).append(storm)
                fields = [(field, value) for field, value in storm._asdict().items() if field != "spent"]
                print(*of, *(f"{field} {value:,.1f}" for field, value in fields), flush=True)
    for of, found in results.items():
        ratio = median(each.storm_p99 / each.quiet_p99 for each in found)
        rate = median(dues / each.drained_s for each in found)
        quiet, rough = median(each.quiet_p99 for each in found), median(each.storm_p99 for each in found)
        print(
            *of,
            f"p99 quiet {quiet:.1f} ms, in the storm {rough:.1f} ms, storm ÷ quiet {ratio:.1f}; "
            f"drained {rate:,.0f} dues/s",
        )
        for role in found[0].spent:
            spent = [each.spent[role] for each in found]
            cores = [median(getattr(each, field) for each in spent) for field in ("quiet", "storm")]
            each_us = median(each.each_us for each in spent)
            print(
                f"    {role}: {cores[0]:.2f} of a core, in the storm {cores[1]:.2f}; {each_us:.1f} µs a due time"
            )


def table(storms: Mapping[str, Storm]) -> list[str]:
    lines = [
        "| live events, p50 and p99 | quiet | during the storm | p99 ÷ quiet | wanted | drained a second |"
    ]
    lines.append("|---|---|---|---|---|---|")
    for name, run in storms.items():
        quiet = f"{run.quiet_p50:.1f}, {run.quiet_p99:.1f} ms"
        rough = f"{run.storm_p50:.1f}, {run.storm_p99:.1f} ms"
        ratio, rate = run.storm_p99 / run.quiet_p99, run.dues / run.drained_s
        lines.append(
            f"| {name} broker, {run.dues:,} due times | {quiet} | {rough} | {ratio:.1f} | ≤ 2 | {rate:,.0f} |"
        )
    return lines
