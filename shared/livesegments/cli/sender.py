"""Events to ingest over HTTP, fast and in order: what both `send` and `demo` stand on.

Items travel in lanes. A lane is strictly in order: its next batch leaves only when the one before is
acknowledged. Lanes run side by side, and each holds at most `QUEUED` batches, so `put` waits when ingest
is slower than its caller. A batch is one kind (Segment's or our own) and stays within ingest's bounds.
An item keeps its id over a retry, so a batch sent twice is applied once.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import msgspec
from msgspec import Struct

from livesegments.cli.client import TIMEOUT_S, problem_of, reaching

MAX_BATCH_BYTES = 490_000
"""Ingest takes 500 KB a batch; the frame around the items needs a little of it."""
MAX_BATCH_ITEMS = 500
QUEUED = 2
RETRIES = 8
FIRST_PAUSE_S = 0.25

Kind = Literal["segment", "own"]
PATHS: dict[Kind, str] = {"segment": "/v1/batch", "own": "/v1/events"}


class Item(Struct, frozen=True):
    """`body` is one event's JSON; `line` is what the caller knows it by."""

    kind: Kind
    line: int
    body: bytes


class Refused(Struct, frozen=True):
    """One item that ingest did not accept, and why."""

    line: int
    code: str
    reason: str


class _Verdict(Struct):
    index: int
    code: str = ""
    reason: str = ""


class _Answer(Struct):
    accepted: int
    rejected: list[_Verdict] = []


Told = Callable[[int, list[Refused]], None]
"""Called for every batch answered: how many items were accepted, and those refused."""


class Sender:
    """`async with Sender(…) as sender: await sender.put(lane, item)`; leaving waits for every answer.

    Raises Problem from `put` or on leaving, when ingest is away, refuses the key, or stays behind.
    """

    def __init__(
        self, url: str, write_key: str, told: Told, lanes: int = 1, batch: int = MAX_BATCH_ITEMS
    ) -> None:
        basic = b64encode(f"{write_key}:".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        limits = httpx.Limits(max_connections=lanes)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=TIMEOUT_S,
            limits=limits,
            verify=url.startswith("https:"),
            trust_env=False,
        )
        self._url, self._told, self._batch = url, told, batch
        self._open: list[list[Item]] = [[] for _ in range(lanes)]
        self._bytes = [0] * lanes
        self._queues = [asyncio.Queue[list[Item]](QUEUED) for _ in range(lanes)]
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._deliver(queue)) for queue in self._queues]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            await self._http.aclose()

    async def put(self, lane: int, item: Item) -> None:
        """Waits while the lane is full."""
        waiting = self._open[lane]
        size = len(item.body) + 1
        if waiting and (
            len(waiting) >= self._batch
            or self._bytes[lane] + size > MAX_BATCH_BYTES
            or waiting[0].kind != item.kind
        ):
            await self._close(lane)
        self._open[lane].append(item)
        self._bytes[lane] += size

    async def flush(self) -> None:
        """Waits until everything put so far is answered."""
        for lane in range(len(self._open)):
            await self._close(lane)
        for queue in self._queues:
            await self._while_working(queue.join())

    async def _close(self, lane: int) -> None:
        items, self._open[lane], self._bytes[lane] = self._open[lane], [], 0
        if items:
            queue = self._queues[lane]
            if queue.full():
                await self._while_working(queue.put(items))
            else:
                queue.put_nowait(items)

    async def _while_working(self, wanted: Coroutine[Any, Any, None]) -> None:
        """Waits for `wanted`; a lane that failed meanwhile ends the waiting with its error."""
        waiting = asyncio.create_task(wanted)
        try:
            await asyncio.wait([waiting, *self._workers], return_when=asyncio.FIRST_COMPLETED)
            for worker in self._workers:
                if worker.done():
                    worker.result()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _deliver(self, queue: asyncio.Queue[list[Item]]) -> None:
        while True:
            items = await queue.get()
            answer = msgspec.json.decode(await self._post(items), type=_Answer)
            refused = [Refused(items[v.index].line, v.code, v.reason) for v in answer.rejected]
            self._told(answer.accepted, refused)
            queue.task_done()

    async def _post(self, items: list[Item]) -> bytes:
        joined = b"[" + b",".join(item.body for item in items) + b"]"
        body = b'{"batch":' + joined + b"}" if items[0].kind == "segment" else joined
        pause = FIRST_PAUSE_S
        for _ in range(RETRIES):
            with reaching(self._url):
                response = await self._http.post(PATHS[items[0].kind], content=body)
            if response.status_code not in (429, 503):
                break
            await asyncio.sleep(float(response.headers.get("Retry-After", pause)))
            pause *= 2
        if response.is_error:
            raise problem_of(response)
        return response.content
