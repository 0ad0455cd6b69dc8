"""The sender keeps order and bounds, comes back after 429, and says what to do when it fails."""

import asyncio
from base64 import b64decode
from collections import defaultdict
from typing import Any

import pytest

from livesegments.cli.problem import Problem
from livesegments.cli.sender import MAX_BATCH_BYTES, Item, Refused, Sender
from tests.cli.server import Answer, Request, serving


class Ingest:
    """Accepts all items but those that say so; it answers 429 to the first `busy` requests."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.batches: list[list[Any]] = []
        self.paths: list[str] = []
        self.keys: set[str] = set()

    def __call__(self, request: Request) -> Answer:
        if self.busy:
            self.busy -= 1
            return Answer(429, {"title": "Too Many Requests"}, {"Retry-After": "0"})
        self.keys.add(b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        items = request.body["batch"] if isinstance(request.body, dict) else request.body
        self.batches.append(items)
        self.paths.append(request.path)
        bad = [i for i, item in enumerate(items) if item.get("bad")]
        rejected = [{"index": i, "code": "bad", "reason": "says so"} for i in bad]
        odd = [i for i, item in enumerate(items) if item.get("odd")]
        partial = [{"index": i, "code": "odd", "reason": "says so"} for i in odd]
        answer = {"accepted": len(items) - len(bad), "rejected": rejected, "partial": partial}
        return Answer(202, answer)


class Told:
    def __init__(self) -> None:
        self.accepted = 0
        self.refused: list[Refused] = []

    def __call__(self, accepted: int, refused: list[Refused]) -> None:
        self.accepted += accepted
        self.refused += refused


def own(line: int, body: bytes = b"") -> Item:
    return Item("own", line, body or b'{"n":%d}' % line)


async def test_every_lane_is_in_order_and_within_its_batch() -> None:
    ingest, told = Ingest(), Told()
    async with serving(ingest) as url, Sender(url, "wk", told, lanes=3, batch=10) as sender:
        for line in range(100):
            await sender.put(line % 3, own(line, b'{"n":%d,"lane":%d}' % (line, line % 3)))
    assert told.accepted == 100
    assert ingest.keys == {"wk:"}
    assert max(map(len, ingest.batches)) == 10
    arrived: defaultdict[int, list[int]] = defaultdict(list)
    for batch in ingest.batches:
        for item in batch:
            arrived[item["lane"]].append(item["n"])
    assert {lane: numbers == list(range(lane, 100, 3)) for lane, numbers in arrived.items()} == dict.fromkeys(
        range(3), True
    )


async def test_a_batch_is_of_one_kind_and_the_order_of_kinds_stays() -> None:
    ingest = Ingest()
    async with serving(ingest) as url, Sender(url, "wk", Told()) as sender:
        for line, kind in enumerate("ossoos"):
            await sender.put(0, Item("own" if kind == "o" else "segment", line, b'{"n":%d}' % line))
    assert [[item["n"] for item in batch] for batch in ingest.batches] == [[0], [1, 2], [3, 4], [5]]
    assert ingest.paths == ["/v1/events", "/v1/batch"] * 2


async def test_a_batch_stays_within_its_bytes() -> None:
    ingest = Ingest()
    large = b'{"text":"%s"}' % (b"x" * 30_000)
    async with serving(ingest) as url, Sender(url, "wk", Told()) as sender:
        for line in range(40):
            await sender.put(0, own(line, large))
    full = MAX_BATCH_BYTES // (len(large) + 1)
    assert [len(batch) for batch in ingest.batches] == [full, full, 40 - 2 * full]


async def test_what_is_refused_is_known_by_its_line() -> None:
    told = Told()
    async with serving(Ingest()) as url, Sender(url, "wk", told, batch=4) as sender:
        for line in range(1, 11):
            await sender.put(0, own(line, b'{"bad":true}' if line in {3, 10} else b"{}"))
    assert told.refused == [Refused(3, "bad", "says so"), Refused(10, "bad", "says so")]
    assert told.accepted == 8


async def test_it_comes_back_after_a_429() -> None:
    ingest, told = Ingest(busy=3), Told()
    async with serving(ingest) as url, Sender(url, "wk", told) as sender:
        await sender.put(0, own(1))
    assert (told.accepted, len(ingest.batches)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, {"title": "Service Unavailable"}, {"Retry-After": "0"}),
        Answer(429, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Answer(429),
    ],
)
async def test_it_comes_back_in_order_whatever_the_answer_asks_for(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesegments.cli.sender.FIRST_PAUSE_S", 0.0)
    ingest, told, calls = Ingest(), Told(), 0

    def sometimes(request: Request) -> Answer:
        nonlocal calls
        calls += 1
        return answer if calls % 2 else ingest(request)

    async with serving(sometimes) as url, Sender(url, "wk", told, batch=1) as sender:
        for line in range(5):
            await sender.put(0, own(line))
    assert [item["n"] for batch in ingest.batches for item in batch] == [*range(5)]
    assert (told.accepted, calls) == (5, 10)


async def test_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livesegments.cli.sender.PATIENCE_S", -1.0)
    with pytest.raises(Problem, match="Too Many Requests") as raised:
        async with serving(Ingest(busy=9)) as url, Sender(url, "wk", Told()) as sender:
            await sender.put(0, own(1))
    assert "wait a moment" in raised.value.advice


async def test_ingest_that_was_there_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest may be started anew in the middle of a long file."""
    monkeypatch.setattr("livesegments.cli.sender.FIRST_PAUSE_S", 0.0)
    ingest, told, calls = Ingest(), Told(), 0

    def breaking(request: Request) -> Answer:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise asyncio.IncompleteReadError(b"", None)  # hangs up
        return ingest(request)

    async with serving(breaking) as url, Sender(url, "wk", told, batch=1) as sender:
        for line in range(3):
            await sender.put(0, own(line))
    assert [item["n"] for batch in ingest.batches for item in batch] == [*range(3)]


@pytest.mark.parametrize("answer", [Answer(404), Answer(200), Answer(202, ["x"])])
async def test_what_is_not_ingest_is_told_from_it(answer: Answer) -> None:
    with pytest.raises(Problem, match="not as ingest does") as raised:
        async with serving(lambda _: answer) as url, Sender(url, "wk", Told()) as sender:
            await sender.put(0, own(1))
    assert "address" in raised.value.advice


async def test_a_refused_key_ends_it_even_while_a_caller_waits_for_room() -> None:
    def refuse(_: Request) -> Answer:
        return Answer(401, {"title": "Unauthorized", "detail": "no such key"})

    with pytest.raises(Problem, match="no such key") as raised:
        async with serving(refuse) as url, Sender(url, "wrong", Told(), batch=1) as sender:
            for line in range(1_000):
                await sender.put(0, own(line))
    assert raised.value.status == 401
    assert "--key" in raised.value.advice


async def test_no_answer_says_where_it_looked() -> None:
    with pytest.raises(Problem, match="does not answer") as raised:
        async with Sender("http://127.0.0.1:9", "wk", Told()) as sender:
            await sender.put(0, own(1))
    assert "livesegments up" in raised.value.advice
