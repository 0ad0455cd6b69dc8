"""`make chaos`: CDNOW in full, replayed at speed while workers, Valkey and Kafka die and a zombie walks.

Ends with status 0 only if after each replay every segment is equal, member by member, to what SQL over the
raw file says, and no transition was lost, doubled under another content, or out of its order.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.scenario import Chaos, Fault, kill_kafka, kill_valkey, kill_worker, trial, zombie

TRIALS: dict[str, Sequence[Fault]] = {
    "ten workers killed": [kill_worker] * 10,
    "Valkey killed three times": [kill_valkey] * 3,
    "Kafka killed three times": [kill_kafka] * 3,
    "a zombie, twice": [zombie] * 2,
}


async def attempt(name: str, faults: Sequence[Fault], console: Console) -> bool:
    columns = TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress, tempfile.TemporaryDirectory() as folder:
        bar = progress.add_task(name, total=len(faults) + 1)
        counted = [_counted(fault, progress, bar) for fault in faults]
        try:
            comparisons, refused = await trial(Path(folder), counted, progress.console.print)
        except (AssertionError, TimeoutError) as error:
            console.print(f"[red]{name}: {error!r}")
            return False
        progress.advance(bar)
    table = Table("segment", "members", "recomputed", "equal", title=name)
    for each in comparisons:
        verdict = "[green]yes" if each.equal else "[red]NO"
        table.add_row(each.segment, str(each.members), str(each.recomputed), verdict)
    console.print(table)
    good = all(each.equal for each in comparisons)
    if zombie in faults:
        console.print(f"the fence refused {refused:.0f} commits of the zombie")
        good = good and refused > 0
    return good


def _counted(fault: Fault, progress: Progress, bar: TaskID) -> Fault:
    async def strike(chaos: Chaos) -> None:
        await fault(chaos)
        progress.advance(bar)

    return strike


async def main() -> int:
    console = Console()
    failed = [name for name, faults in TRIALS.items() if not await attempt(name, faults, console)]
    console.print(f"[red]failed: {', '.join(failed)}" if failed else "[green]all equal")
    return 1 if failed else 0


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the deaths are on purpose
    sys.exit(asyncio.run(main()))
