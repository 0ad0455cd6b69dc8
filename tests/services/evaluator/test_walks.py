"""A walk gives way: a chunk of it is judged in slices, between which the event loop goes round."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from livesegments.evaluator.commits.pace import CALM_S, Pace
from livesegments.evaluator.history.portion import LEAST, SLICE_S
from livesegments.evaluator.plans.walks import Walks

EACH_S = SLICE_S / 8
"""What judging one profile takes of the processor."""


@pytest.mark.parametrize("calm", [False, True])
def test_a_chunk_is_judged_in_slices_of_what_may_be_taken_without_a_pause(calm: bool) -> None:
    worked_s, rounds = 0.0, 0
    slices: list[tuple[list[str], int]] = []

    def walk(
        workspace: str,
        stored: Mapping[str, bytes],
        concern: Any,
        also: Any,
        before: Sequence[Mapping[str, bytes]],
    ) -> int:
        nonlocal worked_s
        assert [id_ for each in before for id_ in each] == [id_ for ids, _ in slices for id_ in ids]
        worked_s += EACH_S * len(stored)
        slices.append((list(stored), rounds))
        return len(stored)

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def main() -> None:
        pace = Pace(500, 100, lambda: CALM_S / 2, lambda: worked_s)
        if calm:
            pace.now_s = lambda: 10 * CALM_S
        else:
            pace.heard()
        ports: Any = SimpleNamespace(
            plans=None, shard=None, publisher=None, options=SimpleNamespace(chunk=500), pace=pace
        )
        partition: Any = SimpleNamespace(walk=walk)
        walks = Walks(ports, partition, None, lambda: None)  # type: ignore[arg-type]
        beside = asyncio.create_task(others())
        stored = {f"p{at}": b"" for at in range(300)}
        assert await walks._judge("w", stored, None, ()) == 300
        beside.cancel()
        assert [id_ for ids, _ in slices for id_ in ids] == list(stored)

    asyncio.run(main())
    sizes, seen = [len(ids) for ids, _ in slices], [at for _, at in slices]
    if calm:
        assert len(sizes) <= 5
    else:
        assert seen == sorted(set(seen)), "others had a turn between any two slices"
        assert max(sizes[8:]) * EACH_S <= 1.1 * SLICE_S and min(sizes[:-1]) >= LEAST
