"""`make bench`: every figure, into bench/RESULTS.md and from there into README.md.

`--only storm` measures one chapter anew. `--quick` takes small runs; give it `--out`, so that they don't stand for the real ones.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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
    many,
    neighbours,
    notify,
    readme,
    reads,
    report,
    storm,
    tails,
)
from bench.chapters import CHAPTERS, QUICK, Chapter, Scale

RESULTS = Path(__file__).parent / "RESULTS.md"

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    quick: Annotated[bool, typer.Option(help="Small runs: shows that it works, not how fast.")] = False,
    out: Annotated[Path, typer.Option(help="The page; what isn't measured now stays in it.")] = RESULTS,
    only: Annotated[
        list[str] | None, typer.Option(help=f"A chapter: {', '.join(each.name for each in CHAPTERS)}.")
    ] = None,
) -> None:
    """All figures, chapter by chapter, each on the page as soon as it is measured."""
    if context.invoked_subcommand is not None:
        return
    chosen = [each for each in CHAPTERS if not only or each.name in only]
    if only and len(chosen) < len(set(only)):
        raise typer.BadParameter("no such chapter", param_hint="--only")
    if quick and out == RESULTS:
        raise typer.BadParameter("quick runs are no figures: give a page of their own", param_hint="--out")
    failed = _measured(chosen, QUICK if quick else Scale(), out)
    if out == RESULTS:
        readme.refresh(out.read_text())
    told = Console(stderr=True)
    told.print(f"written to {out}")
    if failed:
        told.print(f"not measured, so their figures are those of before: {', '.join(failed)}")
        raise typer.Exit(1)


def _measured(chosen: Sequence[Chapter], scale: Scale, out: Path) -> list[str]:
    """Writes each chapter as soon as it is there; gives the names of those that failed."""
    found = report.sections(out.read_text()) if out.exists() else {}
    failed = []
    report.commit()
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("bench", total=len(chosen))
        for chapter in chosen:
            progress.update(task, description=chapter.name)
            try:
                found[chapter.heading] = report.measured(asyncio.run(chapter.measure(scale)))
            except Exception:  # one chapter's fault takes nothing from the others
                traceback.print_exc()
                failed.append(chapter.name)
            out.write_text(report.page(found, [each.heading for each in CHAPTERS]))
            progress.advance(task)
    return failed


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
) -> None:
    """How long a new segment takes over a long history, and what making the store anew takes."""

    async def run() -> backfill.Backfilled:
        async with harness.fresh_stack(harness.EVERY) as running:
            return await backfill.run(running, profiles, peer, workers, per_s)

    print("\n".join(backfill.section(asyncio.run(run()))))


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


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # a topic has no leader yet just after it is made
    app()
