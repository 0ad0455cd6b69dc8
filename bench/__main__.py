"""`make bench`: every figure, into bench/RESULTS.md and from there into README.md.

`--quick` takes small runs; give it `--out`, so that they don't stand for the real ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from bench import (
    audience,
    backfill,
    checking,
    console,
    core,
    harness,
    hot,
    importing,
    kernel,
    kinds,
    latency,
    many,
    memory,
    neighbours,
    notify,
    path,
    profiling,
    readme,
    reads,
    report,
    storm,
    tails,
    workload,
)
from livesegments.core.event import Event
from livesegments.evaluator.kernel import native
from livesegments.wire.topics import INBOUND

SIZES = (10, 100, 1_000, 10_000)
RESULTS = Path(__file__).parent / "RESULTS.md"

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    quick: Annotated[bool, typer.Option(help="Small runs: shows that it works, not how fast.")] = False,
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = RESULTS,
) -> None:
    """All figures, side by side in one run."""
    if context.invoked_subcommand is None:
        page = asyncio.run(_everything(quick))
        out.write_text(page)
        if out == RESULTS:
            readme.refresh(page)
        Console(stderr=True).print(f"written to {out}")


@app.command("kernel")
def only_kernel(segments: int = 1_000, events: int = 40_000) -> None:
    """The native kernel beside the interpreted core, by CPU time."""
    print(kernel.run(segments, events))


@app.command("core")
def only_core(segments: int = 1_000, events: int = 100_000) -> None:
    """The core alone, with a profile of it."""
    print(core.run(segments, events))
    print(core.profile(segments, events))


@app.command("tail")
def only_tail(segments: int = 1_000, events: int = 150_000, rounds: int = 3) -> None:
    """What the tail of commits costs the path, in pairs."""
    print("\n".join(tails.table(asyncio.run(tails.run(segments, events, rounds)))))


@app.command("kinds")
def only_kinds() -> None:
    """What an event costs by how much its fact keeps."""
    print("\n".join(kinds.table(kinds.run())))


@app.command("hot")
def only_hot() -> None:
    """What a hot profile costs a partition by how much its fact keeps."""
    print("\n".join(hot.table(hot.run())))


@app.command("imports")
def only_imports(rows: int = 100_000) -> None:
    """How long a CSV file takes until all of its rows are members."""
    print("\n".join(importing.table(importing.run(rows))))


@app.command("backfill")
def only_backfill(
    profiles: int = 100_000,
    peer: Annotated[
        Path | None, typer.Option(help="An interpreter with chdb and redis, for the same by a query.")
    ] = None,
    workers: int = 1,
    per_s: Annotated[int, typer.Option(help="Live events a second meanwhile.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="The page of figures whose section is replaced, too.")
    ] = None,
) -> None:
    """How long a new segment takes over a long history, and what making the store anew takes."""

    async def run() -> backfill.Backfilled:
        async with harness.fresh_stack(harness.EVERY) as running:
            return await backfill.run(running, profiles, peer, workers, per_s)

    section = backfill.section(asyncio.run(run()))
    print("\n".join(section))
    if out is not None:
        out.write_text(report.replaced(out.read_text(), section))


@app.command("reads")
def only_reads(
    rounds: int = 3,
    seconds: float = 5.0,
    against: Annotated[Path | None, typer.Option(help="In turn with the api of this checkout.")] = None,
) -> None:
    """What one api process answers on one core."""
    for name, runs in asyncio.run(reads.compared(rounds, seconds, against)).items():
        print("\n".join(reads.table(runs, name)))


@app.command("audience")
def only_audience(profiles: int = 1_000_000) -> None:
    """A sender freezes an audience and reads all its pages, with addresses."""

    async def run() -> audience.Sent:
        async with harness.fresh_stack(harness.EVERY) as running:
            return await audience.run(running, profiles)

    print("\n".join(audience.table(asyncio.run(run()))))


@app.command("console")
def only_console(segments: int = 10_000, members: int = 100_000, rounds: int = 3) -> None:
    """How long the console's pages take in a browser."""

    async def run() -> list[console.Painted]:
        async with harness.fresh_stack(harness.EVERY) as running:
            return await console.run(running, segments, members, rounds)

    print("\n".join(console.table(asyncio.run(run()))))


@app.command("notify")
def only_notify(deliveries: int = 30_000, rounds: int = 3) -> None:
    """What one notify process delivers to a local receiver on one core."""

    async def run() -> list[tuple[float, float]]:
        return [await notify.run(deliveries) for _ in range(rounds)]

    print("\n".join(notify.table(asyncio.run(run()))))


@app.command("storm")
def only_storm(dues: int = 200_000, per_s: int = 200, rounds: int = 3, against: Path | None = None) -> None:
    """Live events beside very many due times; `--against` a second checkout, in turn with its services."""
    trees: list[str | None] = [None] if against is None else [str(against), None]
    asyncio.run(storm.compare(dues, per_s, rounds, trees))


