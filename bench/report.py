"""The figures as a page: bench/RESULTS.md. Every number on it comes from the runs given."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import neighbours, reads, storm, tails
from bench.backfill import Backfilled
from bench.backfill import section as backfill_section
from bench.core import Core
from bench.kinds import Cost, table
from bench.latency import Latency
from bench.many import PROFILES, Many
from bench.many import table as many_table
from bench.memory import Bytes
from bench.path import Path_
from bench.profiling import Profile

WIDTH = 40


def machine() -> str:
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = found[0].split(":")[1].strip() if found else platform.processor()
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    return (
        f"{len(found)} × {model}, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    )


def commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def bar(value: float, most: float) -> str:
    return "█" * max(1, round(WIDTH * value / most)) if value else ""


def spread(values: Sequence[float]) -> str:
    return f"{median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


class Rates(NamedTuple):
    """What every round ran once. `interpreted`: the path at 1,000 segments without the native kernel, where it was
    built."""

    paths: dict[int, list[Path_]]
    interpreted: list[Path_]
    raw: list[float]
    naive: list[float]


def throughput(found: Rates) -> list[str]:
    raw, naive = found.raw, found.naive
    rates = {size: [run.events_per_s for run in runs] for size, runs in found.paths.items()}
    rows: list[tuple[str, Sequence[float]]] = [
        (f"(a) evaluator path, {size:,} segments", rates[size]) for size in rates
    ]
    sizes = sorted(rates)
    low, middle, high = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    interpreted = [run.events_per_s for run in found.interpreted]
    rows += [(f"(a) with the interpreted core, {middle:,} segments", interpreted)] if interpreted else []
    rows += [("(b) raw getmany + decode, one a record", raw), ("(c) naive Faust, 1,000 segments", naive)]
    most = max(median(values) for _, values in rows)
    lines = ["| | events/s: median (least to most) | |", "|---|---|---|"]
    lines += [f"| {name} | {spread(values)} | `{bar(median(values), most)}` |" for name, values in rows]
    lines += ["", "| ratio, round by round, median | wanted | measured |", "|---|---|---|"]
    ratios = [
        (f"(a) at {middle:,} ÷ (b)", "≥ 0.33", rates[middle], raw),
        (f"(a) at {middle:,} ÷ (c)", "≥ 10", rates[middle], naive),
        (f"(a) at {high:,} ÷ (a) at {low:,}", "≥ 0.8", rates[high], rates[low]),
    ]
    if interpreted:
        ratios.append(
            (f"(a) at {middle:,} ÷ (a) with the interpreted core", "≥ 5", rates[middle], interpreted)
        )
    for name, wanted, over, under in ratios:
        measured = median(a / b for a, b in zip(over, under, strict=True))
        lines.append(f"| {name} | {wanted} | {measured:.2f} |")
    return lines


def shares(stages: Mapping[str, float]) -> list[str]:
    total, most = sum(stages.values()) or 1.0, max(stages.values())
    return [
        f"| {stage} | {seconds / total:.0%} | `{bar(seconds, most)}` |"
        for stage, seconds in stages.items()
        if seconds
    ]


def replaced(text: str, section: Sequence[str]) -> str:
    """A page with another text of one section, which begins with its heading, and says when it was written."""
    heading, *lines = section
    before, found, behind = text.partition(f"{heading}\n")
    if not found:
        raise ValueError(f"the page has no section {heading!r}")
    when = f"Written by `make bench` or its word on {datetime.now(UTC):%Y-%m-%d}, commit {commit()}. Machine: {machine()}."
    rest = behind.partition("\n## ")
    new = "\n".join([heading, "", when, *lines])
    return f"{before}{new}" + (f"\n## {rest[2]}" if rest[1] else "")


def page(
    events: int, rounds: int, cores: Sequence[Core], rates: Rates, latencies: Sequence[Latency], where: Profile,
    profile_bytes: Bytes, costs: Sequence[Cost], answered: Sequence[reads.Reads], many: Many,
    history: Backfilled,
    rough: Mapping[str, storm.Storm], beside: list[neighbours.Phase],
    pairs: Sequence[tails.Pair],
) -> str:  # fmt: skip
    paths = rates.paths
    smallest, largest = min(paths), max(paths)
    flips = sorted(run.flipping for run in cores)
    lines = [
        "# Figures",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, commit {commit()}.",
        f"Machine: {machine()}.",
        f"{rounds} rounds, interleaved: in each, every contender once, alone on one core, the broker and",
        f"Redis on the other. {events:,} events, of which {flips[0]:.1%} to {flips[-1]:.1%}, by the number of",
        "segments, cause a transition (`bench/workload.py` says what they are).",
        "",
        "## Throughput",
        "",
        *throughput(rates),
        "",
        "## Accepted to announced",
        "",
        "HTTP request sent → transition read from `memberships`, 1,000 segments, one event a request.",
        "",
        "| events/s | timed | p50 | p99 | worst |",
        "|---|---|---|---|---|",
        *(
            f"| {run.per_s:,} | {run.timed:,} | {run.p50_ms:.1f} ms | {run.p99_ms:.1f} ms | {run.worst_ms:.1f} ms |"
            for run in latencies
        ),
        "",
        "Wanted: p50 ≤ 15 ms, p99 ≤ 60 ms.",
        "",
        *reads.section(answered),
        "",
        "## Memory",
        "",
        f"A profile with 10 facts and 20 memberships takes {profile_bytes.all_in:,.0f} bytes of Redis:",
        f"{profile_bytes.members:,.0f} its places in 20 member sets, {profile_bytes.state:,.0f} its state, and",
        f"{profile_bytes.due:,.0f} its due time.",
        "",
        "| segments | Redis, bytes a profile of the workload | evaluator, MB resident |",
        "|---|---|---|",
        *(
            f"| {size:,} | {median(run.redis_bytes_per_profile for run in paths[size]):,.0f} "
            f"| {median(run.resident_mb for run in paths[size]):,.0f} |"
            for size in sorted({smallest, *paths, largest})
        ),
        "",
        "## What the tail costs",
        "",
        "The evaluator's path at 1,000 segments with the tail of commits and without it, in turns",
        "(`python -m bench tail`). Wanted of events/s: ≥ 0.9.",
        "",
        *tails.table(pairs),
        "",
        "## The core alone",
        "",
        "CPU seconds of one process, no I/O.",
        "",
        "| segments | events/s | compile | events that flip | transitions an event, by the clock | bytes a state |",
        "|---|---|---|---|---|---|",
        *(
            f"| {run.segments:,} | {run.events_per_s:,.0f} | {run.compile_s * 1_000:,.0f} ms "
            f"| {run.flipping:.1%} | {run.transitions_per_event:.2f}, {run.clock_transitions_per_event:.2f} "
            f"| {run.bytes_per_profile:,.0f} |"
            for run in cores
        ),
        "",
        "## By how much a fact keeps",
        "",
        "One profile whose fact keeps n events, values or stamps, in order, as many leaving as coming",
        "(`bench/kinds.py`): the step alone, as within one record; with reading and writing the state, as in a",
        "record of one event; and where the event doesn't touch the fact. Wanted of the step: last ÷ first ≤ 3.",
        "",
        *table(costs),
        "",
        "## Many segments",
        "",
        f"A workspace of {many.segments:,} segments with {PROFILES:,} profiles, the api and one evaluator, each with",
        "all cores beside the broker and Redis (`bench/many.py`). One at a time over one connection, medians.",
        "",
        *many_table(many),
        "",
        *backfill_section(history),
        "## A storm of due times",
        "",
        "Very many profiles come due at one instant of the wall clock, while 200 live events a second come",
        "(`bench/storm.py`). From an event's record to its transition, with all cores for everybody. The broker",
        "has just been started (cold), and then there is a second storm in the same stack (warm).",
        "",
        *storm.table(rough),
        "",
        "## Noisy neighbours",
        "",
        f"{len(neighbours.OTHERS)} workspaces send one event a request; another sends {neighbours.TIMES} times what one of them",
        "sends, of many profiles and of one (`bench/neighbours.py`). HTTP request to transition.",
        "",
        *neighbours.table(beside),
        "",
        "## Where the time goes",
        "",
        "The evaluator's process while it works the backlog off at 1,000 segments. cProfile slows small",
        "functions more than large ones, so the core looks larger than it is.",
        "",
        "| stage | share | |",
        "|---|---|---|",
        *shares(where.stages),
        "",
        "By function, own time:",
        "",
        "```",
        where.functions.strip(),
        "```",
        "",
    ]
    return "\n".join(lines)
