"""The load generator: a process of its own, HTTP/1.1 over raw sockets, a few lines a request.

`python -m bench.load` reads one `Wanted` as JSON from standard input and prints one `Load`. `python -m bench.load
answer` is the control: a server that answers every request with the same bytes and prints its port, so what the generator
reaches against that is the generator's own bound.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time
from collections import Counter, deque
from random import Random
from statistics import quantiles

import msgspec
import uvloop
from msgspec import Struct

WARM_UP_S = 1.0
TICK_S = 0.001
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Wanted(Struct):
    """`requests` are sent in a random order, the same each time. `per_s` 0: a closed loop, every
    connection sends its next request when the last is answered; else an open loop, at instants that do not
    wait for answers, and timed from these."""

    port: int
    requests: list[str]
    connections: int
    seconds: float
    per_s: int = 0


class Load(Struct, frozen=True):
    """`cpu_share` is the generator's own, of one core. `statuses` counts what was not 200. `answered` also
    counts the warm-up, which all other figures leave out."""

    answered: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    cpu_share: float
    statuses: dict[str, int]


class Run:
    """What all connections share."""

    def __init__(self, wanted: Wanted) -> None:
        random = Random(5)
        self._requests = [request.encode() for request in wanted.requests]
        random.shuffle(self._requests)
        self._at = 0
        self.is_closed = wanted.per_s == 0
        self.free: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.counting = False
        self.answered = 0

    def next(self) -> bytes:
        self._at = (self._at + 1) % len(self._requests)
        return self._requests[self._at]

    def due(self, at: float) -> None:
        """One request of the open loop."""
        if self.free:
            self.free.popleft().ask(at)
        else:
            self.waiting.append(at)

    def done(self, connection: Connection, began: float, status: bytes) -> None:
        now = time.perf_counter()
        self.answered += 1
        if self.counting:
            self.took.append(now - began)
            if status != b"200":
                self.statuses[status.decode()] += 1
        if self.is_closed:
            connection.ask(now)
        elif self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.free.append(connection)


class Connection(asyncio.Protocol):
    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def ask(self, began: float) -> None:
        self._began = began
        self._transport.write(self._run.next())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head)
        assert length is not None, self._buffer[:head]
        if len(self._buffer) < head + 4 + int(length[1]):
            return
        status, self._buffer = self._buffer[9:12], b""
        self._run.done(self, self._began, status)


async def load(wanted: Wanted) -> Load:
    loop, run = asyncio.get_running_loop(), Run(wanted)
    made = [
        (await loop.create_connection(lambda: Connection(run), "127.0.0.1", wanted.port))[1]
        for _ in range(wanted.connections)
    ]
    gc.disable()  # a pause of ours would be counted as one of theirs
    begin = time.perf_counter()
    counted, end = begin + WARM_UP_S, begin + WARM_UP_S + wanted.seconds
    if run.is_closed:
        for connection in made:
            connection.ask(begin)
    else:
        run.free.extend(made)
    sent, cpu = 0, 0.0
    while (now := time.perf_counter()) < end:
        if now >= counted and not run.counting:
            run.counting, cpu = True, time.process_time()
        while not run.is_closed and (due := begin + sent / wanted.per_s) <= now:
            run.due(due)
            sent += 1
        await asyncio.sleep(TICK_S)
    took_s, cpu = time.perf_counter() - counted, time.process_time() - cpu
    run.counting = False
    cuts = quantiles(run.took, n=100)
    return Load(
        run.answered, len(run.took) / took_s, 1_000 * cuts[49], 1_000 * cuts[98], 1_000 * max(run.took), cpu / took_s,
        dict(run.statuses),
    )  # fmt: skip


class Answering(asyncio.Protocol):
    """The server of the control: it answers every request with the same bytes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b'{"count": 1}')


async def answer() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["answer"]:
        uvloop.run(answer())
    else:
        given = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
        print(msgspec.json.encode(uvloop.run(load(given))).decode())
