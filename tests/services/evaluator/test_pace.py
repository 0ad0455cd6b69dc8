"""Whose turn it is in a storm of due times."""

from __future__ import annotations

import asyncio

from livesegments.evaluator.commits.pace import QUIET_S, REST_S, Pace


def still() -> float:
    return 0.0


def test_one_partition_at_a_time_and_the_next_is_woken() -> None:
    async def main() -> None:
        pace, woken = Pace(400, 25, still), list[str]()
        assert pace.take(lambda: woken.append("a"))
        assert not pace.take(lambda: woken.append("b"))
        assert not woken
        pace.give()
        assert woken == ["b"]

    asyncio.run(main())


def test_one_chunk_is_under_way_to_the_store() -> None:
    async def main() -> None:
        reply: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pace = Pace(400, 25, still)
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


def test_a_storm_rests_until_the_event_loop_has_nothing_else_to_do() -> None:
    async def main() -> None:
        work = [QUIET_S * 2] * 3
        now_s = 0.0

        def later() -> None:
            nonlocal now_s
            if work:
                now_s += work.pop()
                asyncio.get_running_loop().call_soon(later)

        later()
        await Pace(400, 25, lambda: now_s).rest()
        assert not work

    asyncio.run(main())


def test_a_storm_goes_on_beside_work_that_never_ends() -> None:
    async def main() -> None:
        now_s = 0.0

        def for_ever() -> None:
            nonlocal now_s
            now_s += QUIET_S * 2
            asyncio.get_running_loop().call_soon(for_ever)

        for_ever()
        await Pace(400, 25, lambda: now_s).rest()
        assert REST_S <= now_s <= 2 * REST_S

    asyncio.run(main())
