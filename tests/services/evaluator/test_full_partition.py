"""A partition that stands still, with all its room taken, holds up no other one of its worker."""

from __future__ import annotations

import sys

from livesegments.core.event import Event
from livesegments.wire.topics import partition_of
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

T = 1_700_000_000_000
STILL = """
import asyncio
from livesegments.evaluator import app
from livesegments.evaluator.commits.evaluation import Evaluation
record = Evaluation.record
async def standing(self, given):
    if self._partition.number == 0:
        await asyncio.Event().wait()
    await record(self, given)
Evaluation.record = standing
app.main()
"""
MORE = 1_000
"""Than an evaluator holds of one partition, in all its buffers."""


def event(number: int, profile: str) -> Event:
    return Event(f"e{number}", "w", profile, "order", T + number, {})


def profile_of(partition: int) -> str:
    return next(name for name in map(str, range(1_000)) if partition_of("w", name, PARTITIONS) == partition)


async def test_a_partition_that_stands_still_holds_up_no_other(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("ordered", '{"type":"event","name":"order"}')
    still = Evaluator(rig.stack, rig.folder / "still.log", "log")
    still.child.command = [sys.executable, "-c", STILL]
    still.child.start()
    rig.evaluators.append(still)
    await rig.until(still.ready)
    stuck, other = profile_of(0), profile_of(1)
    await rig.send([event(number, stuck) for number in range(MORE)], size=1)
    await rig.send([event(MORE, other)])

    async def applied() -> bool:
        return await rig.members("ordered") == {other}

    await rig.until(applied, timeout_s=30)
