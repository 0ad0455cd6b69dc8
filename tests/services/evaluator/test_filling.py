"""Chunks of a scan are given in portions of any size, every profile once."""

import asyncio
from random import Random

import pytest
from msgspec import Raw

from livesegments.core.wanted import History
from livesegments.evaluator.history.filling import Job
from livesegments.history.protocol import NULL, Filled
from livesegments.store.adoption import Filling


@pytest.mark.parametrize("seed", range(20))
def test_every_profile_is_taken_once_and_in_order(seed: int) -> None:
    random = Random(seed)
    profiles = [Filled(f"p{at:03}", Raw(b"\x90"), NULL) for at in range(60)]

    async def take_all() -> list[Filled]:
        job, left, taken = Job("w", Filling((1,)), {1: 0}, History({}, {})), list(profiles), list[Filled]()
        ended = False
        while True:
            while not ended and not job.chunks.full() and random.random() < 0.7:
                size = random.randrange(1, 9)
                chunk, left = left[:size], left[size:]
                job.chunks.put_nowait(((60 - len(left)) / 60, chunk) if chunk else None)
                ended = not chunk
            if not job.left and job.chunks.empty():
                continue
            if not job.left and not job.next():
                return taken
            size = random.randrange(1, 12)
            share, some = job.take(size)
            assert 0 < len(some) <= size
            taken += some
            assert 60 * share > len(taken) - 0.5

    assert asyncio.run(take_all()) == profiles
