"""Whose turn it is in a storm of due times."""

from __future__ import annotations

import asyncio

import pytest

from livesegments.evaluator.commits.pace import (
    CALM_S,
    QUIET_S,
    REST_ROUNDS,
    REST_S,
    ROUND_S,
    SLICE_S,
    Pace,
)
from livesegments.runtime import metrics


def still() -> float:
    return 0.0


def test_one_partition_at_a_time_and_the_next_is_woken() -> None:
    async def main() -> None:
        pace, woken = Pace(400, 25, still, still), list[str]()
        assert pace.take(lambda: woken.append("a"))
        assert not pace.take(lambda: woken.append("b"))
        assert not woken
        pace.give()
        assert woken == ["b"]

    asyncio.run(main())


def test_one_chunk_is_under_way_to_the_store() -> None:
    async def main() -> None:
        reply: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pace = Pace(400, 25, still, still)
        assert pace.take(lambda: None)
        await pace.landed()
        pace.give(reply)
        assert pace.take(lambda: None), "the next one is computed meanwhile"
        waiting = asyncio.create_task(pace.landed())
        await asyncio.sleep(0)
        assert not waiting.done()
        reply.set_result(True)
        await waiting

    asyncio.run(main())


def test_a_rest_ends_when_a_record_comes_for_the_partition_that_rests() -> None:
    async def main() -> None:
        now_s, records = 0.0, list[str]()

        def busy() -> float:
            nonlocal now_s
            now_s += QUIET_S * 2
            return now_s

        asyncio.get_running_loop().call_soon(records.append, "record")
        await Pace(400, 25, still, busy).rest(records)
        assert now_s < REST_S

    asyncio.run(main())


def test_a_storm_rests_until_the_event_loop_has_nothing_else_to_do() -> None:
    async def main() -> None:
        work = [QUIET_S * 2] * (REST_ROUNDS - 1)
        now_s = 0.0

        def later() -> None:
            nonlocal now_s
            if work:
                now_s += work.pop()
                asyncio.get_running_loop().call_soon(later)

        later()
        await Pace(400, 25, still, lambda: now_s).rest()
        assert not work

    asyncio.run(main())


@pytest.mark.parametrize(
    ("round_s", "rounds"), [(QUIET_S * 2, REST_ROUNDS), (REST_S * 2, 1)], ids=["short rounds", "long rounds"]
)
def test_a_storm_goes_on_beside_work_that_never_ends(round_s: float, rounds: int) -> None:
    async def main() -> None:
        went = 0

        def for_ever() -> None:
            nonlocal went
            went += 1
            asyncio.get_running_loop().call_soon(for_ever)

        asyncio.get_running_loop().call_soon(for_ever)
        await Pace(400, 25, still, lambda: went * round_s).rest()
        assert went == rounds

    asyncio.run(main())


def test_records_are_read_in_rounds_while_segments_are_built() -> None:
    now_s = [1_000.0]
    pace = Pace(400, 25, lambda: now_s[0], still)
    pace.fired()
    assert pace.round_s() == 0  # a storm reads what comes as it comes
    pace.built()
    assert pace.round_s() == ROUND_S
    now_s[0] += CALM_S
    assert pace.round_s() == 0


def test_a_slice_ends_by_the_clock_of_slices() -> None:
    async def main() -> None:
        now_s = worked_s = 0.0
        pace = Pace(400, 25, lambda: now_s, lambda: worked_s)
        now_s += 5
        assert not pace.tired
        worked_s += SLICE_S
        assert pace.tired
        await pace.rest()
        assert not pace.tired

    asyncio.run(main())


def test_where_the_time_of_a_storm_goes_is_counted() -> None:
    async def main() -> None:
        now_s = 100.0
        before = _spent()
        pace = Pace(400, 25, lambda: now_s, still)
        now_s += 50  # before the storm
        assert pace.take(lambda: None)
        now_s += 3
        await pace.rest_within()
        pace.fired()
        now_s += 0.25
        reply: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        reply.set_result(True)
        pace.give(reply)
        now_s += 0.5
        assert pace.take(lambda: None)
        await pace.landed()
        now_s += 1
        pace.give()
        now_s += 900  # after it
        assert pace.take(lambda: None)
        pace.give()
        assert [after - at for after, at in zip(_spent(), before, strict=True)] == [4.25, 0.0, 0.0, 0.5]

    asyncio.run(main())


def _spent() -> list[float]:
    name, ons = "livesegments_evaluator_storm_seconds_total", ("firing", "loop", "store", "turn")
    return [metrics.EVALUATOR.get_sample_value(name, {"on": on}) or 0.0 for on in ons]
