"""A receiver that is away for an hour, by a clock that is moved; two workers of which one dies."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import httpx
import pytest

from livesegments.notify import app
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from tests.services.notify.rig import LOOK_S, PARTITIONS, Message, Receiver, Rig, receiving, until
from tests.services.notify.test_notify import in_order

HOUR_MS = 3_600_000
STEPS = 3


async def test_a_receiver_that_is_away_for_an_hour_hears_everything_and_delays_nobody(
    rig: Rig, receiver: Receiver, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More is announced in the hour than a lane has in memory, so the rest of it waits in the topic."""
    ahead_ms = 0
    monkeypatch.setattr(app, "wall_ms", lambda: int(time.time() * 1_000) + ahead_ms)
    away = {"on": True}

    async def answer(_: Message) -> int:
        return 503 if away["on"] else 200

    async with receiving() as quick:
        receiver.answer = answer
        receiver.clock_is_ours = quick.clock_is_ours = False
        await rig.subscribe("away", receiver.url)
        await rig.subscribe("quick", quick.url)
        faults: list[BaseException] = []
        settings = Settings(
            kafka=stack.kafka, redis=stack.redis, data=str(tmp_path), notify_hosts="127.0.0.1"
        )
        async with app.serving(settings, faults.append) as address:
            async with asyncio.timeout(60), httpx.AsyncClient() as client:
                while (await client.get(f"{address}/readyz")).status_code != 200:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)
            told = rig.story(2_400, 80)
            for step in range(STEPS):
                some = told[step * len(told) // STEPS : (step + 1) * len(told) // STEPS]
                await rig.announce(*some)
                ids = {each.id for each in some}
                await until(lambda ids=ids: ids <= set(quick.ids))  # type: ignore[misc]
                tried = len(receiver.heard)
                ahead_ms += HOUR_MS // STEPS
                await until(lambda tried=tried: len(receiver.heard) > tried)  # type: ignore[misc]
            assert receiver.taken == []
            away["on"] = False
            ahead_ms += HOUR_MS
            await until(lambda: len(receiver.ids) == len(told))
        assert faults == []
    in_order(told, receiver.ids)
    in_order(told, quick.ids)
    dead = [await rig.redis.llen(keys.notify_dead(number, "shop", "away")) for number in range(PARTITIONS)]
    assert sum(dead) == 0


async def test_of_two_workers_that_share_the_partitions_one_dies_and_nothing_is_lost(
    rig: Rig, receiver: Receiver
) -> None:
    async def answer(message: Message) -> int:
        """Some fail, once: after another failure they would wait for five minutes."""
        first_time = sum(each.id == message.id for each in receiver.heard) == 1
        return 500 if first_time and hash(message.id) % 9 == 0 else 200

    receiver.answer = answer
    await rig.subscribe("all", receiver.url)
    first, _ = rig.start(), rig.start()
    await rig.ready()

    async def shares() -> list[int]:
        found = []
        async with httpx.AsyncClient() as client:
            for _, port in rig.children:
                text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                number = re.search(r"^livesegments_notify_partitions (\S+)$", text, re.MULTILINE)
                found.append(int(float(number[1])) if number else 0)
        return found

    async with asyncio.timeout(60):
        while (now := await shares()) != [PARTITIONS // 2, PARTITIONS // 2]:
            assert sum(now) <= PARTITIONS
            await asyncio.sleep(LOOK_S)
    told = rig.story(800, 40)
    await rig.announce(*told[:400])
    await until(lambda: len(receiver.taken) > 50)
    await first.kill()
    await rig.announce(*told[400:])
    await until(lambda: len(receiver.ids) == len(told))
    in_order(told, receiver.ids)
    bodies: dict[str, str] = {}
    for message in receiver.heard:
        assert bodies.setdefault(message.id, str(message.body)) == str(message.body)
    assert all(message.id == message.ids[0] for message in receiver.heard)
