"""A key is looked up once a second, however many requests have it."""

import asyncio

from livesegments.ingest.access import KNOWN_MS, Memory


async def test_a_burst_costs_one_look_up_and_an_answer_grows_old() -> None:
    asked: list[str] = []
    now = [0]

    async def find(name: str) -> str:
        asked.append(name)
        await asyncio.sleep(0)
        return name.upper()

    memory = Memory(find, lambda: now[0])
    assert await asyncio.gather(*(memory.get("a") for _ in range(500))) == ["A"] * 500
    assert await memory.get("a") == "A" and asked == ["a"]
    now[0] = KNOWN_MS
    assert await memory.get("a") == "A" and asked == ["a", "a"]
