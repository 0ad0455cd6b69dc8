"""Who is urgent goes first; nobody's turn is lost."""

from __future__ import annotations

import asyncio

from livesegments.history.in_order import InOrder


async def test_who_is_urgent_goes_before_who_waits_and_cancelled_ones_hold_nobody_up() -> None:
    order, done, opened = InOrder(), list[str](), asyncio.Event()

    async def work(name: str, urgent: bool = False) -> None:
        async with order.turn(urgent):
            await opened.wait()
            done.append(name)

    first = asyncio.create_task(work("first"))
    await asyncio.sleep(0)
    names = ["a", "b", "c"]
    plain = [asyncio.create_task(work(name)) for name in names]
    await asyncio.sleep(0)
    urgent = [asyncio.create_task(work(name, urgent=True)) for name in ("now", "gone", "next")]
    await asyncio.sleep(0)
    urgent[1].cancel()
    plain[0].cancel()
    opened.set()
    await asyncio.wait([first, *plain, *urgent])
    assert done == ["first", "now", "next", "b", "c"]
    await work("again")


async def test_a_turn_that_comes_as_its_owner_is_cancelled_goes_on() -> None:
    order = InOrder()
    begun = asyncio.Event()

    async def hold() -> None:
        async with order.turn():
            begun.set()
            await asyncio.sleep(0)

    async def pass_by() -> None:
        async with order.turn():
            pass

    holder = asyncio.create_task(hold())
    await begun.wait()
    waiting, last = asyncio.create_task(pass_by()), asyncio.create_task(pass_by())
    holder.add_done_callback(lambda _: waiting.cancel())
    await asyncio.wait([waiting, last])
    assert not last.cancelled() and last.exception() is None
