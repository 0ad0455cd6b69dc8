"""Whose turn it is in a storm, and the dues in memory."""

from __future__ import annotations

import asyncio
import random

from livesegments.evaluator.dues import Dues
from livesegments.evaluator.pace import UNDER_WAY, Pace
from livesegments.wire.profilekey import ProfileKey
from tests.simulation.loop import run


def test_one_partition_at_a_time_fires_and_the_next_is_woken() -> None:
    async def main() -> None:
        pace, woken = Pace(400, 100), list[str]()
        assert pace.take(lambda: woken.append("a"))
        assert not pace.take(lambda: woken.append("b"))
        assert not woken
        pace.give()
        assert woken == ["b"]

    run(main())


def test_chunks_that_the_store_has_not_applied_hold_the_next_one_back() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        pace, woken = Pace(400, 100), list[str]()
        replies = [loop.create_future() for _ in range(UNDER_WAY)]
        for reply in replies:
            assert pace.take(lambda: None)
            pace.give(reply)
        assert not pace.take(lambda: woken.append("next"))
        replies[0].set_result(True)
        await asyncio.sleep(0)
        assert woken == ["next"]
        assert pace.take(lambda: None)

    run(main())


def test_a_storm_rests_for_records_that_wait_and_no_longer_than_its_last_chunk_took() -> None:
    async def main() -> None:
        pace, rested = Pace(400, 100), asyncio.Event()
        pace.came()
        assert pace.chunk == 100
        assert pace.take(rested.set)
        await asyncio.sleep(0.003)
        pace.give()
        assert not pace.take(rested.set), "records wait, and the storm has just had its turn"
        await rested.wait()
        assert pace.take(rested.set), "they still wait, but the storm has rested"
        pace.give()

    run(main())


def test_a_storm_rests_for_records_on_their_way_to_a_partition() -> None:
    async def main() -> None:
        pace, rested = Pace(400, 100), asyncio.Event()
        assert pace.take(rested.set)
        pace.coming()
        assert pace.chunk == 100
        await asyncio.sleep(0.003)
        pace.give()
        assert not pace.take(rested.set), "they were read from the broker"
        await rested.wait()
        assert pace.take(rested.set), "they never came: a rebalance took them"
        pace.give()
        pace.came()
        pace.went()
        assert pace.take(rested.set), "they came and went"

    run(main())


def test_a_storm_goes_on_at_once_when_no_record_waits() -> None:
    async def main() -> None:
        pace, woken = Pace(400, 100), list[str]()
        pace.came()
        assert pace.take(lambda: None)
        await asyncio.sleep(0.003)
        pace.give()
        assert not pace.take(lambda: woken.append("a"))
        pace.went()
        assert woken == ["a"]
        assert pace.take(lambda: None)
        pace.give()
        await asyncio.sleep(1)
        assert pace.chunk == 400, "no events come any more"

    run(main())


def test_dues_come_out_as_those_of_a_sorted_list_would() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        names = [ProfileKey(f"p{n}") for n in range(30)]
        reference = {name: rng.randrange(20) for name in names if rng.random() < 0.7}
        dues = Dues(1_000)
        dues.load(sorted((due, name) for name, due in reference.items()), complete=True)
        for _ in range(120):
            name, until, limit = rng.choice(names), rng.randrange(20), rng.randrange(1, 8)
            ordered = sorted((due, name) for name, due in reference.items() if due <= until)
            match rng.randrange(5):
                case 0:
                    due = rng.choice((None, rng.randrange(20)))
                    dues.put(name, due)
                    reference.pop(name, None)
                    if due is not None:
                        reference[name] = due
                case 1:
                    assert dues.first(until, limit) == ordered[:limit], seed
                case 2:
                    found = dues.keys(until, limit)
                    assert len(found) == len(set(found)) == min(limit, len(ordered)), seed
                    assert set(found) <= {name for _, name in ordered}, seed
                case 3:
                    entry = dues.pop(until)
                    assert entry == (ordered[0] if ordered else None), seed
                    if entry is not None:
                        del reference[entry[1]]
                case _:
                    assert dues.next() == min(reference.values(), default=None), seed
