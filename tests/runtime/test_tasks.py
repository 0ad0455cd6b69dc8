"""Tasks that run for ever go on after a fault of ours, and end when they are cancelled."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from livesegments.runtime import tasks
from livesegments.runtime.tasks import cancelled


async def test_a_task_that_swallows_a_cancellation_ends_nevertheless() -> None:
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            with suppress(*([asyncio.CancelledError] if swallowed == 0 else [])):
                try:
                    await asyncio.sleep(3_600)
                finally:
                    swallowed += 1

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await cancelled([task])
    assert task.cancelled()
    assert swallowed == 2


async def test_what_is_over_already_is_left_as_it_is() -> None:
    async def fails() -> None:
        raise ValueError("a fault")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    await cancelled([task])
    assert repr(task.exception()) == "ValueError('a fault')"


async def test_what_a_fault_ended_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ANEW_S", 0.0)
    begun, going = 0, asyncio.Event()

    async def run() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise KeyError(begun)
        going.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(tasks.kept_going(run))
    await asyncio.wait_for(going.wait(), 60)
    assert begun == 3
    await cancelled([task])
    assert task.cancelled()
