"""A rule on the whole product: a new value becomes a segment without anybody asking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from livesegments.client import AsyncClient, Conflict, members, segment_rules, segments
from livesegments.client.request import Request
from livesegments.client.segment_rules import Rule
from tests.e2e.conftest import Product

PATIENCE_S = 60.0
TIME = "2024-03-02T00:00:00Z"
_numbers = count()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def live(product: Product, **plans: Any) -> None:
    events = [
        {"id": f"rule-{next(_numbers)}", "profile": who, "time": TIME, "attributes": {"seat": seat}}
        for who, seat in plans.items()
    ]
    sent = await product.run("send", "-", stdin="".join(f"{json.dumps(each)}\n" for each in events))
    assert sent.status == 0, sent.err


async def test_new_values_become_segments_by_themselves(product: Product) -> None:
    await live(product, ra="1A", rb="1B", rc=["1C"])
    await product.run("settle")
    async with AsyncClient(product.up["api"], product.up["api_key"]) as api:
        made = await api.send(segment_rules.create("seat", new_id="seats", most=4, folder="Seats"))
        assert (made.state, made.values, made.segments) == ("running", 2, 2)

        async def rule() -> Rule:
            return await api.send(segment_rules.read("seats"))

        async def who_sits() -> dict[str, list[str]]:
            found = await api.send(segments.page(folder="Seats", state="ready", limit=100))
            return {
                each.name: [one async for one in api.each(members.page(each.id))] for each in found.segments
            }

        async def are(**sitting: list[str]) -> None:
            wanted = {f"seat: {seat}": who for seat, who in sitting.items()}
            await until(lambda: _same(who_sits, wanted))

        await are(**{"1A": ["ra"], "1B": ["rb"], "others": []})
        await live(product, rd="2A", re=2.0, rb="2A")
        await are(**{"1A": ["ra"], "1B": [], "2A": ["rb", "rd"], "2.0": ["re"], "others": []})
        told = [each for each in await product.json("timeline", "re") if each["name"] == "$segment_entered"]
        assert {each["cause"] for each in told} == {"attribute", "definition"}, "others, then its own"

        assert (await rule()).state == "full"
        await live(product, rf="3A", rg=2)
        await until(lambda: _without(rule, 1))
        await api.send(segment_rules.edit("seats", paused=True, most=10))
        assert ((await rule()).state, (await rule()).segments) == ("paused", 4)
        await api.send(segment_rules.edit("seats", paused=False))
        await are(
            **{"1A": ["ra"], "1B": [], "2A": ["rb", "rd"], "2.0": ["re", "rg"], "3A": ["rf"], "others": []}
        )

        changes: list[Request[Any]] = [
            segments.edit("seats", if_match="*", definition={"type": "tag"}),
            segments.delete("seats"),
            segments.archive("seats"),
        ]
        for refused in changes:
            with pytest.raises(Conflict, match="segment of a rule"):
                await api.send(refused)
        await api.send(segment_rules.delete("seats"))
        left = (await api.send(segments.page(folder="Seats", limit=100))).segments
        assert sorted(each.name for each in left) == sorted(
            f"seat: {each}" for each in ("1A", "1B", "2.0", "2A", "3A")
        )
        assert {each.rule for each in left} == {None}
        again = await api.send(segment_rules.create("seat", new_id="seats", name="Sits on {value}"))
        assert (again.values, again.segments) == (4, 0)
        await live(product, rh="4A")
        await until(lambda: _made(rule, 1))
        await api.send(segment_rules.delete("seats", segments=True))
        names = {each.name for each in (await api.send(segments.page(limit=1_000))).segments}
        assert "Sits on 4A" not in names and "seat: others" not in names


async def _same(read: Callable[[], Awaitable[Any]], wanted: Any) -> bool:
    return bool(await read() == wanted)


async def _without(rule: Callable[[], Awaitable[Rule]], number: int) -> bool:
    return (await rule()).without == number


async def _made(rule: Callable[[], Awaitable[Rule]], number: int) -> bool:
    return (await rule()).segments == number
