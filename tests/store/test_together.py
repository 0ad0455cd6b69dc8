"""Reads that go together: every caller gets its own replies, whoever asks, fails or goes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from livesegments.store.client import Away, Client, connect
from livesegments.store.together import Together, together


@pytest.fixture
async def store(clean_redis: str) -> AsyncIterator[Client]:
    async with connect(clean_redis) as client:
        yield client


async def test_each_of_many_callers_gets_its_own_replies(store: Client) -> None:
    for number in range(100):
        await store.set(f"k{number}", number)
    ours, random = together(store), Random(7)

    async def ask(times: int) -> None:
        for _ in range(times):
            wanted = [random.randrange(100) for _ in range(random.randrange(4))]
            replies = await ours.ask(*(("GET", f"k{number}") for number in wanted))
            assert replies == [str(number).encode() for number in wanted]
            if random.random() < 0.3:
                await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await asyncio.gather(*(ask(50) for _ in range(200)))


async def test_the_error_of_one_is_not_that_of_another_and_nobody_waits_for_one_that_has_gone(
    store: Client,
) -> None:
    await store.set("text", "x")
    ours = Together(store)
    good, bad, gone = ours.ask(("GET", "text")), ours.ask(("ZCARD", "text")), ours.ask(("GET", "text"))
    gone.cancel()
    assert await good == [b"x"]
    with pytest.raises(Away):
        await bad
    assert await ours.one("GET", "text") == b"x"


async def test_all_who_wait_hear_that_the_store_is_away_and_later_ones_ask_again() -> None:
    async with connect("redis://127.0.0.1:1/0") as nobody:
        ours = together(nobody)
        for _ in range(2):
            told: list[Any] = await asyncio.gather(
                *(ours.ask(("GET", "k")) for _ in range(200)), return_exceptions=True
            )
            assert {type(each) for each in told} == {Away}


async def test_what_is_asked_at_once_goes_together(store: Client) -> None:
    await asyncio.gather(*(together(store).one("GET", "k") for _ in range(50)))
    assert (await store.info("clients"))["connected_clients"] <= 3


async def test_a_connection_that_was_ended_meanwhile_is_opened_again(store: Client) -> None:
    await store.set("k", "v")
    ours = together(store)
    assert await ours.one("GET", "k") == b"v"
    await store.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
    assert await ours.one("GET", "k") == b"v"


async def test_what_comes_last_comes_behind_what_anybody_asks(store: Client) -> None:
    """The same list is read by one and emptied by the other: who looks last sees it empty."""
    await store.rpush("list", "a")
    ours = Together(store)
    first, second = ours.ask(("GET", "k"), last=[("LLEN", "list")]), ours.ask(("LPOP", "list"))
    assert (await first, await second) == ([None, 0], [b"a"])
