"""Events to ingest over HTTP, fast and in order, for `send` and `demo`.

Items travel in lanes. A lane is strictly in order: its next batch leaves only when the one before is
acknowledged. Lanes run side by side, and each holds at most `QUEUED` batches, so `put` waits when ingest
is slower than its caller. A batch is one kind (Segment's or our own) and stays within ingest's bounds.
An item keeps its id over a retry, so a batch sent twice is applied once. Where ingest is behind, or goes
away after it was there, the batch is sent again for a while.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self

import httpx
import msgspec
from msgspec import Struct

from livesegments.cli.client import problem_of, reaching
from livesegments.cli.problem import Problem
from livesegments.client.exchange import TIMEOUT_S, refused

MAX_BATCH_BYTES = 490_000
"""Ingest takes 500 KB a batch; the frame around the items needs a little of it."""
MAX_BATCH_ITEMS = 500
QUEUED = 2
PATIENCE_S = 60.0
"""How long a batch is sent again and again before it is given up: a broker or ingest may start meanwhile."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0

Kind = Literal["segment", "own"]
PATHS: dict[Kind, str] = {"segment": "/v1/batch", "own": "/v1/events"}


class Item(Struct, frozen=True):
    """`body` is one event's JSON; `line` is what the caller knows it by."""

    kind: Kind
    line: int
    body: bytes


class Refused(Struct, frozen=True, omit_defaults=True):
    """One item that ingest did not accept, and why. `partial`: it accepted the rest of the item, and refused
    only the odd parts that `reason` names."""

    line: int
    code: str
    reason: str
    partial: bool = False


class _Verdict(Struct):
    index: int
    code: str = ""
    reason: str = ""


class _Answer(Struct):
    accepted: int
    rejected: list[_Verdict] = []
    partial: list[_Verdict] = []


Told = Callable[[int, list[Refused]], None]
"""Called for every batch answered: how many items were accepted, and those refused, whole or in part."""


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
        self._reached = False
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

    async def push(self) -> None:
        """Lets everything put so far go its way."""
        for lane in range(len(self._open)):
            await self._close(lane)

    async def flush(self) -> None:
        """Waits until everything put so far is answered."""
        await self.push()
        for queue in self._queues:
            await self.while_working(queue.join())

    async def _close(self, lane: int) -> None:
        items, self._open[lane], self._bytes[lane] = self._open[lane], [], 0
        if items:
            queue = self._queues[lane]
            if queue.full():
                await self.while_working(queue.put(items))
            else:
                queue.put_nowait(items)

    async def while_working(self, wanted: Awaitable[None]) -> None:
        """Waits for `wanted`; a lane that failed meanwhile ends the waiting with its error."""
        waiting = asyncio.ensure_future(wanted)
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
            answer = await self._post(items)
            refused = [
                Refused(items[verdict.index].line, verdict.code, verdict.reason, partial)
                for verdicts, partial in ((answer.rejected, False), (answer.partial, True))
                for verdict in verdicts
            ]
            self._told(answer.accepted, refused)
            queue.task_done()

    async def _post(self, items: list[Item]) -> _Answer:
        joined = b"[" + b",".join(item.body for item in items) + b"]"
        body = b'{"batch":' + joined + b"}" if items[0].kind == "segment" else joined
        pause_s, loop = FIRST_PAUSE_S, asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while True:
            wait_s = pause_s
            try:
                with reaching(self._url):
                    response = await self._http.post(PATHS[items[0].kind], content=body)
            except Problem:
                if not self._reached or loop.time() > until:
                    raise
            else:
                if response.status_code not in (429, 503) or loop.time() > until:
                    return self._read(response)
                wait_s = _asked(response, pause_s)
            await asyncio.sleep(wait_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _read(self, response: httpx.Response) -> _Answer:
        if response.is_error and response.status_code != HTTPStatus.NOT_FOUND:
            raise problem_of(refused(response.status_code, response.headers, response.content))
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
        except msgspec.MsgspecError as error:
            told = f"{self._url} answers HTTP {response.status_code}, but not as ingest does"
            raise Problem(told, advice="is the address that of ingest?") from error
        self._reached = True
        return answer


def _asked(response: httpx.Response, otherwise_s: float) -> float:
    """How long we are asked to wait, in seconds; a date, as proxies send it, is not worth its reading."""
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return otherwise_s