@app.command("neighbours")
def only_neighbours(per_s: int = 25, seconds: float = 10.0) -> None:
    """Workspaces beside one that sends twenty times as much, and beside one hot profile."""
    phases = asyncio.run(_neighbours(per_s, seconds))
    print("\n".join(neighbours.table(phases)))
    print(*(f"{each.name}: {each.statuses}" for each in phases if each.statuses), sep="\n")


async def _neighbours(per_s: int, seconds: float) -> list[neighbours.Phase]:
    async with harness.fresh_stack(harness.EVERY) as running:
        return await neighbours.run(running, per_s, seconds)


async def _storm(dues: int, per_s: int) -> dict[str, storm.Storm]:
    async with harness.fresh_stack(harness.EVERY) as running:
        return await storm.run(running, dues, per_s)


@app.command("check")
def only_check() -> None:
    """Processor time of the check for the worst definitions within the bounds."""
    for cost in checking.worst():
        print(f"{cost.cpu_ms:8.1f} ms  {cost.size:7,} bytes  {cost.faults:6,} faults  {cost.name}")


@app.command("many")
def only_many(segments: int = 10_000) -> None:
    """What one segment more costs among ten thousand, and all of them at once."""
    print("\n".join(many.table(asyncio.run(_many(segments)))))


async def _many(segments: int) -> many.Many:
    async with harness.fresh_stack(harness.EVERY) as running:
        return await many.run(running, segments)


async def _history(profiles: int, per_s: int) -> backfill.Backfilled:
    async with harness.fresh_stack(harness.EVERY) as running:
        return await backfill.run(running, profiles, per_s=per_s)


async def _rounds(
    rounds: int,
    naive_events: int,
    made: Sequence[Event],
    records: Sequence[tuple[int, int, bytes]],
    done: Callable[[str], None],
) -> report.Rates:
    single = [(harness.home(event), event.time_ms, msgspec.msgpack.encode(event)) for event in made]
    rates = report.Rates({size: [] for size in SIZES}, [], [], [])
    for _ in range(rounds):
        for size in SIZES:
            async with harness.fresh_stack() as running:
                rates.paths[size].append(await path.run(running, size, records, len(made)))
            done(f"path, {size:,} segments")
        if native.BUILT:
            async with harness.fresh_stack() as running:
                rates.interpreted.append(
                    await path.run(running, 1_000, records, len(made), core="interpreted")
                )
            done("path, interpreted core")
        async with harness.fresh_stack() as running:
            await harness.preload(running, single, INBOUND)
            rates.raw.append(await harness.contender("bench.raw", running.kafka, INBOUND, str(len(made))))
            done("raw")
            rates.naive.append(
                await harness.contender("bench.naive", running.kafka, INBOUND, str(naive_events), "1000")
            )
            done("naive")
    return rates


async def _everything(quick: bool) -> str:
    rounds = 1 if quick else 5
    events = 20_000 if quick else 300_000
    naive_events = 200 if quick else 1_500
    seconds = 2 if quick else 20
    made = list(workload.events(events))
    records = harness.packed(made)
    latencies = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("bench", total=rounds * (len(SIZES) + 2 + native.BUILT) + 13)

        def done(what: str) -> None:
            progress.update(task, advance=1, description=what)

        rates = await _rounds(rounds, naive_events, made, records, done)
        async with harness.fresh_stack() as running:
            where = await profiling.run(running, 1_000, records)
            done("profile")
        async with harness.fresh_stack() as running:
            profile_bytes = await memory.run(running)
            done("memory")
        for per_s in (200, 1_000):
            async with harness.fresh_stack(harness.EVERY) as running:
                latencies.append(await latency.run(running, 1_000, per_s, seconds))
                done(f"latency at {per_s:,}/s")
        cores = []
        for size in (SIZES[0], 1_000, SIZES[-1]):
            cores.append(core.run(size, events))
            done("core")
        answered = (await reads.compared(1 if quick else 3, seconds / 4, None))["this"]
        done("reads")
        costs = kinds.run((10, 100) if quick else kinds.SIZES)
        done("kinds")
        pairs = await tails.run(1_000, events, 1 if quick else rounds)
        done("tail")
        crowd = await _many(500 if quick else SIZES[-1])
        done("many segments")
        history = await _history(2_000 if quick else 100_000, 200 if quick else 2_000)
        done("backfill")
        rough = await _storm(5_000 if quick else 200_000, 200)
        done("storm")
        beside = await _neighbours(25, 3 if quick else 20)
        done("neighbours")
    return report.page(
        events, rounds, cores, rates, latencies, where, profile_bytes, costs, answered, crowd, history,
        rough, beside, pairs,
    )  # fmt: skip


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # a topic has no leader yet just after it is made
    app()
