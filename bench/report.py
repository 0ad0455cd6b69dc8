"""The figures as a page: bench/RESULTS.md. Every number on it comes from the runs given.

A page is sections by their headings, each with the day and the commit that it was measured at: one can be measured anew
without the others.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.core import Core
from bench.latency import Latency
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


@cache
def commit() -> str:
    """As the checkout is when it is asked first: the page itself changes it later."""
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


def vast(found: Rates) -> list[str]:
    """The path with very many segments beside the path with few."""
    few, many = min(found.paths), max(found.paths)
    rates = {size: [run.events_per_s for run in found.paths[size]] for size in (few, many)}
    ratio = median(over / under for over, under in zip(rates[many], rates[few], strict=True))
    return [
        "| | events/s: median (least to most) |",
        "|---|---|",
        *(f"| (a) evaluator path, {size:,} segments | {spread(each)} |" for size, each in rates.items()),
        "",
        "| ratio, round by round, median | wanted | measured |",
        "|---|---|---|",
        f"| (a) at {many:,} ÷ (a) at {few:,} | ≥ 0.5 | {ratio:.2f} |",
    ]


def shares_of_an_event(found: Rates) -> list[str]:
    """The evaluator and its processes of the archive share a core, and so do Redis and the broker."""
    named = [(f"{size:,} segments", runs) for size, runs in found.paths.items()]
    named += [("the interpreted core", found.interpreted)] if found.interpreted else []
    return [
        "| µs of CPU for an event of (a), medians | evaluator | its archive | Redis | broker | an event took |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {median(run.evaluator_us for run in each):.1f} | {median(run.archive_us for run in each):.1f} "
            f"| {median(run.store_us for run in each):.1f} | {median(run.broker_us for run in each):.1f} "
            f"| {median(1e6 / run.events_per_s for run in each):.1f} |"
            for name, each in named
        ),
    ]


def memory(found: Rates) -> list[str]:
    """What the path's runs took; the wanted ratio is of the evaluator's process."""
    paths = found.paths
    resident = {size: median(run.resident_mb for run in paths[size]) for size in sorted(paths)}
    lines = [
        "| segments | Redis, bytes a profile of the workload | evaluator, MB resident |",
        "|---|---|---|",
        *(
            f"| {size:,} | {median(run.redis_bytes_per_profile for run in paths[size]):,.0f} | {mb:,.0f} |"
            for size, mb in resident.items()
        ),
    ]
    if {100, 10_000} <= resident.keys():
        ratio = resident[10_000] / resident[100]
        lines += ["", f"The evaluator with 10,000 segments ÷ with 100: {ratio:.2f} (wanted: ≤ 1.5)."]
    return lines


def a_profile(found: Bytes) -> list[str]:
    return [
        f"A profile with 10 facts and 20 memberships takes {found.all_in:,.0f} bytes of Redis (wanted: ≤ 1,500):",
        f"{found.state:,.0f} its state, {found.members:,.0f} its places in 20 sets of members,",
        f"{found.ids:,.0f} its number, and {found.due:,.0f} its due time.",
    ]


def latencies(runs: Sequence[Latency]) -> list[str]:
    return [
        "HTTP request sent → transition read from `memberships`, 1,000 segments.",
        "",
        "| events/s | events a request | timed | p50 | p99 | worst |",
        "|---|---|---|---|---|---|",
        *(
            f"| {run.per_s:,} | {run.at_once} | {run.timed:,} | {run.p50_ms:.1f} ms | {run.p99_ms:.1f} ms | {run.worst_ms:.1f} ms |"
            for run in runs
        ),
        "",
        "Wanted: p50 ≤ 15 ms, p99 ≤ 60 ms; at 5,000 events/s p99 ≤ 50 ms.",
    ]


def cores(runs: Sequence[Core]) -> list[str]:
    return [
        "The interpreted core. CPU seconds of one process, no I/O.",
        "",
        "| segments | events/s | compile | events that flip | transitions an event, by the clock | bytes a state |",
        "|---|---|---|---|---|---|",
        *(
            f"| {run.segments:,} | {run.events_per_s:,.0f} | {run.compile_s * 1_000:,.0f} ms "
            f"| {run.flipping:.1%} | {run.transitions_per_event:.2f}, {run.clock_transitions_per_event:.2f} "
            f"| {run.bytes_per_profile:,.0f} |"
            for run in runs
        ),
    ]


def where(found: Profile) -> list[str]:
    return [
        "The evaluator's process while it works the backlog off at 1,000 segments. cProfile slows small",
        "functions more than large ones, so the core looks larger than it is.",
        "",
        "| stage | share | |",
        "|---|---|---|",
        *shares(found.stages),
        "",
        "By function, own time:",
        "",
        "```",
        found.functions.strip(),
        "```",
    ]


def shares(stages: Mapping[str, float]) -> list[str]:
    total, most = sum(stages.values()) or 1.0, max(stages.values())
    return [
        f"| {stage} | {seconds / total:.0%} | `{bar(seconds, most)}` |"
        for stage, seconds in stages.items()
        if seconds
    ]


HEAD = """# Figures

Each section says when it was measured, and at which commit (`make bench`, or `make bench ARGS='--only storm'` for one).
"""


def sections(page: str) -> dict[str, str]:
    """The sections of a page, by their headings."""
    _, *parts = f"\n{page}".split("\n## ")
    return {heading: text.strip() for heading, _, text in (part.partition("\n") for part in parts)}


def measured(lines: Sequence[str]) -> str:
    """The text of a section that was measured just now."""
    return "\n".join([f"*{datetime.now(UTC):%Y-%m-%d}, commit {commit()}; {machine()}.*", "", *lines]).strip()


def page(found: Mapping[str, str], order: Sequence[str]) -> str:
    """Its sections in this order; those that nobody measured are left out."""
    return "\n".join(
        [HEAD, *(f"## {heading}\n\n{found[heading]}\n" for heading in order if heading in found)]
    )
